//! What a natural-person certificate needs of the outside: a reader with the card in it (a page that signs for a resident of
//! the demonstration), and the authority that says whose certificate it is (內政部 ICS).

use crate::authority::Authority;
use crate::html::{escape, page};
use crate::serve::Served;
use crate::{PeerError, Population};
use axum::extract::{Form, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use openssl::base64::{decode_block, encode_block};
use openssl::hash::MessageDigest;
use openssl::pkey::PKey;
use openssl::sign::Verifier;
use serde_json::{Value, json};
use std::collections::HashMap;
use std::fmt::Write;
use std::sync::{Arc, Mutex, PoisonError};
use url::Url;

const WHO: &str = "示範讀卡機 Demonstration card reader";
/// Seconds the city's clock may be away.
const SKEW: i64 = 300;

/// What the twin needs to know.
#[derive(Clone)]
pub struct Config {
    /// The people; all of them have a card.
    pub population: Arc<dyn Population>,
    /// The authority that made their cards.
    pub authority: Authority,
    /// The registered name of the city.
    pub agency: String,
    /// The city's public key, PEM.
    pub agency_key: String,
    /// Where the reader's page sends signatures: only there.
    pub return_url: Url,
    /// The clock.
    pub terms: crate::Terms,
    /// Port; 0 takes any free one.
    pub port: u16,
}

/// How the authority misbehaves.
#[derive(Debug, Clone, Default)]
pub struct Faults {
    /// Certificates are not activated yet (2).
    pub not_activated: bool,
    /// The database fails (999).
    pub database: bool,
    /// The answer is none of those known.
    pub strange: bool,
}

/// The running twin.
pub struct Running {
    /// Its address: the query is at `/ics/query`, the reader's page at `/card`.
    pub address: String,
    shared: Arc<Shared>,
    _served: Served,
}

struct Shared {
    config: Config,
    faults: Mutex<Faults>,
}

impl Running {
    /// Makes it misbehave from now on.
    pub fn misbehave(&self, faults: Faults) {
        *self.shared.faults.lock().unwrap_or_else(PoisonError::into_inner) = faults;
    }

    /// Signs a text by a resident's card, as the page does: PKCS#7 in Base64. `None` for nobody.
    #[must_use]
    pub fn sign(&self, national_id: &str, text: &str) -> Option<String> {
        sign(&self.shared, national_id, text)
    }
}

/// Starts the twin.
///
/// # Errors
/// [`PeerError`].
pub async fn start(config: Config) -> Result<Running, PeerError> {
    let shared = Arc::new(Shared {
        config,
        faults: Mutex::default(),
    });
    let pages = Arc::clone(&shared);
    let served = Served::start("certificate authority", shared.config.port, |_| {
        Ok(Router::new()
            .route("/ics/query", post(query))
            .route("/card", get(card).post(signed))
            .with_state(pages))
    })
    .await?;
    Ok(Running {
        address: served.address.clone(),
        shared,
        _served: served,
    })
}

fn is_of_agency(config: &Config, signed: &str, signature: &str) -> bool {
    let check = || -> Result<bool, openssl::error::ErrorStack> {
        let key = PKey::public_key_from_pem(config.agency_key.as_bytes())?;
        Verifier::new(MessageDigest::sha256(), &key)?.verify_oneshot(&decode_block(signature)?, signed.as_bytes())
    };
    check().unwrap_or(false)
}

async fn query(State(shared): State<Arc<Shared>>, Json(body): Json<Value>) -> Response {
    let text = |name: &str| body.get(name).and_then(Value::as_str).unwrap_or_default();
    let config = &shared.config;
    let (serial, id, time) = (text("serial"), text("id"), text("time"));
    let signed = format!("{}|{serial}|{id}|{time}", text("agency"));
    let is_now = time
        .parse::<i64>()
        .is_ok_and(|at| at.abs_diff(config.terms.now()) <= SKEW.unsigned_abs());
    if text("agency") != config.agency || !is_now || !is_of_agency(config, &signed, text("signature")) {
        return StatusCode::FORBIDDEN.into_response();
    }
    let faults = shared.faults.lock().unwrap_or_else(PoisonError::into_inner).clone();
    let code = match config.authority.holder(serial) {
        _ if faults.database => 999,
        _ if faults.strange => 7,
        Some(holder) if holder == id => i32::from(faults.not_activated) * 2,
        _ => 1,
    };
    Json(json!({ "code": code })).into_response()
}

fn sign(shared: &Shared, national_id: &str, text: &str) -> Option<String> {
    let account = shared.config.population.find(national_id)?;
    let card = shared.config.authority.card(&account).ok()?;
    let bytes = shared.config.authority.pkcs7(&card, text.as_bytes()).ok()?;
    Some(encode_block(&bytes))
}

async fn card(State(shared): State<Arc<Shared>>, Query(query): Query<HashMap<String, String>>) -> Response {
    let challenge = query.get("challenge").map(String::as_str).unwrap_or_default();
    let mut body = format!(
        "<p>這裡代替讀卡機和自然人憑證。選一位示範市民的卡片，為下面的文字簽章。</p>\
         <p lang=\"en\">This stands in for the card reader. Choose a made-up resident.</p><pre>{0}</pre>\
         <form method=\"post\" action=\"/card\"><input type=\"hidden\" name=\"challenge\" value=\"{0}\"><fieldset><legend>卡片 Card</legend>",
        escape(challenge)
    );
    for account in shared.config.population.accounts() {
        let _ = write!(
            body,
            "<label class=\"choice\"><input type=\"radio\" name=\"account\" value=\"{}\"><span>{}<span>{}</span></span></label>",
            escape(&account.national_id),
            escape(&account.name),
            escape(&account.note)
        );
    }
    body.push_str("</fieldset><button>簽章 Sign</button></form>");
    page(StatusCode::OK, WHO, "插入憑證卡", &body)
}

async fn signed(State(shared): State<Arc<Shared>>, Form(form): Form<HashMap<String, String>>) -> Response {
    let get = |name: &str| form.get(name).map(String::as_str).unwrap_or_default();
    // a browser writes the line breaks of a form as CR LF; the text was made with LF
    let challenge = get("challenge").replace("\r\n", "\n");
    let Some(signature) = sign(&shared, get("account"), &challenge) else {
        return page(
            StatusCode::NOT_FOUND,
            WHO,
            "沒有這張卡片",
            "<p>請回上一頁選一位示範市民。</p>",
        );
    };
    let body = format!(
        "<form method=\"post\" action=\"{}\"><input type=\"hidden\" name=\"signature\" value=\"{signature}\">\
         <p>簽章完成。</p><button>回到市府網站 Back to the city</button></form>",
        escape(shared.config.return_url.as_str())
    );
    page(StatusCode::OK, WHO, "簽章完成", &body)
}
