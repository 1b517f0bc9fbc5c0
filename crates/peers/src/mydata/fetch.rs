//! What the city calls: the one-time fetch and the optional checks. Parameters are headers.

use super::kept::Outcome;
use super::{Shared, cipher};
use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};
use std::sync::Arc;
use uuid::Uuid;

type App = State<Arc<Shared>>;

/// Bytes of an envelope that is too large.
const OVERSIZE: usize = 8 << 20;

fn value<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}

/// The list of callers is looked at before anything else.
fn is_unlisted(shared: &Shared) -> bool {
    shared.faults.now().unlisted
}

fn not_ready(seconds: i64) -> Response {
    (
        StatusCode::TOO_MANY_REQUESTS,
        [(header::RETRY_AFTER, seconds.to_string())],
    )
        .into_response()
}

pub async fn data(State(shared): App, headers: HeaderMap) -> Response {
    let faults = shared.faults.now();
    if faults.unlisted {
        return StatusCode::UNAUTHORIZED.into_response();
    }
    let Some(ticket) = value(&headers, "permission_ticket") else {
        return StatusCode::BAD_REQUEST.into_response();
    };
    let now = shared.now();
    let mut kept = shared.kept();
    let found = Uuid::parse_str(ticket)
        .ok()
        .and_then(|id| kept.tickets.get_mut(&id))
        .filter(|ticket| value(&headers, "tx_id").is_none_or(|tx_id| tx_id == ticket.tx_id));
    let Some(ticket) = found else {
        return StatusCode::FORBIDDEN.into_response();
    };
    match ticket.answered {
        // the city may ask before its own answer has come back to us
        None => return not_ready(shared.retry),
        Some(200) => {}
        Some(_) => return StatusCode::FORBIDDEN.into_response(),
    }
    if faults.gone {
        return StatusCode::FORBIDDEN.into_response();
    }
    if ticket.taken || faults.taken {
        return StatusCode::CREATED.into_response();
    }
    if ticket.failed {
        return StatusCode::GATEWAY_TIMEOUT.into_response();
    }
    if ticket.ready > now {
        return not_ready(ticket.ready.saturating_sub(now).saturating_add(shared.retry));
    }
    let Some(package) = ticket.package.take() else {
        return StatusCode::CREATED.into_response();
    };
    ticket.taken = true;
    let tx_id = ticket.tx_id.clone();
    kept.note(&tx_id, Outcome::Code("201"), now);
    drop(kept);
    let package = if faults.oversize { vec![b'A'; OVERSIZE] } else { package };
    ([(header::CONTENT_TYPE, "application/jwe; charset=UTF-8")], package).into_response()
}

pub async fn uid_valid(State(shared): App, headers: HeaderMap) -> Response {
    if is_unlisted(&shared) {
        return StatusCode::UNAUTHORIZED.into_response();
    }
    let (Some(ticket), Some(uid)) = (value(&headers, "permission_ticket"), value(&headers, "uid")) else {
        return StatusCode::FORBIDDEN.into_response();
    };
    let kept = shared.kept();
    let Some(ticket) = Uuid::parse_str(ticket).ok().and_then(|id| kept.tickets.get(&id)) else {
        return Json(json!({ "code": false })).into_response();
    };
    match cipher::open_uid(&ticket.key, uid) {
        Some(id) => Json(json!({ "code": id == ticket.national_id })).into_response(),
        None => StatusCode::FORBIDDEN.into_response(),
    }
}

pub async fn type_valid(State(shared): App, headers: HeaderMap) -> Response {
    if is_unlisted(&shared) {
        return StatusCode::UNAUTHORIZED.into_response();
    }
    let is_known = value(&headers, "tx_id").is_some_and(|tx_id| shared.kept().ticket_of(tx_id).is_some());
    if is_known {
        Json(json!({ "verification": "NHI" })).into_response()
    } else {
        StatusCode::FORBIDDEN.into_response()
    }
}

/// What became of a transaction. Of the page's two statuses without a stated meaning, 204 says here that the citizen is still
/// on the pages, and 409 that another person verified.
pub async fn txid_status(State(shared): App, headers: HeaderMap) -> Response {
    if is_unlisted(&shared) {
        return StatusCode::UNAUTHORIZED.into_response();
    }
    let tx_id = value(&headers, "tx_id").unwrap_or_default();
    let now = shared.now();
    let kept = shared.kept();
    match kept.outcome(tx_id) {
        None => StatusCode::FORBIDDEN.into_response(),
        Some(Outcome::Open) => StatusCode::NO_CONTENT.into_response(),
        Some(Outcome::OtherPerson) => StatusCode::CONFLICT.into_response(),
        Some(Outcome::Code(code)) => {
            let is_prepared = kept.ticket_of(tx_id).is_none_or(|ticket| ticket.ready <= now);
            let code = if code == "200" && !is_prepared { "429" } else { code };
            Json(json!({ "code": code, "text": text(code) })).into_response()
        }
    }
}

fn text(code: &str) -> &'static str {
    match code {
        "200" => "資料已備妥",
        "201" => "服務提供者已取走資料",
        "205" => "民眾不同意傳送",
        "400" => "參數格式錯誤",
        "403" => "部分資料集無法提供",
        "410" => "通知服務提供者失敗",
        "504" => "資料提供者系統異常",
        _ => "資料準備中",
    }
}

pub async fn find_all(State(shared): App) -> Json<Vec<Value>> {
    let faulty = shared.faults.now().faulty;
    let list = shared.resources.iter().map(|resource| {
        let status = if faulty.contains(&resource.id) { "00" } else { "01" };
        json!({ "resource_id": resource.id, "dep": resource.agency, "name": resource.title, "link": "", "cate": "", "status": status })
    });
    Json(list.collect())
}
