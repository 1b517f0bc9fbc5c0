//! The authority's side of the calls.

use super::checksum::{hex, make};
use super::{Asked, Shared};
use crate::authority::Authority;
use crate::base64url;
use axum::Json;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use openssl::base64::encode_block;
use openssl::hash::MessageDigest;
use serde_json::{Value, json};
use std::sync::{Arc, PoisonError};
use uuid::Uuid;

pub type App = State<Arc<Shared>>;

fn text<'a>(body: &'a Value, name: &str) -> &'a str {
    body.get(name).and_then(Value::as_str).unwrap_or_default()
}

fn refuse(interface: &str, code: &str) -> Response {
    Json(json!({ "error_code": format!("{interface}-{code}"), "error_message": code })).into_response()
}

pub fn hashed(shared: &Shared, id: &str) -> String {
    hex(&openssl::sha::sha256(
        format!("{}:{id}", shared.facts.sp_service_id).as_bytes(),
    ))
}

fn answer(shared: &Shared, mut result: Value, joined: &str) -> Response {
    let faults = shared.faults();
    let joined = if faults.wrong_checksum {
        "something else"
    } else {
        joined
    };
    let Ok(checksum) = make(&shared.key, joined) else {
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    };
    if let Some(result) = result.as_object_mut() {
        result.insert("idp_checksum".to_owned(), Value::String(checksum));
    }
    let body = json!({ "error_code": "0", "error_message": "SUCCESS", "result": result }).to_string();
    let body = if faults.truncated {
        body.get(..body.len() / 2).unwrap_or_default().to_owned()
    } else {
        body
    };
    ([(header::CONTENT_TYPE, "application/json")], body).into_response()
}

/// Whether the city's checksum is one over these values.
fn is_known(shared: &Shared, body: &Value, values: &[&str]) -> bool {
    text(body, "sp_service_id") == shared.facts.sp_service_id
        && make(&shared.key, &values.concat()).is_ok_and(|made| {
            let given = text(body, "sp_checksum");
            given.len() == made.len() && openssl::memcmp::eq(given.as_bytes(), made.as_bytes())
        })
}

/// A transaction may be used once.
fn is_new(shared: &Shared, transaction: &str) -> bool {
    let mut seen = shared.transactions.lock().unwrap_or_else(PoisonError::into_inner);
    let is_new = !transaction.is_empty() && transaction.len() <= 100 && !seen.iter().any(|known| known == transaction);
    seen.push(transaction.to_owned());
    is_new
}

pub async fn ticket(State(shared): App, Json(body): Json<Value>) -> Response {
    let data = body
        .pointer("/sign_info/sign_data")
        .and_then(Value::as_str)
        .unwrap_or_default();
    let values = [
        "transaction_id",
        "sp_service_id",
        "id_num",
        "op_code",
        "op_mode",
        "hint",
    ]
    .map(|name| text(&body, name));
    let is_fine = is_known(&shared, &body, &[&values[..], &[data]].concat());
    begin(&shared, "SP-API-ATH-01", &body, is_fine, vec![data.to_owned()])
}

pub async fn push(State(shared): App, Json(body): Json<Value>) -> Response {
    let data = body
        .pointer("/sign_info/sign_data")
        .and_then(Value::as_str)
        .unwrap_or_default();
    let names = [
        "transaction_id",
        "sp_service_id",
        "id_num",
        "device_user_def_desc",
        "op_code",
        "hint",
    ];
    let values = names.map(|name| text(&body, name));
    let is_fine = is_known(&shared, &body, &[&values[..], &[data]].concat());
    if !matches!(text(&body, "device_user_def_desc"), "" | "my phone") {
        return refuse("SP-API-ATH-03", "DEV_DESC_MISMATCH");
    }
    begin(&shared, "SP-API-ATH-03", &body, is_fine, vec![data.to_owned()])
}

pub async fn batch(State(shared): App, Json(body): Json<Value>) -> Response {
    let values = [
        "transaction_id",
        "sp_service_id",
        "id_num",
        "op_code",
        "op_mode",
        "hint",
    ]
    .map(|name| text(&body, name));
    let is_fine = is_known(&shared, &body, &values);
    let texts = body.pointer("/sign_info/sign_data_set").and_then(Value::as_array);
    let texts = texts
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .map(str::to_owned)
        .collect();
    begin(&shared, "SP-API-ATH-04", &body, is_fine, texts)
}

fn begin(shared: &Shared, interface: &str, body: &Value, is_fine: bool, texts: Vec<String>) -> Response {
    let faults = shared.faults();
    let (transaction, id) = (text(body, "transaction_id"), text(body, "id_num"));
    if faults.strange_code {
        return refuse(interface, "NEVER_HEARD_OF");
    }
    if !is_fine {
        return refuse(interface, "INV_SP_CHECKSUM");
    }
    if !is_new(shared, transaction) {
        return refuse(interface, "TXNLOG_INS_ERR");
    }
    if id.len() != 10 {
        return refuse(interface, "PM_IDN_FT_ERR");
    }
    if faults.not_enrolled || shared.population.find(id).is_none() {
        return refuse(interface, "IDNUM_USERPROF_NF");
    }
    let Some(seconds) = text(body, "time_limit")
        .parse::<i64>()
        .ok()
        .filter(|limit| (30..=600).contains(limit))
    else {
        return refuse(interface, "SPTKT_TIME_ORV");
    };
    if texts.iter().any(|text| text.chars().count() > 1024) {
        return refuse(interface, "SIGNDATA_LEN_LIMIT");
    }
    let ticket_id = Uuid::new_v4().to_string();
    let op_code = text(body, "op_code");
    let until = shared.terms.now() + seconds;
    let content = json!({
        "transaction_id": transaction, "op_code": op_code, "op_mode": text(body, "op_mode"),
        "sp_service_id": shared.facts.sp_service_id, "sp_ticket_id": ticket_id, "sp_name": "示範市府",
        "hint": text(body, "hint"), "expiration_time": until.to_string(), "hashed_id_num": hashed(shared, id), "version": "2.9",
    });
    let first = base64url::encode(content.to_string().as_bytes());
    let digest = if faults.altered_ticket {
        openssl::sha::sha256(b"another")
    } else {
        openssl::sha::sha256(first.as_bytes())
    };
    let ticket = format!("{first}.{}", base64url::encode(&digest));
    let info = |name: &str| {
        let value = body.pointer(&format!("/sign_info/{name}")).and_then(Value::as_str);
        value.unwrap_or_default().to_owned()
    };
    let asked = Asked {
        transaction: transaction.to_owned(),
        id: id.to_owned(),
        op_code: op_code.to_owned(),
        hint: text(body, "hint").to_owned(),
        texts,
        sign_type: info("sign_type"),
        hash: info("hash_algorithm"),
        until,
        answer: None,
        is_read: false,
        is_web: false,
    };
    shared.asked().insert(ticket_id, asked);
    let joined = format!("{transaction}0{ticket}");
    answer(shared, json!({ "sp_ticket": ticket }), &joined)
}

pub async fn result(State(shared): App, Json(body): Json<Value>) -> Response {
    const INTERFACE: &str = "SP-API-ATH-02";
    let values = ["transaction_id", "sp_service_id", "sp_ticket_id"].map(|name| text(&body, name));
    if !is_known(&shared, &body, &values) {
        return refuse(INTERFACE, "INV_SP_CHECKSUM");
    }
    let faults = shared.faults();
    let mut all = shared.asked();
    let Some(asked) = all.get_mut(text(&body, "sp_ticket_id")) else {
        return refuse(INTERFACE, "SPTKTID_SPTKT_NF");
    };
    if asked.transaction != text(&body, "transaction_id") {
        return refuse(INTERFACE, "SPTKTID_SPTKT_NF");
    }
    if asked.is_read {
        return refuse(INTERFACE, "SPTKTID_SPTKT_RDM");
    }
    if faults.expired || shared.terms.now() > asked.until {
        return refuse(INTERFACE, "SPTKT_OVD");
    }
    match asked.answer {
        None => return refuse(INTERFACE, "SPTKTID_TXNLOG_NF"),
        Some(false) => return refuse(INTERFACE, "APP_USER_CANCEL"),
        Some(true) => asked.is_read = true,
    }
    let asked = asked.clone();
    drop(all);
    let Some((mut signatures, certificate)) = sign(&shared, &asked) else {
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    };
    let other = if faults.other_person {
        "Z999999999"
    } else {
        asked.id.as_str()
    };
    let hashed = hashed(&shared, other);
    let (response, set) = match asked.op_code.as_str() {
        "BATSIGN" => (String::new(), Some(signatures)),
        _ => (signatures.pop().unwrap_or_default(), None),
    };
    let joined = format!("{}0{hashed}{response}", asked.transaction);
    let mut result = json!({ "hashed_id_num": hashed, "signed_response": response, "cert": certificate });
    if let (Some(set), Some(result)) = (set, result.as_object_mut()) {
        result.insert("signed_response_set".to_owned(), json!(set));
        result.remove("signed_response");
    }
    answer(&shared, result, &joined)
}

/// The signatures of a confirmed request, and the certificate, in Base64.
pub fn sign(shared: &Shared, asked: &Asked) -> Option<(Vec<String>, String)> {
    let account = shared.population.find(&asked.id)?;
    let card = shared.authority.card(&account).ok()?;
    let digest = match asked.hash.as_str() {
        "SHA512" => MessageDigest::sha512(),
        "SHA384" => MessageDigest::sha384(),
        _ => MessageDigest::sha256(),
    };
    let is_wrong = shared.faults().wrong_signature;
    let signatures = asked
        .texts
        .iter()
        .map(|text| {
            let content = if is_wrong { "another text" } else { text.as_str() };
            let made = match asked.sign_type.as_str() {
                "PKCS#7" => shared.authority.pkcs7(&card, content.as_bytes()),
                _ => Authority::pkcs1(&card, digest, content.as_bytes()),
            };
            made.ok().map(|bytes| encode_block(&bytes))
        })
        .collect::<Option<Vec<_>>>()?;
    // the chain: the phone's certificate and the authority's
    let pem = String::from_utf8(card.certificate.to_pem().ok()?).ok()?;
    Some((signatures, format!("{pem}{}", shared.authority.authority_pem())))
}

pub async fn device(State(shared): App, Json(body): Json<Value>) -> Response {
    let values = ["transaction_id", "sp_service_id", "id_num"].map(|name| text(&body, name));
    if !is_known(&shared, &body, &values) {
        return refuse("SP-API-LF-01", "INV_SP_CHECKSUM");
    }
    let is_enrolled = !shared.faults().not_enrolled && shared.population.find(values[2]).is_some();
    let state = if is_enrolled { "Y" } else { "N" };
    let joined = format!("{}0{state}{state}", values[0]);
    answer(&shared, json!({ "is_fido": state, "is_mcert_sign": state }), &joined)
}
