//! An OpenID Connect issuer (OpenID Connect Core 1.0, authorization code with PKCE of RFC 7636) with the claims of 我的E政府.

use crate::html::{escape, page};
use crate::keys::{Keys, random};
use crate::{Account, Config, IssuerFacts, Population, Terms, base64url};
use axum::extract::{Form, Query, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use openssl::base64::decode_block;
use openssl::hash::MessageDigest;
use openssl::pkey::{PKey, Private};
use openssl::sha::sha256;
use openssl::sign::Signer;
use serde_json::{Value, json};
use std::collections::HashMap;
use std::fmt::Write;
use std::sync::{Arc, Mutex, PoisonError};
use url::Url;

const WHO: &str = "示範身分驗證中心 Demonstration sign-in";
/// Life of a code and of an access token, seconds.
const CODE: i64 = 60;
const TOKEN: i64 = 300;

struct Issued {
    account: String,
    nonce: Option<String>,
    challenge: String,
    /// The first strength that was asked: everybody here was verified as strongly as anybody wants.
    acr: Option<String>,
    until: i64,
}

struct Shared {
    facts: IssuerFacts,
    redirect: Url,
    population: Arc<dyn Population>,
    key: PKey<Private>,
    terms: Terms,
    codes: Mutex<HashMap<String, Issued>>,
    tokens: Mutex<HashMap<String, (String, i64)>>,
}

type App = State<Arc<Shared>>;

pub fn router(config: &Config, terms: &Terms, facts: &IssuerFacts, keys: &Keys) -> Router {
    let shared = Shared {
        facts: facts.clone(),
        redirect: config.redirect_url.clone(),
        population: Arc::clone(&config.population),
        key: keys.issuer.clone(),
        terms: terms.clone(),
        codes: Mutex::default(),
        tokens: Mutex::default(),
    };
    Router::new()
        .route("/.well-known/openid-configuration", get(description))
        .route("/keys", get(published))
        .route("/authorize", get(ask).post(choose))
        .route("/token", post(token))
        .route("/userinfo", get(userinfo).post(userinfo))
        .route("/end-session", get(ended))
        .with_state(Arc::new(shared))
}

async fn description(State(shared): App) -> Json<Value> {
    let at = |path: &str| format!("{}/{path}", shared.facts.address);
    Json(json!({
        "issuer": shared.facts.address,
        "authorization_endpoint": at("authorize"),
        "token_endpoint": at("token"),
        "userinfo_endpoint": at("userinfo"),
        "jwks_uri": at("keys"),
        "end_session_endpoint": at("end-session"),
        "response_types_supported": ["code"],
        "response_modes_supported": ["query"],
        "grant_types_supported": ["authorization_code"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["RS256"],
        "token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post"],
        "code_challenge_methods_supported": ["S256"],
        "scopes_supported": ["openid", "profile", "email", "phone", "uid"],
        "claims_supported": ["sub", "cn", "name", "uid", "uid_verified", "birthdate", "email", "phone_number", "amr"],
    }))
}

fn kid(key: &PKey<Private>) -> String {
    key.rsa().map_or_else(
        |_| String::new(),
        |rsa| base64url::encode(&sha256(&rsa.n().to_vec())).chars().take(16).collect(),
    )
}

async fn published(State(shared): State<Arc<Shared>>) -> Response {
    let Ok(rsa) = shared.key.rsa() else {
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    };
    Json(json!({ "keys": [{
        "kty": "RSA", "use": "sig", "alg": "RS256", "kid": kid(&shared.key),
        "n": base64url::encode(&rsa.n().to_vec()), "e": base64url::encode(&rsa.e().to_vec()),
    }] }))
    .into_response()
}

/// The request as the browser brings it, checked: a wrong client or address is told here, all else goes back to the client.
enum Asked {
    Fine {
        state: String,
        nonce: Option<String>,
        challenge: String,
    },
    Back(String, &'static str, String),
    Refused(&'static str),
}

fn read(shared: &Shared, query: &HashMap<String, String>) -> Asked {
    let get = |name: &str| query.get(name).map(String::as_str).unwrap_or_default();
    if get("client_id") != shared.facts.client_id {
        return Asked::Refused("這個網站沒有在示範驗證中心登記。");
    }
    if get("redirect_uri") != shared.redirect.as_str() {
        return Asked::Refused("返回的網址和登記的不同。");
    }
    let state = get("state").to_owned();
    let back = |error, text: &str| Asked::Back(state.clone(), error, text.to_owned());
    if get("response_type") != "code" {
        return back("unsupported_response_type", "only code is offered");
    }
    if !get("scope").split(' ').any(|scope| scope == "openid") {
        return back("invalid_scope", "the scope must contain openid");
    }
    if get("code_challenge_method") != "S256" || get("code_challenge").len() != 43 {
        return back("invalid_request", "PKCE with S256 is required");
    }
    Asked::Fine {
        nonce: query.get("nonce").cloned(),
        challenge: get("code_challenge").to_owned(),
        state,
    }
}

fn refused(text: &str) -> Response {
    page(
        StatusCode::BAD_REQUEST,
        WHO,
        "不能登入 Sign-in is not possible",
        &format!("<p class=\"error\">{}</p>", escape(text)),
    )
}

fn back(shared: &Shared, pairs: &[(&str, &str)]) -> Response {
    let mut to = shared.redirect.clone();
    to.query_pairs_mut()
        .extend_pairs(pairs.iter().filter(|(_, value)| !value.is_empty()));
    Redirect::to(to.as_str()).into_response()
}

async fn ask(State(shared): State<Arc<Shared>>, Query(query): Query<HashMap<String, String>>) -> Response {
    match read(&shared, &query) {
        Asked::Fine { .. } => form(&shared, &query, None),
        Asked::Back(state, error, text) => back(
            &shared,
            &[("error", error), ("error_description", &text), ("state", &state)],
        ),
        Asked::Refused(text) => refused(text),
    }
}

fn form(shared: &Shared, query: &HashMap<String, String>, error: Option<&str>) -> Response {
    let mut body = String::new();
    if let Some(error) = error {
        let _ = write!(
            body,
            "<p class=\"error\" role=\"alert\" id=\"problem\">{}</p>",
            escape(error)
        );
    }
    body.push_str("<p>這裡代替真正的身分驗證。選一位示範市民，或輸入示範城市裡任何人的統一編號。所有人都是虛構的。</p>\
        <p lang=\"en\">This stands in for real sign-in. Choose a made-up resident.</p><form method=\"post\" action=\"/authorize\">");
    for name in [
        "client_id",
        "redirect_uri",
        "response_type",
        "scope",
        "state",
        "nonce",
        "code_challenge",
        "code_challenge_method",
        "acr_values",
        "max_age",
    ] {
        if let Some(value) = query.get(name) {
            let _ = write!(
                body,
                "<input type=\"hidden\" name=\"{name}\" value=\"{}\">",
                escape(value)
            );
        }
    }
    body.push_str("<fieldset><legend>示範市民 Residents</legend>");
    for (at, account) in shared.population.accounts().iter().enumerate() {
        let _ = write!(
            body,
            "<label class=\"choice\"><input type=\"radio\" name=\"account\" value=\"{id}\"{checked}><span><strong>{name}</strong>　{id}<span>{note}</span></span></label>",
            id = escape(&account.national_id),
            name = escape(&account.name),
            note = escape(&account.note),
            checked = if at == 0 { " checked" } else { "" },
        );
    }
    body.push_str("</fieldset><p><label for=\"other\">或輸入統一編號 Or a national id</label><br>\
        <input type=\"text\" id=\"other\" name=\"other\" maxlength=\"10\" autocomplete=\"off\"></p>\
        <button>登入 Sign in</button> <button class=\"second\" name=\"cancel\" value=\"yes\">取消 Cancel</button></form>");
    let status = if error.is_some() {
        StatusCode::UNPROCESSABLE_ENTITY
    } else {
        StatusCode::OK
    };
    page(status, WHO, "您是哪一位？", &body)
}

async fn choose(State(shared): State<Arc<Shared>>, Form(query): Form<HashMap<String, String>>) -> Response {
    let (state, nonce, challenge) = match read(&shared, &query) {
        Asked::Fine {
            state,
            nonce,
            challenge,
        } => (state, nonce, challenge),
        Asked::Back(state, error, text) => {
            return back(
                &shared,
                &[("error", error), ("error_description", &text), ("state", &state)],
            );
        }
        Asked::Refused(text) => return refused(text),
    };
    if query.contains_key("cancel") {
        return back(&shared, &[("error", "access_denied"), ("state", &state)]);
    }
    let typed = query
        .get("other")
        .map(|text| text.trim().to_uppercase())
        .filter(|text| !text.is_empty());
    let id = typed.or_else(|| query.get("account").cloned()).unwrap_or_default();
    let Some(account) = shared.population.find(&id) else {
        return form(
            &shared,
            &query,
            Some("示範城市裡沒有這個統一編號。請再看一次，或選上面的市民。"),
        );
    };
    let Ok(code) = random(32) else {
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    };
    let now = shared.terms.now();
    let mut codes = shared.codes.lock().unwrap_or_else(PoisonError::into_inner);
    codes.retain(|_, issued| issued.until > now);
    codes.insert(
        code.clone(),
        Issued {
            account: account.national_id,
            nonce,
            challenge,
            acr: query
                .get("acr_values")
                .and_then(|values| values.split(' ').find(|value| !value.is_empty()))
                .map(str::to_owned),
            until: now + CODE,
        },
    );
    drop(codes);
    back(&shared, &[("code", &code), ("state", &state)])
}

fn token_error(status: StatusCode, error: &str) -> Response {
    let mut response = (
        status,
        [(header::CACHE_CONTROL, "no-store")],
        Json(json!({ "error": error })),
    )
        .into_response();
    if status == StatusCode::UNAUTHORIZED {
        let scheme = HeaderValue::from_static("Basic realm=\"token\"");
        response.headers_mut().insert(header::WWW_AUTHENTICATE, scheme);
    }
    response
}

fn is_client(shared: &Shared, headers: &HeaderMap, form: &HashMap<String, String>) -> bool {
    let basic = headers
        .get(header::AUTHORIZATION)
        .and_then(|value| value.to_str().ok()?.strip_prefix("Basic "));
    let (id, secret) = match basic
        .and_then(|text| decode_block(text).ok())
        .and_then(|bytes| String::from_utf8(bytes).ok())
    {
        Some(pair) => match pair.split_once(':') {
            Some((id, secret)) => (id.to_owned(), secret.to_owned()),
            None => return false,
        },
        None => (
            form.get("client_id").cloned().unwrap_or_default(),
            form.get("client_secret").cloned().unwrap_or_default(),
        ),
    };
    let known = shared.facts.client_secret.as_bytes();
    id == shared.facts.client_id && secret.len() == known.len() && openssl::memcmp::eq(secret.as_bytes(), known)
}

/// RFC 7636, 4.1: 43 to 128 unreserved characters. A shorter one could be guessed, so a client that sends it is told.
fn is_verifier(text: &str) -> bool {
    (43..=128).contains(&text.len())
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte))
}

async fn token(
    State(shared): State<Arc<Shared>>,
    headers: HeaderMap,
    Form(form): Form<HashMap<String, String>>,
) -> Response {
    let get = |name: &str| form.get(name).map(String::as_str).unwrap_or_default();
    if !is_client(&shared, &headers, &form) {
        return token_error(StatusCode::UNAUTHORIZED, "invalid_client");
    }
    if get("grant_type") != "authorization_code" {
        return token_error(StatusCode::BAD_REQUEST, "unsupported_grant_type");
    }
    let now = shared.terms.now();
    // taken out whatever follows: a code is good for one try
    let issued = shared
        .codes
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .remove(get("code"));
    let verifier = get("code_verifier");
    let proof = base64url::encode(&sha256(verifier.as_bytes()));
    let issued = issued.filter(|issued| {
        issued.until > now
            && is_verifier(verifier)
            && issued.challenge == proof
            && get("redirect_uri") == shared.redirect.as_str()
    });
    let Some(issued) = issued else {
        return token_error(StatusCode::BAD_REQUEST, "invalid_grant");
    };
    let Some(account) = shared.population.find(&issued.account) else {
        return token_error(StatusCode::BAD_REQUEST, "invalid_grant");
    };
    let Ok(access) = random(40) else {
        return token_error(StatusCode::INTERNAL_SERVER_ERROR, "server_error");
    };
    let mut claims = claims(&account);
    let half = sha256(access.as_bytes());
    let more = json!({
        "iss": shared.facts.address, "aud": shared.facts.client_id, "iat": now, "auth_time": now, "exp": now + TOKEN,
        "nonce": issued.nonce, "acr": issued.acr, "at_hash": base64url::encode(half.get(..16).unwrap_or_default()),
    });
    if let (Some(claims), Value::Object(more)) = (claims.as_object_mut(), more) {
        claims.extend(more.into_iter().filter(|(_, value)| !value.is_null()));
    }
    let Ok(id_token) = sign(&shared.key, &claims) else {
        return token_error(StatusCode::INTERNAL_SERVER_ERROR, "server_error");
    };
    let mut tokens = shared.tokens.lock().unwrap_or_else(PoisonError::into_inner);
    tokens.retain(|_, (_, until)| *until > now);
    tokens.insert(access.clone(), (account.national_id, now + TOKEN));
    drop(tokens);
    let answer = json!({ "access_token": access, "token_type": "Bearer", "expires_in": TOKEN, "id_token": id_token });
    ([(header::CACHE_CONTROL, "no-store")], Json(answer)).into_response()
}

fn claims(account: &Account) -> Value {
    json!({
        "sub": base64url::encode(&sha256(format!("demonstration:{}", account.national_id).as_bytes())),
        "cn": account.name,
        "name": account.name,
        "uid": account.national_id,
        "uid_verified": "True",
        "birthdate": account.birth_date.to_string(),
        "email": account.email,
        "email_verified": account.email.is_some(),
        "phone_number": account.phone,
        "amr": ["hwk"],
    })
}

fn sign(key: &PKey<Private>, claims: &Value) -> Result<String, openssl::error::ErrorStack> {
    let header = json!({ "alg": "RS256", "typ": "JWT", "kid": kid(key) });
    let text = format!(
        "{}.{}",
        base64url::encode(header.to_string().as_bytes()),
        base64url::encode(claims.to_string().as_bytes())
    );
    let signature = Signer::new(MessageDigest::sha256(), key)?.sign_oneshot_to_vec(text.as_bytes())?;
    Ok(format!("{text}.{}", base64url::encode(&signature)))
}

async fn userinfo(State(shared): State<Arc<Shared>>, headers: HeaderMap) -> Response {
    let bearer = headers
        .get(header::AUTHORIZATION)
        .and_then(|value| value.to_str().ok()?.strip_prefix("Bearer "));
    let now = shared.terms.now();
    let id = bearer.and_then(|token| {
        let tokens = shared.tokens.lock().unwrap_or_else(PoisonError::into_inner);
        tokens
            .get(token)
            .filter(|(_, until)| *until > now)
            .map(|(id, _)| id.clone())
    });
    match id.and_then(|id| shared.population.find(&id)) {
        Some(account) => ([(header::CACHE_CONTROL, "no-store")], Json(claims(&account))).into_response(),
        None => (
            StatusCode::UNAUTHORIZED,
            [(header::WWW_AUTHENTICATE, "Bearer error=\"invalid_token\"")],
        )
            .into_response(),
    }
}

/// RP-Initiated Logout 1.0: back to the city, where it asks for that and is the one that registered.
async fn ended(State(shared): State<Arc<Shared>>, Query(query): Query<HashMap<String, String>>) -> Response {
    let get = |name: &str| query.get(name).map(String::as_str).unwrap_or_default();
    if get("client_id") == shared.facts.client_id
        && let Ok(mut to) = Url::parse(get("post_logout_redirect_uri"))
        && to.origin() == shared.redirect.origin()
    {
        if !get("state").is_empty() {
            to.query_pairs_mut().append_pair("state", get("state"));
        }
        return Redirect::to(to.as_str()).into_response();
    }
    page(
        StatusCode::OK,
        WHO,
        "您已登出",
        "<p>示範驗證中心不保留登入狀態。</p><p lang=\"en\">You are signed out.</p>",
    )
}
