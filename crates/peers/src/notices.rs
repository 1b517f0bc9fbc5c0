//! The services that carry short messages: a gateway of text messages, LINE, and a push service with its browsers. They keep
//! what they took, show it on a page, and can be told to refuse.

use crate::PeerError;
use crate::html::{escape, page};
use crate::push::Browser;
use crate::serve::Served;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use josekit::jwk::Jwk;
use josekit::jws::{ES256, JwsHeader};
use josekit::jwt;
use serde_json::{Value, json};
use std::collections::{HashMap, HashSet};
use std::fmt::Write;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use url::Url;

const WHO: &str = "示範簡訊、LINE 與推播 Demonstration messages";

/// Messages on the page.
const SHOWN: usize = 200;

/// What the twin needs to know.
#[derive(Debug, Clone)]
pub struct Config {
    /// Account and password of the gateway.
    pub account: (String, String),
    /// Channel access token of LINE.
    pub line_token: String,
    /// Channel secret of LINE.
    pub line_secret: String,
    /// Address of the city that LINE tells what people write to its account.
    pub webhook: Option<Url>,
    /// Port; 0 takes any free one.
    pub port: u16,
}

/// A message that was taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Taken {
    /// `sms`, `line` or `push`.
    pub way: &'static str,
    /// Whom it is for.
    pub to: String,
    /// What it says.
    pub text: String,
    /// By what name the city knows it; empty where it gave none.
    pub id: String,
}

/// What the services answer instead of taking messages.
#[derive(Debug, Clone, Default)]
pub struct Faults {
    /// A status; 0 answers as usual.
    pub status: u16,
    /// `Retry-After`.
    pub retry_after: Option<String>,
    /// The gateway's answer says this with status 200.
    pub gateway: Option<String>,
    /// Messages are taken and no answer is given.
    pub silent: bool,
}

#[derive(Default)]
struct Kept {
    taken: Vec<Taken>,
    /// Names of messages that were taken: repeated ones are not taken again.
    names: HashSet<String>,
    repeated: u32,
    browsers: HashMap<String, Browser>,
    faults: Faults,
}

struct Shared {
    config: Config,
    address: String,
    kept: Mutex<Kept>,
}

impl Shared {
    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn faults(&self) -> Faults {
        self.kept().faults.clone()
    }

    /// Takes a message. One of a name that was taken before is not taken again.
    fn take(&self, way: &'static str, to: &str, text: &str, id: &str) -> bool {
        let mut kept = self.kept();
        if !id.is_empty() && !kept.names.insert(format!("{way}:{to}:{id}")) {
            kept.repeated = kept.repeated.saturating_add(1);
            return false;
        }
        kept.taken.push(Taken {
            way,
            to: to.to_owned(),
            text: text.to_owned(),
            id: id.to_owned(),
        });
        true
    }
}

/// The running twin: `/sms/send`, `/v2/bot/message/push`, `/push/{name}`, `/browser`; the page is at `/`.
pub struct Running {
    /// Its address.
    pub address: String,
    shared: Arc<Shared>,
    _served: Served,
}

impl Running {
    /// Makes the services refuse from now on.
    pub fn misbehave(&self, faults: Faults) {
        self.shared.kept().faults = faults;
    }

    /// What was taken so far.
    #[must_use]
    pub fn taken(&self) -> Vec<Taken> {
        self.shared.kept().taken.clone()
    }

    /// How often a message came again by a name that was taken before.
    #[must_use]
    pub fn repeated(&self) -> u32 {
        self.shared.kept().repeated
    }

    /// A browser subscribes: its address, `p256dh` and `auth`.
    ///
    /// # Errors
    /// [`PeerError::Key`].
    pub fn subscribe(&self, name: &str) -> Result<(String, String, String), PeerError> {
        let browser = Browser::new()?;
        let (p256dh, auth) = browser.keys();
        self.shared.kept().browsers.insert(name.to_owned(), browser);
        Ok((format!("{}/push/{name}", self.address), p256dh, auth))
    }

    /// What somebody does with the city's account, as LINE tells it: the body of the call and its `X-Line-Signature`.
    /// `text` is what they write; without one they block the account.
    ///
    /// # Errors
    /// [`PeerError::Key`].
    pub fn told(&self, user: &str, text: Option<&str>) -> Result<(Vec<u8>, String), PeerError> {
        told(&self.shared.config.line_secret, user, text)
    }

    /// A browser is gone.
    pub fn unsubscribe(&self, name: &str) {
        self.shared.kept().browsers.remove(name);
    }
}

/// Starts the twin.
///
/// # Errors
/// [`PeerError`].
pub async fn start(config: Config) -> Result<Running, PeerError> {
    let port = config.port;
    let mut made = None;
    let served = Served::start("services for messages", port, |address| {
        let shared = Arc::new(Shared {
            config,
            address: address.to_owned(),
            kept: Mutex::default(),
        });
        made = Some(Arc::clone(&shared));
        Ok(Router::new()
            .route("/", get(show))
            .route("/sms/send", post(sms).get(sms_by_query))
            .route("/v2/bot/message/push", post(line))
            .route("/push/{name}", post(push))
            .route("/browser", post(subscribe))
            .route("/line/write", post(write_line))
            .with_state(shared))
    })
    .await?;
    let shared = made.ok_or_else(|| PeerError::Folder {
        path: std::path::PathBuf::new(),
        why: "the twin made no pages".to_owned(),
    })?;
    Ok(Running {
        address: served.address.clone(),
        shared,
        _served: served,
    })
}

type App = State<Arc<Shared>>;

/// The answer of a fault, or none.
async fn fault(shared: &Shared) -> Option<Response> {
    let faults = shared.faults();
    if faults.silent {
        std::future::pending::<()>().await;
    }
    let status = StatusCode::from_u16(faults.status)
        .ok()
        .filter(|_| faults.status != 0)?;
    let mut response = status.into_response();
    if let Some(after) = faults.retry_after.and_then(|after| after.parse().ok()) {
        response.headers_mut().insert(header::RETRY_AFTER, after);
    }
    Some(response)
}

/// The call by which LINE tells of a message or a block, made here and signed by OpenSSL.
fn told(secret: &str, user: &str, text: Option<&str>) -> Result<(Vec<u8>, String), PeerError> {
    let source = json!({ "type": "user", "userId": user });
    let at = jiff::Timestamp::now().as_millisecond();
    let event = match text {
        Some(text) => json!({
            "type": "message", "mode": "active", "timestamp": at, "source": source,
            "message": { "type": "text", "id": "468789577898262530", "quoteToken": "q", "text": text },
        }),
        None => json!({ "type": "unfollow", "mode": "active", "timestamp": at, "source": source }),
    };
    let body = json!({ "destination": "U00000000000000000000000000000000", "events": [event] }).to_string();
    let key = openssl::pkey::PKey::hmac(secret.as_bytes())?;
    let mut signer = openssl::sign::Signer::new(openssl::hash::MessageDigest::sha256(), &key)?;
    signer.update(body.as_bytes())?;
    let signature = openssl::base64::encode_block(&signer.sign_to_vec()?);
    Ok((body.into_bytes(), signature))
}

/// The visitor's own LINE account in the demonstration.
const VISITOR: &str = "U0123456789abcdef0123456789abcdef";

/// `POST /line/write`: the visitor writes to the city's account, or blocks it.
async fn write_line(State(shared): App, axum::Form(fields): axum::Form<HashMap<String, String>>) -> Response {
    let text = fields
        .get("text")
        .map(|text| text.trim())
        .filter(|text| !text.is_empty());
    let made = told(&shared.config.line_secret, VISITOR, text);
    let (Some(webhook), Ok((body, signature))) = (&shared.config.webhook, made) else {
        return StatusCode::SERVICE_UNAVAILABLE.into_response();
    };
    let headers = [
        ("content-type", "application/json"),
        ("x-line-signature", signature.as_str()),
    ];
    let status = crate::call::send("POST", webhook, &headers, &body)
        .await
        .map_or(0, |answer| answer.status);
    match status {
        200 => axum::response::Redirect::to("/").into_response(),
        _ => StatusCode::BAD_GATEWAY.into_response(),
    }
}

/// `POST /browser`: a browser of the demonstration subscribes; what a script gets of `PushManager.subscribe`.
async fn subscribe(State(shared): App) -> Response {
    let name = uuid::Uuid::new_v4().simple().to_string();
    let Ok(browser) = Browser::new() else {
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    };
    let (p256dh, auth) = browser.keys();
    shared.kept().browsers.insert(name.clone(), browser);
    let endpoint = format!("{}/push/{name}", shared.address);
    Json(json!({ "endpoint": endpoint, "expirationTime": null, "keys": { "p256dh": p256dh, "auth": auth } }))
        .into_response()
}

async fn show(State(shared): App) -> Response {
    let mut body = String::from(
        "<p>示範城市傳出的簡訊、LINE 和推播都在這裡，最新的在最上面。</p>\
         <p lang=\"en\">Every text message, LINE message and push message of the demonstration, the newest first.</p>\
         <form method=\"post\" action=\"/line/write\"><label for=\"text\">用 LINE 寫給市府帳號 Write to the city's LINE account</label> \
         <input id=\"text\" name=\"text\" maxlength=\"200\"> <button>傳送 Send</button></form>\
         <form method=\"post\" action=\"/line/write\"><button>封鎖市府帳號 Block the account</button></form>",
    );
    body.push_str("<table><thead><tr><th>方式</th><th>給</th><th>內容</th></tr></thead><tbody>");
    for taken in shared.kept().taken.iter().rev().take(SHOWN) {
        let _ = write!(
            body,
            "<tr><td>{}</td><td>{}</td><td><pre>{}</pre></td></tr>",
            taken.way,
            escape(&taken.to),
            escape(&taken.text)
        );
    }
    body.push_str("</tbody></table>");
    page(StatusCode::OK, WHO, "收到的訊息", &body)
}

async fn sms(State(shared): App, headers: HeaderMap, body: Bytes) -> Response {
    let is_json = headers
        .get(header::CONTENT_TYPE)
        .is_some_and(|kind| kind.as_bytes().starts_with(b"application/json"));
    let fields: HashMap<String, String> = if is_json {
        serde_json::from_slice(&body).unwrap_or_default()
    } else {
        url::form_urlencoded::parse(&body).into_owned().collect()
    };
    send_sms(&shared, &fields).await
}

async fn sms_by_query(
    State(shared): App,
    axum::extract::Query(fields): axum::extract::Query<HashMap<String, String>>,
) -> Response {
    send_sms(&shared, &fields).await
}

async fn send_sms(shared: &Shared, fields: &HashMap<String, String>) -> Response {
    if let Some(answer) = fault(shared).await {
        return answer;
    }
    if let Some(text) = shared.faults().gateway {
        return text.into_response();
    }
    let field = |name: &str| fields.get(name).map(String::as_str).unwrap_or_default();
    let (account, password) = &shared.config.account;
    if (field("username"), field("password")) != (account.as_str(), password.as_str()) {
        return "statuscode=e\nError=帳號、密碼錯誤".into_response();
    }
    let number = field("dstaddr");
    let is_number = number.trim_start_matches("+886").trim_start_matches('0').len() == 9;
    if !is_number {
        return "statuscode=v\nError=無效的手機號碼".into_response();
    }
    // as gateways do that know a message by the name its sender gave
    let is_new = shared.take("sms", number, field("smbody"), field("clientid"));
    let repeated = if is_new { "" } else { "\nDuplicate=Y" };
    format!(
        "[1]\nmsgid={}\nstatuscode=1\nAccountPoint=98{repeated}",
        field("clientid")
    )
    .into_response()
}

async fn line(State(shared): App, headers: HeaderMap, Json(body): Json<Value>) -> Response {
    if let Some(answer) = fault(&shared).await {
        return answer;
    }
    let get = |name: &str| {
        headers
            .get(name)
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default()
    };
    if get("authorization") != format!("Bearer {}", shared.config.line_token) {
        return StatusCode::UNAUTHORIZED.into_response();
    }
    let key = get("x-line-retry-key").to_owned();
    if uuid::Uuid::parse_str(&key).is_err() {
        return StatusCode::BAD_REQUEST.into_response();
    }
    let text = |pointer: &str| body.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
    let to = text("/to");
    if to.len() != 33 || text("/messages/0/type") != "text" || text("/messages/0/text").is_empty() {
        let refused = json!({ "message": "The property, 'to', in the request body is invalid" });
        return (StatusCode::BAD_REQUEST, Json(refused)).into_response();
    }
    if !shared.take("line", to, text("/messages/0/text"), &key) {
        let refused = json!({ "message": "The retry key is already accepted" });
        return (
            StatusCode::CONFLICT,
            [("x-line-accepted-request-id", "7")],
            Json(refused),
        )
            .into_response();
    }
    Json(json!({ "sentMessages": [{ "id": "461230966842064897", "quoteToken": "q" }] })).into_response()
}

/// Whether the proof of the city's key (RFC 8292) is for this service, in time and by the key it names.
fn is_proven(shared: &Shared, authorization: &str) -> bool {
    let check = || -> Option<bool> {
        let pairs: HashMap<&str, &str> = authorization
            .strip_prefix("vapid ")?
            .split(',')
            .filter_map(|pair| pair.trim().split_once('='))
            .collect();
        let (token, key) = (pairs.get("t")?, pairs.get("k")?);
        let mut text = key.replace('-', "+").replace('_', "/");
        while !text.len().is_multiple_of(4) {
            text.push('=');
        }
        let point = openssl::base64::decode_block(&text).ok()?;
        let (x, y) = point.strip_prefix(&[4])?.split_at_checked(32)?;
        let jwk =
            json!({ "kty": "EC", "crv": "P-256", "x": crate::base64url::encode(x), "y": crate::base64url::encode(y) });
        let verifier = ES256
            .verifier_from_jwk(&Jwk::from_map(jwk.as_object()?.clone()).ok()?)
            .ok()?;
        let (claims, _): (_, JwsHeader) = jwt::decode_with_verifier(token, &verifier).ok()?;
        let claim = |name: &str| claims.claim(name).cloned().unwrap_or_default();
        let now = jiff::Timestamp::now().as_second();
        let until = claim("exp").as_i64()?;
        let contact = claim("sub")
            .as_str()
            .is_some_and(|contact| contact.starts_with("mailto:"));
        Some(claim("aud") == json!(shared.address) && until > now && until <= now + 86_400 && contact)
    };
    check().unwrap_or(false)
}

async fn push(State(shared): App, Path(name): Path<String>, headers: HeaderMap, body: Bytes) -> Response {
    if let Some(answer) = fault(&shared).await {
        return answer;
    }
    let get = |name: &str| {
        headers
            .get(name)
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default()
    };
    let Some(browser) = shared.kept().browsers.get(&name).cloned() else {
        return StatusCode::GONE.into_response();
    };
    if !is_proven(&shared, get("authorization")) {
        return StatusCode::FORBIDDEN.into_response();
    }
    if get("ttl").parse::<u32>().is_err() || get("content-encoding") != "aes128gcm" {
        return StatusCode::BAD_REQUEST.into_response();
    }
    if body.len() > 4096 {
        return StatusCode::PAYLOAD_TOO_LARGE.into_response();
    }
    let Some(content) = browser.open(&body) else {
        return StatusCode::BAD_REQUEST.into_response();
    };
    let text = format!(
        "{} [{} {}]",
        String::from_utf8_lossy(&content),
        get("urgency"),
        get("topic")
    );
    shared.take("push", &name, &text, get("topic"));
    (
        StatusCode::CREATED,
        [(header::LOCATION, format!("{}/message/1", shared.address))],
    )
        .into_response()
}
