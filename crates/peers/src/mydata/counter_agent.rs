//! An agent at the counter (臨櫃代辦): the citizen names another member by id number and day of birth, the member agrees and is
//! given a number of 8 characters, and comes to the counter with it. The one-time password is still the citizen's.

use super::Shared;
use super::counter::{App, Held, Typed, WHO, new_code, shown, value};
use crate::html::{escape, page};
use axum::extract::{Form, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use std::fmt::Write;
use uuid::Uuid;

/// Who was named, and what became of it. The events are those shown to citizens (reference page, 8).
pub struct Agent {
    pub national_id: String,
    state: Named,
    events: Vec<u8>,
}

enum Named {
    Asked,
    /// Agreed, with the number to show at the counter.
    Agreed(String),
    Refused,
    Ended,
}

impl Agent {
    /// The number to show at the counter.
    pub fn number(&self) -> Option<&str> {
        match &self.state {
            Named::Agreed(number) => Some(number),
            Named::Asked | Named::Refused | Named::Ended => None,
        }
    }

    /// The agent's clerk has the data.
    pub fn completed(&mut self) {
        self.events.extend([47, 55]);
    }
}

/// An event in words.
fn said(event: u8) -> &'static str {
    match event {
        41 => "申請人提出代辦",
        42 => "申請人同意提供的項目",
        43 => "代辦成立",
        45 | 52 => "申請人結束代辦",
        47 => "代辦完成",
        51 => "代辦人同意",
        _ => "資料已交付櫃臺",
    }
}

/// What the citizen's page of a code says of an agent.
pub fn on_own_page(own: Uuid, found: &Held, body: &mut String) {
    let _ = match &found.agent {
        Some(agent) => {
            let (text, may_end) = match agent.state {
                Named::Asked => ("等代辦人同意。Waiting for the agent to agree.", true),
                Named::Agreed(_) => (
                    "代辦人已同意，可以帶代辦碼到櫃臺。密碼還是由您提供。The agent agreed.",
                    true,
                ),
                Named::Refused => ("代辦人不同意。The agent refused.", false),
                Named::Ended => ("代辦已經結束。Ended.", false),
            };
            let end = match may_end && !found.used {
                true => format!(
                    "<form method=\"post\" action=\"/counter/agent/end\"><input type=\"hidden\" name=\"session\" value=\"{own}\">\
                     <button class=\"second\">結束代辦 End</button></form>"
                ),
                false => String::new(),
            };
            let events: String = agent
                .events
                .iter()
                .map(|event| format!("<li>{event} {}</li>", said(*event)))
                .collect();
            write!(
                body,
                "<h2>代辦人 Agent</h2><p id=\"agent\">{text}</p>{end}<ul>{events}</ul>"
            )
        }
        None if !found.used => write!(
            body,
            "<h2>請別人代辦 Let somebody go for you</h2><form method=\"post\" action=\"/counter/agent/name\">\
             <input type=\"hidden\" name=\"session\" value=\"{own}\">\
             <p><label for=\"agent_id\">代辦人統一編號 Their national id</label><br><input type=\"text\" id=\"agent_id\" name=\"agent\" maxlength=\"10\" autocomplete=\"off\"></p>\
             <p><label for=\"agent_birth\">代辦人出生日期（西元年-月-日）Their day of birth</label><br><input type=\"text\" id=\"agent_birth\" name=\"birth\" maxlength=\"10\" autocomplete=\"off\"></p>\
             <button>請他代辦 Ask them</button></form>"
        ),
        None => Ok(()),
    };
}

fn refused(text: &str) -> Response {
    let body = format!(
        "<p class=\"error\">{}</p><p><a href=\"/counter\">回去 Back</a></p>",
        escape(text)
    );
    page(StatusCode::UNPROCESSABLE_ENTITY, WHO, "不能代辦", &body)
}

fn session(form: &[(String, String)]) -> Uuid {
    Uuid::parse_str(value(form, "session")).unwrap_or_default()
}

/// `POST /counter/agent/name`: the citizen names an agent.
pub async fn name(State(shared): App, Form(form): Typed) -> Response {
    let own = session(&form);
    let agent = value(&form, "agent").to_uppercase();
    let member = shared.population.find(&agent);
    let is_known = member.is_some_and(|account| account.birth_date.to_string() == value(&form, "birth"));
    let now = shared.now();
    let mut kept = shared.kept();
    let Some(found) = kept.counter.boxes.get_mut(&own) else {
        return refused("取用碼已失效。The code is no longer good.");
    };
    if found.used || found.agent.is_some() {
        return refused("已經有代辦人。There is an agent already.");
    }
    if found.national_id == agent {
        return refused("代辦人不能是自己。The agent can't be yourself.");
    }
    // a member without the right day of birth is no member to who names them
    if !is_known {
        return refused("代辦人不是 MyData 會員，或出生日期不對。They are no member, or the day of birth is wrong.");
    }
    found.agent = Some(Agent {
        national_id: agent,
        state: Named::Asked,
        events: vec![41, 42],
    });
    shown(own, found, now)
}

/// `POST /counter/agent/end`: the citizen ends it.
pub async fn end(State(shared): App, Form(form): Typed) -> Response {
    let own = session(&form);
    let now = shared.now();
    let mut kept = shared.kept();
    let Some(found) = kept.counter.boxes.get_mut(&own) else {
        return refused("取用碼已失效。The code is no longer good.");
    };
    if let Some(agent) = found.agent.as_mut().filter(|_| !found.used) {
        agent.state = Named::Ended;
        agent.events.extend([45, 52]);
    }
    shown(own, found, now)
}

/// `GET /counter/agent`: the agent verifies who they are.
pub async fn begin() -> Response {
    let body = "<p>請先驗證身分。Verify who you are.</p><form method=\"post\" action=\"/counter/agent\">\
         <p><label for=\"pid\">統一編號 National id</label><br><input type=\"text\" id=\"pid\" name=\"pid\" maxlength=\"10\" autocomplete=\"off\"></p>\
         <button>驗證身分 Verify</button></form>";
    page(StatusCode::OK, WHO, "我是代辦人 I am the agent", body)
}

/// `POST /counter/agent`: what the agent was asked, with the number of what they agreed to; `act` answers one.
pub async fn answer(State(shared): App, Form(form): Typed) -> Response {
    let pid = value(&form, "pid").to_uppercase();
    let (own, act) = (session(&form), value(&form, "act").to_owned());
    let number = match act.as_str() {
        "agree" => match new_code() {
            Some(number) => Some(number),
            None => return StatusCode::SERVICE_UNAVAILABLE.into_response(),
        },
        _ => None,
    };
    let mut kept = shared.kept();
    let asked = kept.counter.boxes.get_mut(&own).and_then(|found| found.agent.as_mut());
    if let Some(agent) = asked.filter(|agent| agent.national_id == pid && matches!(agent.state, Named::Asked)) {
        agent.state = match number {
            Some(number) => Named::Agreed(number),
            None if act == "refuse" => Named::Refused,
            None => Named::Asked,
        };
        if matches!(agent.state, Named::Agreed(_)) {
            agent.events.extend([43, 51]);
        }
    }
    page(
        StatusCode::OK,
        WHO,
        "請您代辦的事",
        &requests(&shared, &kept.counter.boxes, &pid),
    )
}

fn requests(shared: &Shared, boxes: &std::collections::HashMap<Uuid, Held>, pid: &str) -> String {
    let mut body = String::new();
    for (own, found) in boxes {
        let Some(agent) = found
            .agent
            .as_ref()
            .filter(|agent| agent.national_id == pid && !found.used)
        else {
            continue;
        };
        let titles: Vec<String> = found
            .resources
            .iter()
            .filter_map(|id| shared.resource(id))
            .map(|resource| escape(&resource.title))
            .collect();
        let _ = write!(body, "<p>請您到櫃臺代為提供：{}</p>", titles.join("、"));
        let _ = match &agent.state {
            Named::Agreed(number) => write!(
                body,
                "<p>代辦碼 Number</p><p><strong id=\"number\">{number}</strong></p><p>請帶身分證和委託書。</p>"
            ),
            Named::Asked => write!(
                body,
                "<form method=\"post\" action=\"/counter/agent\"><input type=\"hidden\" name=\"pid\" value=\"{}\">\
                 <input type=\"hidden\" name=\"session\" value=\"{own}\">\
                 <button name=\"act\" value=\"agree\">同意代辦 Agree</button> \
                 <button class=\"second\" name=\"act\" value=\"refuse\">不同意 Refuse</button></form>",
                escape(pid)
            ),
            Named::Refused | Named::Ended => write!(body, "<p>已結束。Ended.</p>"),
        };
    }
    if body.is_empty() {
        body.push_str("<p>沒有請您代辦的事。Nobody asked you.</p>");
    }
    body
}
