//! Flow B: a service provider's own page took the citizen's signature. A salt, the signed statement, then the consent page.

use super::kept::{Outcome, Visit};
use super::{Shared, cipher, pages};
use crate::keys;
use axum::Json;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use openssl::base64::decode_block;
use openssl::pkcs7::{Pkcs7, Pkcs7Flags};
use openssl::stack::Stack;
use openssl::x509::X509;
use openssl::x509::store::X509StoreBuilder;
use serde_json::{Value, json};
use std::collections::HashMap;
use std::sync::Arc;
use uuid::Uuid;

/// Life of a salt, seconds.
const SALT: i64 = 3600;
/// What the statement must hold.
const REQUIRED: [&str; 3] = ["salt", "pid", "birthday"];

type App = State<Arc<Shared>>;

/// A transaction of flow B.
pub struct Signing {
    salt: String,
    made: i64,
    /// The person, once the signature was taken.
    pid: Option<String>,
}

/// Transactions of flow B by `tx_id`.
pub type Signings = HashMap<String, Signing>;

/// `POST /service/spsignature/{client_id}`: a salt, or what was signed with it.
pub async fn sign(State(shared): App, Path(client_id): Path<String>, Json(body): Json<Value>) -> Response {
    if client_id != shared.facts.client_id {
        return StatusCode::FORBIDDEN.into_response();
    }
    let text = |name: &str| body.get(name).and_then(Value::as_str);
    let Some(tx_id) = text("tx_id").filter(|tx_id| Uuid::parse_str(tx_id).is_ok()) else {
        return StatusCode::BAD_REQUEST.into_response();
    };
    match (text("data"), text("pkcs7")) {
        (None, None) => salt(&shared, tx_id),
        (Some(data), Some(pkcs7)) => {
            let centre = (text("as_id"), text("verification_type"));
            match take(&shared, tx_id, data, pkcs7, centre) {
                Ok(()) => StatusCode::OK.into_response(),
                Err(status) => StatusCode::from_u16(status)
                    .unwrap_or(StatusCode::BAD_REQUEST)
                    .into_response(),
            }
        }
        _ => StatusCode::BAD_REQUEST.into_response(),
    }
}

fn salt(shared: &Shared, tx_id: &str) -> Response {
    let Ok(salt) = keys::random(32) else {
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    };
    let signing = Signing {
        salt: salt.clone(),
        made: shared.now(),
        pid: None,
    };
    shared.kept().signings.insert(tx_id.to_owned(), signing);
    Json(json!({ "tx_id": tx_id, "salt": salt })).into_response()
}

/// Checks the statement and its signature.
fn take(
    shared: &Shared,
    tx_id: &str,
    data: &str,
    pkcs7: &str,
    centre: (Option<&str>, Option<&str>),
) -> Result<(), u16> {
    let statement = cipher::open(&shared.facts, data).ok_or(401_u16)?;
    let statement: Value = serde_json::from_str(&statement).map_err(|_| 400_u16)?;
    let field = |name: &str| {
        statement
            .get(name)
            .and_then(Value::as_str)
            .filter(|text| !text.is_empty())
    };
    if REQUIRED.iter().any(|name| field(name).is_none()) || centre == (Some("twid"), Some("CER")) {
        return Err(400);
    }
    let (now, mut kept) = (shared.now(), shared.kept());
    let signing = kept
        .signings
        .get_mut(tx_id)
        .filter(|signing| Some(signing.salt.as_str()) == field("salt"))
        .ok_or(403_u16)?;
    if now - signing.made > SALT {
        return Err(408);
    }
    let signer = signer(shared, data, pkcs7)?;
    let pid = field("pid").unwrap_or_default();
    // the certificate authority's register (ICS): whose certificate this is
    if shared.cards().get(&signer).map(String::as_str) != Some(pid) {
        return Err(409);
    }
    signing.pid = Some(pid.to_owned());
    Ok(())
}

/// The serial number of the certificate that signed `data`, or the status of the refusal.
fn signer(shared: &Shared, data: &str, pkcs7: &str) -> Result<String, u16> {
    let der = decode_block(pkcs7).map_err(|_| 400_u16)?;
    let signed = Pkcs7::from_der(&der).map_err(|_| 401_u16)?;
    let none = Stack::new().map_err(|_| 400_u16)?;
    let mut store = X509StoreBuilder::new().map_err(|_| 400_u16)?;
    let root = X509::from_pem(shared.keys.root_pem.as_bytes()).map_err(|_| 400_u16)?;
    store.add_cert(root).map_err(|_| 400_u16)?;
    let (store, mut content) = (store.build(), Vec::new());
    // the signature over the content alone, then the chain
    signed
        .verify(&none, &store, None, Some(&mut content), Pkcs7Flags::NOVERIFY)
        .map_err(|_| 401_u16)?;
    if content != data.as_bytes() {
        return Err(401);
    }
    signed
        .verify(&none, &store, None, None, Pkcs7Flags::NOSIGS)
        .map_err(|_| 403_u16)?;
    let signers = signed.signers(&none, Pkcs7Flags::empty()).map_err(|_| 401_u16)?;
    let certificate = signers.iter().next().ok_or(401_u16)?;
    let serial = certificate
        .serial_number()
        .to_bn()
        .and_then(|serial| serial.to_hex_str());
    Ok(serial.map_err(|_| 401_u16)?.to_string())
}

/// `GET /service/spsignature/{client_id}/{resources}/{tx_id}`: the consent page, without another verification.
pub async fn arrive(
    State(shared): App,
    Path((client_id, resources, tx_id)): Path<(String, String, String)>,
    Query(query): Query<HashMap<String, String>>,
) -> Response {
    let pid = shared
        .kept()
        .signings
        .get(&tx_id)
        .and_then(|signing| signing.pid.clone());
    let return_url = query.get("returnUrl").filter(|url| !url.is_empty());
    let Some(return_url) = return_url else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let Some(pid) = pid.filter(|_| client_id == shared.facts.client_id) else {
        return StatusCode::FORBIDDEN.into_response();
    };
    let registered = shared.return_url.as_str();
    if !return_url
        .split('?')
        .next()
        .is_some_and(|base| base.eq_ignore_ascii_case(registered))
    {
        return pages::back(&shared, registered, 404, &tx_id);
    }
    let sealed = cipher::seal(&shared.facts, &pid);
    match pages::admitted(&shared, &resources, &tx_id, sealed.as_deref()) {
        Ok((resources, pid)) => {
            let session = Uuid::new_v4();
            let visit = Visit {
                tx_id: tx_id.clone(),
                resources,
                return_url: return_url.clone(),
                pid,
                touched: shared.now(),
                verified: true,
                decided: None,
            };
            let page = pages::consent_page(&shared, session, &visit);
            let mut kept = shared.kept();
            kept.note(&tx_id, Outcome::Open, shared.now());
            kept.visits.insert(session, visit);
            page
        }
        Err(code) => pages::back(&shared, return_url, code, &tx_id),
    }
}
