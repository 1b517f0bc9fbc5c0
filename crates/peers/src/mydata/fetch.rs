//! What the city calls: the one-time fetch and the optional checks. Parameters are headers.

use super::{Shared, TICKET, cipher, now};
use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};
use std::sync::{Arc, PoisonError};
use uuid::Uuid;

type App = State<Arc<Shared>>;

fn value<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}

pub async fn data(State(shared): App, headers: HeaderMap) -> Response {
    let Some(ticket) = value(&headers, "permission_ticket") else {
        return StatusCode::BAD_REQUEST.into_response();
    };
    let mut tickets = shared.tickets();
    let found = Uuid::parse_str(ticket).ok().and_then(|id| tickets.get_mut(&id));
    let Some(ticket) = found.filter(|ticket| value(&headers, "tx_id").is_none_or(|tx_id| tx_id == ticket.tx_id)) else {
        return StatusCode::FORBIDDEN.into_response();
    };
    if ticket.answered.is_none() {
        // the city may ask before its own answer has come back to us
        return (StatusCode::TOO_MANY_REQUESTS, [(header::RETRY_AFTER, "1")]).into_response();
    }
    if now() - ticket.made > TICKET || ticket.answered != Some(200) {
        return StatusCode::FORBIDDEN.into_response();
    }
    if ticket.taken {
        return StatusCode::CREATED.into_response();
    }
    if ticket.failed {
        return StatusCode::GATEWAY_TIMEOUT.into_response();
    }
    let left = ticket.ready - now();
    if left > 0 {
        return (StatusCode::TOO_MANY_REQUESTS, [(header::RETRY_AFTER, left.to_string())]).into_response();
    }
    let Some(package) = ticket.package.take() else {
        return StatusCode::CREATED.into_response();
    };
    ticket.taken = true;
    let tx_id = ticket.tx_id.clone();
    drop(tickets);
    shared.note(&tx_id, "201");
    ([(header::CONTENT_TYPE, "application/jwe; charset=UTF-8")], package).into_response()
}

pub async fn uid_valid(State(shared): App, headers: HeaderMap) -> Response {
    let (Some(ticket), Some(uid)) = (value(&headers, "permission_ticket"), value(&headers, "uid")) else {
        return StatusCode::FORBIDDEN.into_response();
    };
    let tickets = shared.tickets();
    let Some(ticket) = Uuid::parse_str(ticket).ok().and_then(|id| tickets.get(&id)) else {
        return Json(json!({ "code": false })).into_response();
    };
    match cipher::open_uid(&ticket.key, uid) {
        Some(id) => Json(json!({ "code": id == ticket.national_id && now() - ticket.made <= TICKET })).into_response(),
        None => StatusCode::FORBIDDEN.into_response(),
    }
}

pub async fn type_valid(State(shared): App, headers: HeaderMap) -> Response {
    let known =
        value(&headers, "tx_id").is_some_and(|tx_id| shared.tickets().values().any(|ticket| ticket.tx_id == tx_id));
    if known {
        Json(json!({ "verification": "NHI" })).into_response()
    } else {
        StatusCode::FORBIDDEN.into_response()
    }
}

pub async fn txid_status(State(shared): App, headers: HeaderMap) -> Response {
    let tx_id = value(&headers, "tx_id").unwrap_or_default();
    let statuses = shared.statuses.lock().unwrap_or_else(PoisonError::into_inner);
    match statuses.get(tx_id) {
        Some(code) => Json(json!({ "code": code, "text": text(code) })).into_response(),
        None => StatusCode::FORBIDDEN.into_response(),
    }
}

fn text(code: &str) -> &'static str {
    match code {
        "200" => "資料已備妥",
        "201" => "服務提供者已取走資料",
        "205" => "民眾不同意傳送",
        "403" => "部分資料集無法提供",
        "410" => "通知服務提供者失敗",
        _ => "處理中",
    }
}

pub async fn find_all(State(shared): App) -> Json<Vec<Value>> {
    let list = shared.resources.iter().map(|resource| {
        json!({ "resource_id": resource.id, "dep": resource.agency, "name": resource.title, "link": "", "cate": "", "status": "01" })
    });
    Json(list.collect())
}
