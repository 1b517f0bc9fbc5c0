//! A small OpenID Connect issuer that can be told to lie.

use axum::extract::{Form, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;
use openssl::hash::MessageDigest;
use openssl::pkey::{PKey, Private};
use openssl::rsa::Rsa;
use openssl::sign::Signer;
use serde_json::{Map, Value, json};
use std::collections::HashMap;
use std::sync::{Arc, Mutex};

/// What the issuer does next.
pub struct Behaviour {
    /// Name of the key it signs with.
    pub kid: String,
    /// Names of the keys it publishes.
    pub published: Vec<String>,
    /// `alg` it writes into the token's header; `none` leaves the signature out.
    pub alg: String,
    /// Claims that replace the usual ones; null removes one.
    pub claims: Map<String, Value>,
    /// What userinfo answers.
    pub userinfo: Value,
    /// Challenge of the authorization request.
    pub challenge: String,
    /// Nonce of the authorization request.
    pub nonce: String,
    /// How often the keys were read.
    pub key_reads: usize,
}

/// A running issuer.
pub struct Issuer {
    pub address: String,
    pub behaviour: Arc<Mutex<Behaviour>>,
    keys: Arc<HashMap<String, PKey<Private>>>,
}

#[derive(Clone)]
struct Shared {
    address: String,
    behaviour: Arc<Mutex<Behaviour>>,
    keys: Arc<HashMap<String, PKey<Private>>>,
}

impl Issuer {
    /// Starts an issuer on the loopback address.
    pub async fn start() -> Issuer {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let behaviour = Arc::new(Mutex::new(Behaviour {
            kid: "one".to_owned(),
            published: vec!["one".to_owned()],
            alg: "RS256".to_owned(),
            claims: Map::new(),
            userinfo: json!({ "sub": "person-7", "uid": "B223456785" }),
            challenge: String::new(),
            nonce: String::new(),
            key_reads: 0,
        }));
        let key = || PKey::from_rsa(Rsa::generate(2048).unwrap()).unwrap();
        let keys = ["one", "two", "hidden"].map(|kid| (kid.to_owned(), key()));
        let shared = Shared {
            address: address.clone(),
            behaviour: behaviour.clone(),
            keys: Arc::new(keys.into_iter().collect()),
        };
        let keys = shared.keys.clone();
        let router = Router::new()
            .route("/.well-known/openid-configuration", get(description))
            .route("/keys", get(keys_of))
            .route("/token", post(token))
            .route("/userinfo", get(userinfo))
            .with_state(shared);
        tokio::spawn(async move { axum::serve(listener, router).await });
        Issuer {
            address,
            behaviour,
            keys,
        }
    }

    /// A token of some header and claims, signed by RS256 with the key of this name.
    pub fn sign(&self, kid: &str, header: &Value, claims: &Value) -> String {
        let signed = format!(
            "{}.{}",
            URL_SAFE_NO_PAD.encode(header.to_string()),
            URL_SAFE_NO_PAD.encode(claims.to_string())
        );
        let mut signer = Signer::new(MessageDigest::sha256(), &self.keys[kid]).unwrap();
        let signature = signer.sign_oneshot_to_vec(signed.as_bytes()).unwrap();
        format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature))
    }
}

async fn description(State(shared): State<Shared>) -> Json<Value> {
    let at = |path: &str| format!("{}/{path}", shared.address);
    Json(json!({
        "issuer": shared.address,
        "authorization_endpoint": at("authorize"),
        "token_endpoint": at("token"),
        "userinfo_endpoint": at("userinfo"),
        "jwks_uri": at("keys"),
        "end_session_endpoint": at("end-session"),
        "response_types_supported": ["code"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["RS256", "HS256", "none"],
        "code_challenge_methods_supported": ["S256"],
    }))
}

async fn keys_of(State(shared): State<Shared>) -> Json<Value> {
    let mut behaviour = shared.behaviour.lock().unwrap();
    behaviour.key_reads += 1;
    let keys: Vec<Value> = behaviour
        .published
        .iter()
        .map(|kid| {
            let rsa = shared.keys[kid].rsa().unwrap();
            let part = |number: &openssl::bn::BigNumRef| URL_SAFE_NO_PAD.encode(number.to_vec());
            json!({ "kty": "RSA", "use": "sig", "alg": "RS256", "kid": kid, "n": part(rsa.n()), "e": part(rsa.e()) })
        })
        .collect();
    Json(json!({ "keys": keys }))
}

async fn token(
    State(shared): State<Shared>,
    headers: HeaderMap,
    Form(form): Form<HashMap<String, String>>,
) -> Response {
    let refuse = |error: &str| (StatusCode::BAD_REQUEST, Json(json!({ "error": error }))).into_response();
    let behaviour = shared.behaviour.lock().unwrap();
    let basic = base64::engine::general_purpose::STANDARD.encode("city:secret-of-the-city");
    if headers.get("authorization").and_then(|value| value.to_str().ok()) != Some(&format!("Basic {basic}")) {
        return refuse("invalid_client");
    }
    let verifier = form.get("code_verifier").map(String::as_str).unwrap_or_default();
    let challenge = URL_SAFE_NO_PAD.encode(openssl::sha::sha256(verifier.as_bytes()));
    if form.get("code").map(String::as_str) != Some("the-code") || challenge != behaviour.challenge {
        return refuse("invalid_grant");
    }
    let access_token = "access-token-7";
    let half_hash = &openssl::sha::sha256(access_token.as_bytes())[..16];
    let mut claims = json!({
        "iss": shared.address, "sub": "person-7", "aud": "city", "nonce": behaviour.nonce,
        "iat": Timestamp::now().as_second(), "exp": Timestamp::now().as_second() + 300,
        "name": "王小明", "uid": "A123456789", "acr": "level-2", "at_hash": URL_SAFE_NO_PAD.encode(half_hash),
    });
    for (name, value) in &behaviour.claims {
        match value {
            Value::Null => claims.as_object_mut().unwrap().remove(name),
            value => claims.as_object_mut().unwrap().insert(name.clone(), value.clone()),
        };
    }
    let header = json!({ "alg": behaviour.alg, "typ": "JWT", "kid": behaviour.kid });
    let signed = format!(
        "{}.{}",
        URL_SAFE_NO_PAD.encode(header.to_string()),
        URL_SAFE_NO_PAD.encode(claims.to_string())
    );
    let signature = match behaviour.alg.as_str() {
        "none" => Vec::new(),
        "HS256" => {
            let key = PKey::hmac(b"secret-of-the-city").unwrap();
            Signer::new(MessageDigest::sha256(), &key)
                .unwrap()
                .sign_oneshot_to_vec(signed.as_bytes())
                .unwrap()
        }
        _ => {
            let key = &shared.keys[&behaviour.kid];
            Signer::new(MessageDigest::sha256(), key)
                .unwrap()
                .sign_oneshot_to_vec(signed.as_bytes())
                .unwrap()
        }
    };
    let id_token = format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature));
    let answer =
        json!({ "access_token": access_token, "token_type": "Bearer", "expires_in": 300, "id_token": id_token });
    Json(answer).into_response()
}

async fn userinfo(State(shared): State<Shared>, headers: HeaderMap) -> Response {
    match headers.get("authorization").and_then(|value| value.to_str().ok()) {
        Some("Bearer access-token-7") => Json(shared.behaviour.lock().unwrap().userinfo.clone()).into_response(),
        _ => StatusCode::UNAUTHORIZED.into_response(),
    }
}
