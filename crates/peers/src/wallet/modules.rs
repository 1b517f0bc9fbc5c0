//! The modules of 數位發展部, as far as a city's system calls them.

use super::Shared;
use super::issuer::{CardFaults, NewCard};
use crate::call;
use axum::Json;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};
use std::collections::HashMap;
use std::sync::{Arc, PoisonError};
use uuid::Uuid;

const PICTURE: &str = "data:image/png;base64,iVBORw0KGgo=";

#[derive(Default)]
pub struct Kept {
    offers: HashMap<String, Value>,
    cards: Vec<Card>,
    asked: HashMap<String, Option<Value>>,
}

struct Card {
    cid: String,
    template: String,
    tag: String,
    transaction: String,
    text: String,
    status: i64,
}

type App = State<Arc<Shared>>;

fn refuse(code: i64) -> Response {
    (
        StatusCode::BAD_REQUEST,
        Json(json!({ "code": code.to_string(), "message": "refused" })),
    )
        .into_response()
}

fn is_known(shared: &Shared, headers: &HeaderMap) -> bool {
    headers
        .get("access-token")
        .is_some_and(|token| token.as_bytes() == shared.config.access_token.as_bytes())
}

fn kept(shared: &Shared) -> std::sync::MutexGuard<'_, Kept> {
    shared.modules.lock().unwrap_or_else(PoisonError::into_inner)
}

fn text(value: &Value, name: &str) -> String {
    value.get(name).and_then(Value::as_str).unwrap_or_default().to_owned()
}

pub async fn offer(State(shared): App, headers: HeaderMap, Json(body): Json<Value>) -> Response {
    if !is_known(&shared, &headers) {
        return StatusCode::UNAUTHORIZED.into_response();
    }
    let fields = body.get("fields").and_then(Value::as_array);
    if fields.is_none_or(Vec::is_empty) {
        return refuse(11_001);
    }
    if text(&body, "vcUid") != "resident_card" {
        return refuse(10_108);
    }
    let transaction = Uuid::new_v4().to_string();
    kept(&shared).offers.insert(transaction.clone(), body);
    let link = format!(
        "modadigitalwallet://credential_offer?credential_offer_uri={}/offer/{transaction}",
        shared.address
    );
    Json(json!({ "transactionId": transaction, "qrCode": PICTURE, "deepLink": link })).into_response()
}

/// The person scans the offer.
pub fn scan(shared: &Shared, transaction: &str) -> bool {
    let Some(body) = kept(shared).offers.remove(transaction) else {
        return false;
    };
    let fields = body.get("fields").and_then(Value::as_array);
    let card = NewCard {
        credential_type: text(&body, "vcUid"),
        claims: fields
            .into_iter()
            .flatten()
            .map(|field| (text(field, "ename"), text(field, "content")))
            .collect(),
        index: 7,
        times: (-60, 86_400),
    };
    let Some(made) = shared
        .issuer
        .make(&shared.phone, &card, &CardFaults::default(), shared.config.terms.now())
    else {
        return false;
    };
    let claims = made.split('~').next().and_then(super::jose::peek);
    let name = claims.as_ref().map(|claims| text(claims, "jti")).unwrap_or_default();
    let cid = name.rsplit('/').next().unwrap_or_default().to_owned();
    shared.phone.put(made.clone());
    let mut kept = kept(shared);
    let replaced: Vec<String> = body
        .get("cids")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(|cid| cid.as_str().map(str::to_owned))
        .collect();
    for old in kept.cards.iter_mut().filter(|old| replaced.contains(&old.cid)) {
        old.status = 2;
    }
    kept.cards.push(Card {
        cid,
        template: card.credential_type,
        tag: text(&body, "dataTag"),
        transaction: transaction.to_owned(),
        text: made,
        status: 0,
    });
    true
}

pub async fn fetched(State(shared): App, headers: HeaderMap, Path(transaction): Path<String>) -> Response {
    if !is_known(&shared, &headers) {
        return StatusCode::UNAUTHORIZED.into_response();
    }
    let kept = kept(&shared);
    match kept.cards.iter().find(|card| card.transaction == transaction) {
        Some(card) => Json(json!({ "credential": card.text })).into_response(),
        None if kept.offers.contains_key(&transaction) => refuse(61_010),
        None => refuse(61_006),
    }
}

fn listed<'a>(cards: impl Iterator<Item = &'a Card>, page: usize, size: usize) -> Response {
    let list: Vec<Value> = cards
        .skip(page.saturating_mul(size))
        .take(size)
        .map(|card| {
            json!({
                "cid": card.cid, "vcUid": card.template, "dataTag": card.tag, "issuanceDate": "20260101",
                "expirationDate": "20270101", "credentialStatus": card.status,
            })
        })
        .collect();
    Json(json!({ "vcList": list })).into_response()
}

pub async fn by_tag(
    State(shared): App,
    headers: HeaderMap,
    Path(tag): Path<String>,
    Query(query): Query<HashMap<String, usize>>,
) -> Response {
    if !is_known(&shared, &headers) {
        return StatusCode::UNAUTHORIZED.into_response();
    }
    let get = |name: &str, other| query.get(name).copied().unwrap_or(other);
    listed(
        kept(&shared).cards.iter().filter(|card| card.tag == tag),
        get("page", 0),
        get("size", 10),
    )
}

pub async fn cards(State(shared): App, headers: HeaderMap, Json(body): Json<Value>) -> Response {
    if !is_known(&shared, &headers) {
        return StatusCode::UNAUTHORIZED.into_response();
    }
    let (template, status) = (
        body.get("vcUid").and_then(Value::as_str),
        body.get("credentialStatus").and_then(Value::as_i64),
    );
    let number = |name: &str, other: u64| {
        let number = body.get(name).and_then(Value::as_u64).unwrap_or(other);
        usize::try_from(number).unwrap_or_default()
    };
    let kept = kept(&shared);
    let found = kept.cards.iter().filter(|card| {
        template.is_none_or(|template| card.template == template) && status.is_none_or(|status| card.status == status)
    });
    listed(found, number("page", 0), number("size", 10))
}

/// Does an action; the new status, or the module's code.
fn change(kept: &mut Kept, cid: &str, action: &str) -> Result<&'static str, i64> {
    let card = kept.cards.iter_mut().find(|card| card.cid == cid).ok_or(61_006_i64)?;
    let (status, word) = match (action, card.status) {
        (_, 2) => return Err(30_203),
        ("revocation", _) => (2, "REVOKED"),
        ("suspension", 0) => (1, "SUSPENDED"),
        ("recovery", 1) => (0, "ACTIVE"),
        _ => return Err(30_204),
    };
    card.status = status;
    Ok(word)
}

pub async fn act(State(shared): App, headers: HeaderMap, Path((cid, action)): Path<(String, String)>) -> Response {
    if !is_known(&shared, &headers) {
        return StatusCode::UNAUTHORIZED.into_response();
    }
    match change(&mut kept(&shared), &cid, &action) {
        Ok(word) => Json(json!({ "credentialStatus": word })).into_response(),
        Err(code) => refuse(code),
    }
}

pub async fn act_on_all(State(shared): App, headers: HeaderMap, Json(body): Json<Value>) -> Response {
    if !is_known(&shared, &headers) {
        return StatusCode::UNAUTHORIZED.into_response();
    }
    let (mut done, mut failed) = (Vec::new(), Vec::new());
    let mut kept = kept(&shared);
    let cids = body.get("cids").and_then(Value::as_array);
    for cid in cids.into_iter().flatten().filter_map(Value::as_str) {
        match change(&mut kept, cid, &text(&body, "action")) {
            Ok(_) => done.push(cid),
            Err(code) => failed.push(json!({ "code": code.to_string(), "message": "refused", "cids": [cid] })),
        }
    }
    Json(json!({ "success": done, "fail": failed })).into_response()
}

pub async fn begin(State(shared): App, headers: HeaderMap, Query(query): Query<HashMap<String, String>>) -> Response {
    if !is_known(&shared, &headers) {
        return StatusCode::UNAUTHORIZED.into_response();
    }
    let get = |name: &str| query.get(name).map(String::as_str).unwrap_or_default();
    let transaction = get("transactionId").to_owned();
    let mut kept = kept(&shared);
    if get("ref").is_empty()
        || transaction.is_empty()
        || transaction.len() > 50
        || kept.asked.contains_key(&transaction)
    {
        return refuse(4001);
    }
    kept.asked.insert(transaction.clone(), None);
    let link = format!(
        "modadigitalwallet://authorize?request_uri={}/request/{transaction}",
        shared.address
    );
    Json(json!({ "transactionId": transaction, "qrcodeImage": PICTURE, "authUri": link })).into_response()
}

pub async fn result(State(shared): App, headers: HeaderMap, Json(body): Json<Value>) -> Response {
    if !is_known(&shared, &headers) {
        return StatusCode::UNAUTHORIZED.into_response();
    }
    match kept(&shared).asked.get(&text(&body, "transactionId")) {
        Some(Some(result)) => Json(result.clone()).into_response(),
        _ => refuse(4002),
    }
}

/// The person shows a card to the module; the city is called back.
pub async fn shown(shared: &Shared, transaction: &str, claims: &[(&str, &str)], is_good: bool) -> Option<u16> {
    let claims: Vec<Value> = claims
        .iter()
        .map(|(name, value)| json!({ "ename": name, "cname": name, "value": value }))
        .collect();
    let result = json!({
        "verifyResult": is_good, "resultDescription": if is_good { "success" } else { "the card was revoked" },
        "holder_did": shared.phone.did(), "transactionId": transaction,
        "data": [{ "credentialType": "resident_card", "claims": claims }],
    });
    kept(shared).asked.insert(transaction.to_owned(), Some(result.clone()));
    let url = shared.config.callback_url.as_ref()?;
    let headers = [("Content-Type", "application/json")];
    let answer = call::send("POST", url, &headers, result.to_string().as_bytes()).await?;
    Some(answer.status)
}
