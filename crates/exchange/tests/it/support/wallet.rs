//! A city that asks for cards and gives cards over HTTP, as its pages will: what is kept stands in maps.

use super::people::terms;
use axum::Json;
use axum::Router;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use civic::{Clock, FixedClock};
use exchange::wallet::issuer::{
    CardKind, Content, CredentialRequest, Field, Granted, Issued, Issuer, Offered, Refusal, TokenRequest,
};
use exchange::wallet::status_list::{Purpose, StatusList};
use exchange::wallet::verifier::{Pending, Presentation, Presented, TrustedIssuer, Verifier, VerifierError};
use exchange::wallet::{issuer, verifier};
use jiff::{SignedDuration, Timestamp};
use openssl::ec::{EcGroup, EcKey};
use openssl::nid::Nid;
use openssl::pkey::PKey;
use peers::wallet::Running;
use ring::rand::SystemRandom;
use serde_json::{Value, json};
use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex};

pub const CARD: &str = "resident_card";

/// A P-256 key in PKCS#8 PEM.
pub fn key() -> String {
    let group = EcGroup::from_curve_name(Nid::X9_62_PRIME256V1).unwrap();
    let key = PKey::from_ec_key(EcKey::generate(&group).unwrap()).unwrap();
    String::from_utf8(key.private_key_to_pem_pkcs8().unwrap()).unwrap()
}

pub struct City {
    pub address: String,
    pub verifier: Verifier,
    pub issuer: Issuer,
    pub clock: Arc<FixedClock>,
    pub kept: Mutex<Kept>,
}

#[derive(Default)]
pub struct Kept {
    pub pending: HashMap<String, Pending>,
    pub presented: Vec<Result<Presented, VerifierError>>,
    pub offers: HashMap<String, Offered>,
    pub granted: HashMap<String, Granted>,
    pub issued: Vec<Issued>,
    pub lists: Vec<StatusList>,
}

impl City {
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    pub fn kept(&self) -> std::sync::MutexGuard<'_, Kept> {
        self.kept.lock().unwrap()
    }

    /// What became of the last response.
    pub async fn last(&self) -> Result<Presentation, VerifierError> {
        let presented = self.kept().presented.pop().expect("a response came");
        self.verifier.confirm(&presented?, self.now()).await
    }
}

/// The city and the twin that it trusts.
pub async fn start() -> (Arc<City>, Running) {
    start_with(|_| {}).await
}

pub async fn start_with(change: impl FnOnce(&mut verifier::Config)) -> (Arc<City>, Running) {
    let (clock, terms) = terms();
    let twin = peers::wallet::start(peers::wallet::Config {
        terms,
        access_token: "token-of-the-city".to_owned(),
        callback_url: None,
        population: None,
        port: 0,
    })
    .await
    .unwrap();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let field = |name: &str, title: &str| Field {
        name: name.to_owned(),
        title: title.to_owned(),
    };
    let issuer = Issuer::new(issuer::Config {
        address: format!("{address}/issuer").parse().unwrap(),
        key: key(),
        name: "示範市府".to_owned(),
        kinds: vec![CardKind {
            credential_type: CARD.to_owned(),
            title: "市民卡".to_owned(),
            fields: vec![
                field("name", "姓名"),
                field("district", "行政區"),
                field("since", "設籍日"),
            ],
            valid_days: 30,
        }],
        lists: format!("{address}/lists").parse().unwrap(),
        keys: format!("{address}/issuer/keys").parse().unwrap(),
        wallet_link: "modadigitalwallet://credential_offer".to_owned(),
        life_seconds: 600,
        skew_seconds: 60,
        tries: 3,
    })
    .unwrap();
    let trusted = |did: &str, name: &str, lists: String| TrustedIssuer {
        did: did.to_owned(),
        name: name.to_owned(),
        credential_types: vec![CARD.to_owned(), "student_card".to_owned()],
        lists: lists.parse().unwrap(),
    };
    let mut config: verifier::Config = toml::from_str(&format!(
        "address = \"{address}/wallet\"\nkey = '''{}'''\nname = \"示範市府\"\nissuers = []\n[client]\nhttps_only = false\n",
        key()
    ))
    .unwrap();
    config.issuers = vec![
        trusted(
            &twin.issuer,
            "示範發卡機關",
            format!("{}/api/status-list/", twin.address),
        ),
        trusted(issuer.did(), "示範市府", format!("{address}/lists/")),
    ];
    change(&mut config);
    let city = Arc::new(City {
        address,
        verifier: Verifier::new(config).unwrap(),
        issuer,
        clock,
        kept: Mutex::new(Kept {
            lists: vec![
                StatusList::new(Purpose::Revocation),
                StatusList::new(Purpose::Suspension),
            ],
            ..Kept::default()
        }),
    });
    let router = Router::new()
        .route("/wallet/request/{state}", get(request))
        .route("/wallet/authorization-response", post(response))
        .route("/issuer/.well-known/openid-credential-issuer", get(describe))
        .route("/issuer/token", post(token))
        .route("/issuer/credential", post(credential))
        .route("/lists/{kind}/{purpose}", get(list))
        .with_state(city.clone());
    tokio::spawn(async move { axum::serve(listener, router).await });
    (city, twin)
}

type App = State<Arc<City>>;

async fn request(State(city): App, Path(state): Path<String>) -> Response {
    let pending = city.kept().pending.get(&state).cloned();
    match pending.map(|pending| city.verifier.request_object(&pending, city.now())) {
        Some(Ok(token)) => ([("content-type", "application/oauth-authz-req+jwt")], token).into_response(),
        _ => StatusCode::NOT_FOUND.into_response(),
    }
}

async fn response(State(city): App, body: Bytes) -> StatusCode {
    let state = Verifier::state_of(&body).unwrap_or_default();
    let Some(pending) = city.kept().pending.remove(&state) else {
        return StatusCode::NOT_FOUND;
    };
    let read = city.verifier.read_response(&body, &pending, city.now());
    let status = if read.is_ok() {
        StatusCode::OK
    } else {
        StatusCode::BAD_REQUEST
    };
    city.kept().presented.push(read);
    status
}

async fn describe(State(city): App) -> Json<Value> {
    Json(city.issuer.metadata().unwrap())
}

fn refused(refusal: Refusal) -> Response {
    (
        StatusCode::from_u16(refusal.status()).unwrap(),
        Json(refusal.body(None)),
    )
        .into_response()
}

async fn token(State(city): App, body: Bytes) -> Response {
    let request = match TokenRequest::read(&body) {
        Ok(request) => request,
        Err(refusal) => return refused(refusal),
    };
    let mut kept = city.kept();
    let Some(mut offered) = kept.offers.get(&request.key()).cloned() else {
        return refused(Refusal::InvalidGrant);
    };
    let answer = city
        .issuer
        .handle_token(&request, &mut offered, &SystemRandom::new(), city.now());
    kept.offers.insert(offered.key.clone(), offered);
    match answer {
        Ok((answer, granted)) => {
            kept.granted.insert(granted.key.clone(), granted);
            Json(answer).into_response()
        }
        Err(refusal) => refused(refusal),
    }
}

/// The claims of the demonstration's only person.
pub fn subject() -> BTreeMap<String, Value> {
    [("name", "林阿梅"), ("district", "西屯區"), ("since", "2011-03-01")]
        .map(|(name, value)| (name.to_owned(), json!(value)))
        .into()
}

async fn credential(State(city): App, headers: HeaderMap, body: Bytes) -> Response {
    let authorization = headers.get("authorization").and_then(|value| value.to_str().ok());
    let request = match CredentialRequest::read(authorization, &body) {
        Ok(request) => request,
        Err(refusal) => return refused(refusal),
    };
    let mut kept = city.kept();
    let Some(mut granted) = kept.granted.remove(&request.key()) else {
        return refused(Refusal::InvalidToken);
    };
    let index = kept.issued.len() + 40;
    let random = SystemRandom::new();
    let subject = subject();
    let content = Content {
        subject: &subject,
        index,
        not_after: None,
    };
    match city
        .issuer
        .handle_credential(&request, &mut granted, &content, &random, city.now())
    {
        Ok((answer, issued)) => {
            kept.issued.push(issued);
            Json(answer).into_response()
        }
        Err(refusal) => {
            let body = granted.refused(refusal, &city.issuer);
            kept.granted.insert(granted.key.clone(), granted);
            (StatusCode::from_u16(refusal.status()).unwrap(), Json(body)).into_response()
        }
    }
}

async fn list(State(city): App, Path((kind, purpose)): Path<(String, String)>) -> String {
    let purpose = if purpose == "suspension" {
        Purpose::Suspension
    } else {
        Purpose::Revocation
    };
    let address = city.issuer.list_address(&kind, purpose).unwrap();
    let kept = city.kept();
    let list = kept.lists.iter().find(|list| list.purpose == purpose).unwrap();
    let until = city.now() + SignedDuration::from_hours(1);
    list.publish(city.issuer.key(), &address, city.now(), until).unwrap()
}
