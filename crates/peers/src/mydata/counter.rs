//! The counter (臨櫃): the citizen puts data sets behind a code, a clerk types the code, the citizen is shown a one-time
//! password, the clerk types that too, and the package waits for the usual fetch.
//!
//! The reference page gives the steps and the times; how a program says them is not public. The two addresses for
//! programs and their statuses are those the city assumes (see its how-to), read anew here.

use super::counter_agent::{self, Agent};
use super::kept::{Outcome, Ticket};
use super::{Shared, TICKET, cipher, package};
use crate::html::{escape, page};
use axum::Json;
use axum::extract::{Form, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};
use std::collections::HashMap;
use std::fmt::Write;
use std::sync::Arc;
use uuid::Uuid;

pub const WHO: &str = "示範個人化資料自主運用平臺 Demonstration MyData";
/// Seconds a code is taken after it was made or renewed.
const CODE: i64 = 20 * 60;
/// Seconds a password is taken.
const PASSWORD: i64 = 2 * 60;
/// So many mistakes …
const MISTAKES: usize = 5;
/// … in so many seconds close a counter for as many.
const LOCK: i64 = 15 * 60;
/// Letters and digits that nobody takes for another.
const LETTERS: &[u8] = b"23456789ABCDEFGHJKLMNPQRSTUVWXYZ";

pub type App = State<Arc<Shared>>;
pub type Typed = Form<Vec<(String, String)>>;

/// Data sets a citizen put behind a code.
pub struct Held {
    pub code: String,
    pub national_id: String,
    pub resources: Vec<String>,
    pub made: i64,
    renewed: i64,
    /// The password of the last time the code was typed, and when.
    password: Option<(String, i64)>,
    pub used: bool,
    /// Who fetches it in the citizen's place.
    pub agent: Option<Agent>,
}

/// What the counter keeps.
#[derive(Default)]
pub struct Counter {
    /// By the citizen's own page.
    pub boxes: HashMap<Uuid, Held>,
    /// Times of mistakes, by counter.
    mistakes: HashMap<String, Vec<i64>>,
}

impl Counter {
    pub fn sweep(&mut self, now: i64) {
        self.boxes.retain(|_, one| now - one.made <= TICKET);
        for times in self.mistakes.values_mut() {
            times.retain(|at| now - *at <= LOCK);
        }
        self.mistakes.retain(|_, times| !times.is_empty());
    }

    /// Seconds a counter has to wait, if it made too many mistakes.
    fn wait(&self, counter: &str, now: i64) -> Option<i64> {
        let times = self.mistakes.get(counter)?;
        let last = times.last().filter(|_| times.len() >= MISTAKES)?;
        Some(last.saturating_add(LOCK).saturating_sub(now)).filter(|left| *left > 0)
    }
}

pub fn value<'a>(form: &'a [(String, String)], name: &str) -> &'a str {
    form.iter()
        .find(|(one, _)| one == name)
        .map_or("", |(_, value)| value.trim())
}

fn random(most: usize) -> Option<Vec<u8>> {
    let mut bytes = vec![0; most];
    openssl::rand::rand_bytes(&mut bytes).ok()?;
    Some(bytes)
}

pub fn new_code() -> Option<String> {
    let letter = |byte: u8| LETTERS.get(usize::from(byte) % LETTERS.len()).copied().map(char::from);
    random(8)?.into_iter().map(letter).collect()
}

fn new_password() -> Option<String> {
    let bytes: [u8; 4] = random(4)?.try_into().ok()?;
    Some(format!("{:06}", u32::from_be_bytes(bytes) % 1_000_000))
}

/// `GET /counter`: who are you.
pub async fn begin() -> Response {
    let body = "<p>請先驗證身分，再選擇要帶到櫃臺的資料。這裡代替 MyData 的身分驗證（自然人憑證、健保卡、TW FidO）。</p>\
         <p lang=\"en\">Verify who you are, then choose the data for the counter.</p><form method=\"post\" action=\"/counter\">\
         <p><label for=\"pid\">統一編號 National id</label><br><input type=\"text\" id=\"pid\" name=\"pid\" maxlength=\"10\" autocomplete=\"off\"></p>\
         <button>驗證身分 Verify</button></form>";
    page(StatusCode::OK, WHO, "臨櫃取用碼 Code for the counter", body)
}

/// `POST /counter`: which data.
pub async fn choose(State(shared): App, Form(form): Typed) -> Response {
    let pid = value(&form, "pid").to_uppercase();
    if shared.population.find(&pid).is_none() {
        return page(
            StatusCode::NOT_FOUND,
            WHO,
            "沒有驗證成功",
            "<p class=\"error\">請輸入正確的統一編號。</p><p><a href=\"/counter\">再試一次 Try again</a></p>",
        );
    }
    let mut body = format!(
        "<form method=\"post\" action=\"/counter/box\"><input type=\"hidden\" name=\"pid\" value=\"{}\"><fieldset>\
         <legend>要帶到櫃臺的資料 Data for the counter</legend>",
        escape(&pid)
    );
    for resource in &shared.resources {
        let _ = write!(
            body,
            "<label class=\"choice\"><input type=\"checkbox\" name=\"resource\" value=\"{}\"><span>{}（{}）</span></label>",
            escape(&resource.id),
            escape(&resource.title),
            escape(&resource.agency)
        );
    }
    body.push_str("</fieldset><button>同意，產生取用碼 Agree and make the code</button></form>");
    page(StatusCode::OK, WHO, "選擇資料 Choose", &body)
}

/// `POST /counter/box`: the code.
pub async fn make(State(shared): App, Form(form): Typed) -> Response {
    let chosen = form.iter().filter(|(name, _)| name == "resource");
    let resources: Vec<String> = chosen
        .map(|(_, id)| id.clone())
        .filter(|id| shared.resource(id).is_some())
        .collect();
    let pid = value(&form, "pid").to_uppercase();
    if resources.is_empty() || shared.population.find(&pid).is_none() {
        return page(
            StatusCode::UNPROCESSABLE_ENTITY,
            WHO,
            "沒有選擇資料",
            "<p class=\"error\">請至少選擇一種資料。</p><p><a href=\"/counter\">再試一次 Try again</a></p>",
        );
    }
    let Some(code) = new_code() else {
        return StatusCode::SERVICE_UNAVAILABLE.into_response();
    };
    let now = shared.now();
    let own = Uuid::new_v4();
    let made = Held {
        code,
        national_id: pid,
        resources,
        made: now,
        renewed: now,
        password: None,
        used: false,
        agent: None,
    };
    let answer = shown(own, &made, now);
    shared.kept().counter.boxes.insert(own, made);
    answer
}

/// `POST /counter/show`: the code and, once a clerk has typed it, the password; `renew` gives the code 20 minutes more.
pub async fn show(State(shared): App, Form(form): Typed) -> Response {
    let own = Uuid::parse_str(value(&form, "session")).unwrap_or_default();
    let now = shared.now();
    let mut kept = shared.kept();
    let Some(found) = kept.counter.boxes.get_mut(&own) else {
        return page(
            StatusCode::NOT_FOUND,
            WHO,
            "取用碼已失效",
            "<p><a href=\"/counter\">產生新的取用碼 Make a new code</a></p>",
        );
    };
    if value(&form, "act") == "renew" {
        found.renewed = now;
    }
    shown(own, found, now)
}

/// The citizen's own page of a code.
pub fn shown(own: Uuid, found: &Held, now: i64) -> Response {
    let mut body = format!("<p>取用碼 Code</p><p><strong id=\"code\">{}</strong></p>", found.code);
    let left = found.renewed.saturating_add(CODE).saturating_sub(now);
    if found.used {
        body.push_str("<p>承辦人員已取走資料。The clerk has taken the data.</p>");
    } else if left < 0 {
        body.push_str("<p class=\"error\">取用碼已逾時，請延長。The code is past its time.</p>");
    } else {
        let _ = write!(body, "<p>請給櫃臺人員看。{} 分鐘內有效。</p>", left / 60 + 1);
    }
    match &found.password {
        Some((password, at)) if now - at <= PASSWORD && !found.used => {
            let _ = write!(
                body,
                "<p>一次性密碼，請告訴櫃臺人員 One-time password</p><p><strong id=\"password\">{password}</strong></p>"
            );
        }
        _ => body.push_str("<p>櫃臺人員輸入取用碼後，這裡會有一次性密碼。</p>"),
    }
    let _ = write!(
        body,
        "<form method=\"post\" action=\"/counter/show\"><input type=\"hidden\" name=\"session\" value=\"{own}\">\
         <button name=\"act\" value=\"look\">看一次性密碼 Show the password</button> \
         <button class=\"second\" name=\"act\" value=\"renew\">延長 Renew</button></form>"
    );
    counter_agent::on_own_page(own, found, &mut body);
    page(StatusCode::OK, WHO, "臨櫃取用碼 Code for the counter", &body)
}

/// What a program of the city says in both steps.
struct Said {
    tx_id: String,
    data: Value,
}

impl Said {
    fn text(&self, name: &str) -> &str {
        self.data.get(name).and_then(Value::as_str).unwrap_or_default()
    }

    fn list(&self, name: &str) -> Vec<String> {
        let values = self.data.get(name).and_then(Value::as_array);
        let texts = values.into_iter().flatten().filter_map(Value::as_str);
        texts.map(str::to_owned).collect()
    }
}

fn said(shared: &Shared, body: &Value) -> Result<Said, StatusCode> {
    let text = |name: &str| body.get(name).and_then(Value::as_str).unwrap_or_default();
    if shared.faults.now().unlisted || text("client_id") != shared.facts.client_id {
        return Err(StatusCode::UNAUTHORIZED);
    }
    let data = cipher::open(&shared.facts, text("data")).ok_or(StatusCode::UNAUTHORIZED)?;
    let data = serde_json::from_str(&data).map_err(|_| StatusCode::BAD_REQUEST)?;
    let tx_id = Uuid::parse_str(text("tx_id")).map_err(|_| StatusCode::BAD_REQUEST)?;
    Ok(Said {
        tx_id: tx_id.to_string(),
        data,
    })
}

fn locked(seconds: i64) -> Response {
    (StatusCode::LOCKED, [(header::RETRY_AFTER, seconds.to_string())]).into_response()
}

/// What the clerk typed: a code, and who stands there where it is not the citizen.
struct Clerked {
    code: String,
    agent: String,
}

fn typed(said: &Said) -> Clerked {
    Clerked {
        code: said.text("code").to_owned(),
        agent: said.text("agent").to_owned(),
    }
}

impl Held {
    /// Whether this is the code of the citizen, or the number of the agent.
    fn is(&self, typed: &Clerked) -> bool {
        self.code == typed.code || self.agent.as_ref().and_then(Agent::number) == Some(typed.code.as_str())
    }

    /// The citizen comes with the code, an agent with the number that was made for them when they agreed.
    fn may_fetch(&self, typed: &Clerked) -> bool {
        match typed.agent.as_str() {
            "" => self.code == typed.code,
            agent => self
                .agent
                .as_ref()
                .is_some_and(|one| one.national_id == agent && one.number() == Some(typed.code.as_str())),
        }
    }
}

/// The box of a code, or the status that says why not. A mistake is counted.
fn found<'a>(counter: &'a mut Counter, said: &Said, now: i64) -> Result<&'a mut Held, Box<Response>> {
    let at = said.text("counter").to_owned();
    if let Some(left) = counter.wait(&at, now) {
        return Err(Box::new(locked(left)));
    }
    let typed = typed(said);
    let refusal = match counter.boxes.values().find(|one| one.is(&typed)) {
        None => StatusCode::NOT_FOUND,
        Some(one) if one.national_id != said.text("pid") => StatusCode::CONFLICT,
        Some(one) if !one.may_fetch(&typed) => StatusCode::PRECONDITION_FAILED,
        Some(one) if one.used => StatusCode::CREATED,
        Some(one) if now - one.renewed > CODE => StatusCode::GONE,
        Some(_) => StatusCode::OK,
    };
    if refusal != StatusCode::OK {
        counter.mistakes.entry(at).or_default().push(now);
        return Err(Box::new(refusal.into_response()));
    }
    let own = counter.boxes.values_mut().find(|one| one.is(&typed));
    own.ok_or_else(|| Box::new(StatusCode::NOT_FOUND.into_response()))
}

/// `POST /organ/code`
pub async fn code(State(shared): App, Json(body): Json<Value>) -> Response {
    let said = match said(&shared, &body) {
        Ok(said) => said,
        Err(status) => return status.into_response(),
    };
    let Some(password) = new_password() else {
        return StatusCode::SERVICE_UNAVAILABLE.into_response();
    };
    let now = shared.now();
    let mut kept = shared.kept();
    match found(&mut kept.counter, &said, now) {
        Ok(one) => {
            one.password = Some((password, now));
            Json(json!({ "resources": one.resources })).into_response()
        }
        Err(answer) => *answer,
    }
}

/// `POST /organ/password`: the notification of the usual way, as the answer.
pub async fn password(State(shared): App, Json(body): Json<Value>) -> Response {
    let said = match said(&shared, &body) {
        Ok(said) => said,
        Err(status) => return status.into_response(),
    };
    let asked = said.list("resources");
    let (own, national_id) = match opened(&shared, &said, &asked) {
        Ok(opened) => opened,
        Err(answer) => return *answer,
    };
    let faults = shared.faults.now();
    let made = package::make(&shared, &national_id, &asked, &faults).await;
    let key = Uuid::new_v4().simple().to_string();
    let Some(((zip, failed), secret_key)) = made.zip(cipher::seal(&shared.facts, &key)) else {
        return StatusCode::GATEWAY_TIMEOUT.into_response();
    };
    let Some(envelope) = cipher::envelope(&shared.facts, &key, &zip) else {
        return StatusCode::GATEWAY_TIMEOUT.into_response();
    };
    let now = shared.now();
    let is_slow = asked
        .iter()
        .any(|id| shared.resource(id).is_some_and(|resource| !resource.immediate));
    let ticket = Uuid::new_v4();
    let mut notice = json!({ "tx_id": said.tx_id, "apiKey": shared.facts.api_key, "permission_ticket": ticket });
    if failed.is_empty() {
        notice["secret_key"] = json!(secret_key);
    } else {
        notice["unable_to_deliver"] = json!(failed);
    }
    let mut kept = shared.kept();
    match kept.counter.boxes.get_mut(&own) {
        // two clerks at once: the first has it
        Some(one) if !one.used => {
            one.used = true;
            if let Some(agent) = one.agent.as_mut().filter(|_| !said.text("agent").is_empty()) {
                agent.completed();
            }
        }
        _ => return StatusCode::CREATED.into_response(),
    }
    kept.tickets.insert(
        ticket,
        Ticket {
            tx_id: said.tx_id.clone(),
            national_id,
            key,
            package: Some(envelope),
            failed: failed.len() == asked.len(),
            made: now,
            ready: now.saturating_add(if is_slow { shared.wait } else { 0 }),
            answered: Some(200),
            taken: false,
        },
    );
    kept.note(&said.tx_id, Outcome::Code("200"), now);
    Json(notice).into_response()
}

/// Checks the password and what is asked for; gives the box and whose it is.
fn opened(shared: &Shared, said: &Said, asked: &[String]) -> Result<(Uuid, String), Box<Response>> {
    let now = shared.now();
    let mut kept = shared.kept();
    let counter = &mut kept.counter;
    let one = found(counter, said, now)?;
    let refusal = match &one.password {
        Some((_, at)) if now - at > PASSWORD => StatusCode::GONE,
        Some((password, _)) if password == said.text("password") => StatusCode::OK,
        _ => StatusCode::FORBIDDEN,
    };
    let national_id = one.national_id.clone();
    let is_within = !asked.is_empty() && asked.iter().all(|id| one.resources.contains(id));
    if refusal != StatusCode::OK {
        counter
            .mistakes
            .entry(said.text("counter").to_owned())
            .or_default()
            .push(now);
        return Err(Box::new(refusal.into_response()));
    }
    if !is_within {
        return Err(Box::new(StatusCode::BAD_REQUEST.into_response()));
    }
    let typed = typed(said);
    let own = counter.boxes.iter().find(|(_, one)| one.is(&typed));
    own.map(|(own, _)| (*own, national_id))
        .ok_or_else(|| Box::new(StatusCode::NOT_FOUND.into_response()))
}
