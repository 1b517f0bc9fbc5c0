//! The citizen's pages: arrival, verification, consent, and the way back with a code.

use super::{IDLE, Shared, Ticket, Visit, cipher, notify, now, package};
use crate::html::{escape, page};
use axum::extract::{Form, Path, Query, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use openssl::base64::decode_block;
use serde_json::json;
use std::collections::HashMap;
use std::fmt::Write;
use std::sync::Arc;
use uuid::Uuid;

const WHO: &str = "示範個人化資料自主運用平臺 Demonstration MyData";

type App = State<Arc<Shared>>;

/// The browser goes back: the code, and the transaction sealed, before whatever query the address had.
fn back(shared: &Shared, return_url: &str, code: u16, tx_id: &str) -> Response {
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
    let base = return_url.split('?').next().unwrap_or_default();
    if !base.eq_ignore_ascii_case(shared.return_url.as_str()) {
        return back(&shared, shared.return_url.as_str(), 404, &tx_id);
    }
    if client_id != shared.facts.client_id {
        // without a service there is no key to seal with: only here the transaction goes back in plain text
        return back_with(return_url, 401, &tx_id);
    }
    if Uuid::parse_str(&tx_id).is_err() {
        return back(&shared, return_url, 401, &tx_id);
    }
    let listed = decode_block(&resources.replace(' ', "+"))
        .ok()
        .and_then(|bytes| String::from_utf8(bytes).ok());
    let Some(listed) = listed else {
        return back(&shared, return_url, 400, &tx_id);
    };
    let resources: Vec<String> = listed.split(':').map(str::to_owned).collect();
    if (1..resources.len()).any(|at| {
        resources
            .get(..at)
            .is_some_and(|before| resources.get(at).is_some_and(|id| before.contains(id)))
    }) {
        return back(&shared, return_url, 400, &tx_id);
    }
    if resources.iter().any(|id| shared.resource(id).is_none()) {
        return back(&shared, return_url, 401, &tx_id);
    }
    let Some(pid) = query.get("pid").and_then(|pid| cipher::open(&shared.facts, pid)) else {
        return back(&shared, return_url, 400, &tx_id);
    };
    let session = Uuid::new_v4();
    let visit = Visit {
        tx_id,
        resources,
        return_url: return_url.clone(),
        pid: pid.clone(),
        touched: now(),
        verified: false,
    };
    let mut visits = shared.visits();
    visits.retain(|_, visit| now() - visit.touched < 3600);
    visits.insert(session, visit);
    drop(visits);
    let body = format!(
        "<p>這裡代替 MyData 的身分驗證（自然人憑證、健保卡、TW FidO）。您是從市府網站來的，請以同一個人驗證。</p>\
         <p lang=\"en\">This stands in for the verification at MyData.</p><form method=\"post\" action=\"/verify\">\
         <input type=\"hidden\" name=\"session\" value=\"{session}\"><p><label for=\"pid\">統一編號 National id</label><br>\
         <input type=\"text\" id=\"pid\" name=\"pid\" maxlength=\"10\" autocomplete=\"off\" value=\"{}\"></p><button>驗證身分 Verify</button></form>",
        escape(&pid)
    );
    page(StatusCode::OK, WHO, "驗證身分", &body)
}

/// The visit of a form, if it is still open; or the answer that it is not.
fn visit(shared: &Shared, form: &HashMap<String, String>) -> Result<(Uuid, Visit), Box<Response>> {
    let id = form
        .get("session")
        .and_then(|text| Uuid::parse_str(text).ok())
        .unwrap_or_default();
    let mut visits = shared.visits();
    let Some(visit) = visits.get_mut(&id) else {
        return Err(Box::new(page(
            StatusCode::NOT_FOUND,
            WHO,
            "找不到這次的申請",
            "<p>請回到市府網站重新開始。</p>",
        )));
    };
    if now() - visit.touched > IDLE {
        let visit = visit.clone();
        visits.remove(&id);
        return Err(Box::new(back(shared, &visit.return_url, 408, &visit.tx_id)));
    }
    visit.touched = now();
    Ok((id, visit.clone()))
}

pub async fn verify(State(shared): App, Form(form): Form<HashMap<String, String>>) -> Response {
    let (id, visit) = match visit(&shared, &form) {
        Ok(found) => found,
        Err(answer) => return *answer,
    };
    let typed = form
        .get("pid")
        .map(|text| text.trim().to_uppercase())
        .unwrap_or_default();
    if typed != visit.pid {
        shared.visits().remove(&id);
        return back(&shared, &visit.return_url, 409, &visit.tx_id);
    }
    if let Some(visit) = shared.visits().get_mut(&id) {
        visit.verified = true;
    }
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

pub async fn consent(State(shared): App, Form(form): Form<HashMap<String, String>>) -> Response {
    let (id, visit) = match visit(&shared, &form) {
        Ok(found) => found,
        Err(answer) => return *answer,
    };
    if !visit.verified {
        return page(
            StatusCode::FORBIDDEN,
            WHO,
            "還沒有驗證身分",
            "<p>請回到市府網站重新開始。</p>",
        );
    }
    shared.visits().remove(&id);
    if form.get("answer").map(String::as_str) != Some("agree") {
        shared.note(&visit.tx_id, "205");
        return back(&shared, &visit.return_url, 205, &visit.tx_id);
    }
    let code = deliver(&shared, &visit).await;
    back(&shared, &visit.return_url, code, &visit.tx_id)
}

/// Makes the package, notifies the city, and says which code the browser goes back with.
async fn deliver(shared: &Shared, visit: &Visit) -> u16 {
    let faults = shared.faults.now();
    let Some((zip, failed)) = package::make(shared, &visit.pid, &visit.resources, &faults).await else {
        return 504;
    };
    let key = Uuid::new_v4().simple().to_string();
    let sealing = if faults.wrong_key {
        Uuid::new_v4().simple().to_string()
    } else {
        key.clone()
    };
    let Some(envelope) = cipher::envelope(&shared.facts.client_id, &sealing, &zip) else {
        return 504;
    };
    let is_slow = visit
        .resources
        .iter()
        .any(|id| shared.resource(id).is_some_and(|resource| !resource.immediate));
    let ticket = Uuid::new_v4();
    let all_failed = failed.len() == visit.resources.len();
    shared.hold(
        ticket,
        Ticket {
            tx_id: visit.tx_id.clone(),
            national_id: visit.pid.clone(),
            key: key.clone(),
            package: Some(envelope),
            failed: all_failed,
            made: now(),
            ready: now() + if is_slow { shared.wait } else { 0 },
            answered: None,
            taken: false,
        },
    );
    let mut notice = json!({ "tx_id": visit.tx_id, "apiKey": shared.facts.api_key, "permission_ticket": ticket });
    if faults.forged {
        notice["apiKey"] = json!("another-key-than-registered");
    }
    if failed.is_empty() {
        notice["secret_key"] = json!(cipher::seal(&shared.facts, &key));
    } else {
        notice["unable_to_deliver"] = json!(failed);
    }
    let answered = notify::post(&shared.notify_url, &notice).await.unwrap_or(0);
    if let Some(ticket) = shared.tickets().get_mut(&ticket) {
        ticket.answered = Some(answered);
    }
    if faults.replayed {
        notice["permission_ticket"] = json!(Uuid::new_v4());
        notify::post(&shared.notify_url, &notice).await;
    }
    match answered {
        200 | 201 => {
            shared.note(&visit.tx_id, if failed.is_empty() { "200" } else { "403" });
            200
        }
        _ => {
            shared.note(&visit.tx_id, "410");
            410
        }
    }
}
