//! The citizen's pages: arrival, verification, consent, and the way back with a code.

use super::kept::{Outcome, Visit};
use super::{Shared, cipher, deliver::deliver};
use crate::html::{escape, page};
use axum::extract::{Form, Path, Query, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use openssl::base64::decode_block;
use std::collections::{HashMap, HashSet};
use std::fmt::Write;
use std::sync::Arc;
use tokio::sync::watch;
use uuid::Uuid;

const WHO: &str = "示範個人化資料自主運用平臺 Demonstration MyData";

type App = State<Arc<Shared>>;

/// The browser goes back: the code, and the transaction sealed, before whatever query the address had.
pub fn back(shared: &Shared, return_url: &str, code: u16, tx_id: &str) -> Response {
    back_with(
        return_url,
        code,
        &cipher::seal(&shared.facts, tx_id).unwrap_or_default(),
    )
}

fn back_with(return_url: &str, code: u16, tx_id: &str) -> Response {
    let (base, query) = return_url
        .split_once('?')
        .map_or((return_url, String::new()), |(base, query)| (base, format!("&{query}")));
    let to = format!("{base}?code={code}&tx_id={tx_id}{query}");
    match HeaderValue::from_str(&to) {
        Ok(to) => (StatusCode::FOUND, [(header::LOCATION, to)]).into_response(),
        Err(_) => StatusCode::NOT_FOUND.into_response(),
    }
}

pub async fn arrive(
    State(shared): App,
    Path((client_id, resources, tx_id)): Path<(String, String, String)>,
    Query(query): Query<HashMap<String, String>>,
) -> Response {
    let Some(return_url) = query.get("returnUrl").filter(|url| !url.is_empty()) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let registered = shared.return_url.as_str();
    let is_registered = return_url
        .split('?')
        .next()
        .is_some_and(|base| base.eq_ignore_ascii_case(registered));
    if client_id != shared.facts.client_id {
        // without a service there is no key to seal with: only here the transaction goes back in plain text
        return back_with(if is_registered { return_url } else { registered }, 401, &tx_id);
    }
    if !is_registered {
        return back(&shared, registered, 404, &tx_id);
    }
    match admitted(&shared, &resources, &tx_id, query.get("pid").map(String::as_str)) {
        Ok((resources, pid)) => begin(&shared, resources, pid, tx_id, return_url.clone()),
        Err(code) => {
            let outcome = match code {
                400 => Some("400"),
                504 => Some("504"),
                _ => None,
            };
            if let Some(outcome) = outcome {
                shared.kept().note(&tx_id, Outcome::Code(outcome), shared.now());
            }
            back(&shared, return_url, code, &tx_id)
        }
    }
}

/// The address ends before the transaction: as good as an empty one (401).
pub async fn arrive_without_transaction(
    state: App,
    Path((client_id, resources)): Path<(String, String)>,
    query: Query<HashMap<String, String>>,
) -> Response {
    arrive(state, Path((client_id, resources, String::new())), query).await
}

/// The data sets and the person a service asks for, or the code with which it is sent back.
pub fn admitted(
    shared: &Shared,
    resources: &str,
    tx_id: &str,
    pid: Option<&str>,
) -> Result<(Vec<String>, String), u16> {
    let faults = shared.faults.now();
    if faults.disabled {
        return Err(423);
    }
    if faults.nothing_approved {
        return Err(403);
    }
    if Uuid::parse_str(tx_id).is_err() {
        return Err(401);
    }
    let listed = decode_block(&resources.replace(' ', "+"))
        .ok()
        .and_then(|bytes| String::from_utf8(bytes).ok())
        .ok_or(400_u16)?;
    let resources: Vec<String> = listed.split(':').map(str::to_owned).collect();
    if resources.iter().collect::<HashSet<_>>().len() < resources.len() {
        return Err(400);
    }
    if resources.iter().any(|id| shared.resource(id).is_none()) {
        return Err(401);
    }
    let pid = pid.and_then(|pid| cipher::open(&shared.facts, pid)).ok_or(400_u16)?;
    if resources.iter().any(|id| faults.faulty.contains(id)) {
        return Err(504);
    }
    Ok((resources, pid))
}

fn begin(shared: &Shared, resources: Vec<String>, pid: String, tx_id: String, return_url: String) -> Response {
    let session = Uuid::new_v4();
    let body = format!(
        "<p>這裡代替 MyData 的身分驗證（自然人憑證、健保卡、TW FidO）。您是從市府網站來的，請以同一個人驗證。</p>\
         <p lang=\"en\">This stands in for the verification at MyData.</p><form method=\"post\" action=\"/verify\">\
         <input type=\"hidden\" name=\"session\" value=\"{session}\"><p><label for=\"pid\">統一編號 National id</label><br>\
         <input type=\"text\" id=\"pid\" name=\"pid\" maxlength=\"10\" autocomplete=\"off\" value=\"{}\"></p><button>驗證身分 Verify</button></form>",
        escape(&pid)
    );
    let now = shared.now();
    let mut kept = shared.kept();
    if kept.outcome(&tx_id).is_none() {
        kept.note(&tx_id, Outcome::Open, now);
    }
    let visit = Visit {
        tx_id,
        resources,
        return_url,
        pid,
        touched: now,
        verified: false,
        decided: None,
    };
    kept.visits.insert(session, visit);
    drop(kept);
    page(StatusCode::OK, WHO, "驗證身分", &body)
}

/// Does something with the visit of a form while nobody else does; or gives the answer that it is not open any more.
fn with_visit<T>(
    shared: &Shared,
    form: &HashMap<String, String>,
    act: impl FnOnce(Uuid, &mut Visit) -> T,
) -> Result<T, Box<Response>> {
    let id = form
        .get("session")
        .and_then(|text| Uuid::parse_str(text).ok())
        .unwrap_or_default();
    let now = shared.now();
    let mut kept = shared.kept();
    let Some(visit) = kept.visits.get_mut(&id) else {
        return Err(Box::new(page(
            StatusCode::NOT_FOUND,
            WHO,
            "找不到這次的申請",
            "<p>請回到市府網站重新開始。</p>",
        )));
    };
    if visit.is_idle(now) {
        let answer = back(shared, &visit.return_url, 408, &visit.tx_id);
        kept.visits.remove(&id);
        return Err(Box::new(answer));
    }
    visit.touched = now;
    Ok(act(id, visit))
}

pub async fn verify(State(shared): App, Form(form): Form<HashMap<String, String>>) -> Response {
    let typed = form
        .get("pid")
        .map(|text| text.trim().to_uppercase())
        .unwrap_or_default();
    let found = with_visit(&shared, &form, |id, visit| {
        visit.verified = typed == visit.pid;
        (id, visit.clone())
    });
    let (id, visit) = match found {
        Ok(found) => found,
        Err(answer) => return *answer,
    };
    if !visit.verified {
        let mut kept = shared.kept();
        kept.visits.remove(&id);
        kept.note(&visit.tx_id, Outcome::OtherPerson, shared.now());
        return back(&shared, &visit.return_url, 409, &visit.tx_id);
    }
    consent_page(&shared, id, &visit)
}

/// What the city asks for, and the two answers.
pub fn consent_page(shared: &Shared, id: Uuid, visit: &Visit) -> Response {
    let mut body = String::from(
        "<p>市府要取得下列資料，只用這一次：</p><p lang=\"en\">The city asks for these data sets, for one use:</p><ul>",
    );
    for id in &visit.resources {
        if let Some(resource) = shared.resource(id) {
            let _ = write!(
                body,
                "<li>{}（{}）</li>",
                escape(&resource.title),
                escape(&resource.agency)
            );
        }
    }
    let _ = write!(
        body,
        "</ul><form method=\"post\" action=\"/consent\"><input type=\"hidden\" name=\"session\" value=\"{id}\">\
         <button name=\"answer\" value=\"agree\">同意傳送 Agree</button> <button class=\"second\" name=\"answer\" value=\"refuse\">不同意 Refuse</button></form>"
    );
    page(StatusCode::OK, WHO, "同意傳送資料", &body)
}

/// The citizen's answer. However often it is pressed, the first one counts, the city is notified once, and every press goes
/// back with the same code.
pub async fn consent(State(shared): App, Form(form): Form<HashMap<String, String>>) -> Response {
    let is_agreed = form.get("answer").map(String::as_str) == Some("agree");
    let found = with_visit(&shared, &form, |_, visit| {
        let first = (visit.verified && visit.decided.is_none()).then(|| {
            let (tell, told) = watch::channel(None);
            visit.decided = Some(told);
            tell
        });
        (first, visit.clone())
    });
    let (first, visit) = match found {
        Ok(found) => found,
        Err(answer) => return *answer,
    };
    let Some(mut decided) = visit.decided.clone() else {
        return page(
            StatusCode::FORBIDDEN,
            WHO,
            "還沒有驗證身分",
            "<p>請回到市府網站重新開始。</p>",
        );
    };
    if let Some(tell) = first {
        let (shared, visit) = (Arc::clone(&shared), visit.clone());
        // a task of its own: a browser that clicks twice hangs up on the first request
        tokio::spawn(async move {
            let code = if is_agreed {
                deliver(&shared, &visit).await
            } else {
                shared.kept().note(&visit.tx_id, Outcome::Code("205"), shared.now());
                205
            };
            let _ = tell.send(Some(code));
        });
    }
    let code = decided.wait_for(Option::is_some).await.ok().and_then(|code| *code);
    back(&shared, &visit.return_url, code.unwrap_or(504), &visit.tx_id)
}
