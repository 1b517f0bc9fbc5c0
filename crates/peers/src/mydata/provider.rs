//! The platform as the city's client: tokens of citizens, the call of a data set (DP-API), what the city asks about a token, and the
//! record of it all.

use super::{Shared, unpack};
use crate::keys;
use axum::Json;
use axum::extract::{Form, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use openssl::base64::decode_block;
use serde_json::{Value, json};
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use url::Url;
use uuid::Uuid;

/// Life of a token, seconds.
const TOKEN: i64 = 2 * 3600;
/// Most further tries, and the seconds in which they are made.
const TRIES: u32 = 16;
const LONGEST: i64 = 5400;
/// Longest wait for the city's answer, and most bytes of it.
const WAIT: Duration = Duration::from_secs(15);
const LARGEST: u64 = 64 << 20;

type App = State<Arc<Shared>>;

/// A data set of the city, as it registered it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CityDataSet {
    /// `API.` and ten characters.
    pub resource_id: String,
    /// Name.
    pub title: String,
    /// Address of the DP-API.
    pub address: Url,
    /// Own parameters: the header and what it is called.
    pub parameters: Vec<(String, String)>,
}

/// A citizen's right to have one data set fetched.
pub struct Token {
    pub national_id: String,
    pub resource: String,
    pub verification: &'static str,
    made: i64,
}

/// A data set being fetched.
pub struct Fetching {
    token: String,
    resource: String,
    parameters: BTreeMap<String, String>,
    began: i64,
    tries: u32,
}

/// What the platform keeps of the city's data sets.
#[derive(Default)]
pub struct Provided {
    tokens: HashMap<String, Token>,
    fetching: HashMap<Uuid, Fetching>,
    /// Transaction, data set, time, event.
    log: Vec<(Uuid, String, i64, &'static str)>,
}

impl Provided {
    pub fn sweep(&mut self, now: i64) {
        self.tokens.retain(|_, token| now - token.made <= TOKEN);
        self.fetching.retain(|_, one| now - one.began <= LONGEST);
    }
}

/// What became of a call.
pub enum Called {
    /// 200 and a package whose signature holds.
    Data(BTreeMap<String, Vec<u8>>),
    /// 204.
    Nothing,
    /// 429: again after so many seconds, with this transaction.
    Later(Uuid, u64),
    /// It failed; what the citizen is told.
    Failed(String),
}

/// Begins to fetch a data set for a citizen who was verified this way.
pub async fn begin(
    shared: &Shared,
    national_id: &str,
    resource: &CityDataSet,
    verification: &'static str,
    parameters: BTreeMap<String, String>,
) -> Called {
    let Some(secret) = keys::random(64).ok() else {
        return Called::Failed("the platform has no randomness".to_owned());
    };
    let token = format!("mydata::{secret}");
    let transaction = Uuid::new_v4();
    let now = shared.now();
    {
        let mut kept = shared.kept();
        kept.provided.tokens.insert(
            token.clone(),
            Token {
                national_id: national_id.to_owned(),
                resource: resource.resource_id.clone(),
                verification,
                made: now,
            },
        );
        kept.provided.fetching.insert(
            transaction,
            Fetching {
                token,
                resource: resource.resource_id.clone(),
                parameters,
                began: now,
                tries: 0,
            },
        );
    }
    go_on(shared, transaction).await
}

/// Calls the city, for the first time or again.
pub async fn go_on(shared: &Shared, transaction: Uuid) -> Called {
    let faults = shared.faults.now();
    let now = shared.now();
    let (token, resource, parameters) = {
        let mut kept = shared.kept();
        let Some(one) = kept.provided.fetching.get_mut(&transaction) else {
            return Called::Failed("這次的申請已經結束。".to_owned());
        };
        one.tries += 1;
        if one.tries > TRIES + 1 || now - one.began > LONGEST {
            return Called::Failed("市府一直沒有準備好資料。".to_owned());
        }
        let found = (one.token.clone(), one.resource.clone(), one.parameters.clone());
        kept.provided.log.push((transaction, found.1.clone(), now, "250"));
        found
    };
    let Some(set) = shared.offered.iter().find(|set| set.resource_id == resource) else {
        return Called::Failed("沒有這項資料。".to_owned());
    };
    let token = if faults.forged_token {
        token.replace("mydata::", "mydatadev::")
    } else {
        token
    };
    let mut headers = vec![
        ("Authorization".to_owned(), format!("Bearer {token}")),
        ("transaction_uid".to_owned(), transaction.to_string()),
        ("Content-Type".to_owned(), "application/zip".to_owned()),
        ("Accept".to_owned(), "*/*".to_owned()),
    ];
    headers.extend(parameters);
    let called = tokio::time::timeout(WAIT, get(&set.address, &headers)).await;
    let reply = match called {
        Ok(Ok(Some(reply))) => reply,
        _ => return Called::Failed("市府的系統沒有回應。".to_owned()),
    };
    match reply.status {
        200 => {
            shared
                .kept()
                .provided
                .log
                .push((transaction, resource, shared.now(), "280"));
            match unpack::open(reply.body, &shared.keys.root_pem).await {
                Ok(files) => Called::Data(files),
                Err(why) => Called::Failed(format!("市府的資料不能使用：{why}")),
            }
        }
        204 => Called::Nothing,
        429 | 426 => Called::Later(transaction, reply.retry_after.unwrap_or(10)),
        other => Called::Failed(format!("市府拒絕提供（{other}）。")),
    }
}

struct Reply {
    status: u16,
    retry_after: Option<u64>,
    body: Vec<u8>,
}

/// A `GET` whose header names go out exactly as written.
async fn get(url: &Url, headers: &[(String, String)]) -> std::io::Result<Option<Reply>> {
    let (Some(host), Some(port)) = (url.host_str(), url.port_or_known_default()) else {
        return Ok(None);
    };
    let mut stream = TcpStream::connect((host, port)).await?;
    let mut request = format!(
        "GET {} HTTP/1.1\r\nHost: {host}:{port}\r\nConnection: close\r\n",
        url.path()
    );
    for (name, value) in headers {
        let clean: String = value.chars().filter(|letter| !letter.is_control()).collect();
        request.push_str(&format!("{name}: {clean}\r\n"));
    }
    request.push_str("\r\n");
    stream.write_all(request.as_bytes()).await?;
    let mut answer = Vec::new();
    stream.take(LARGEST).read_to_end(&mut answer).await?;
    let Some(end) = answer.windows(4).position(|four| four == b"\r\n\r\n") else {
        return Ok(None);
    };
    let body = answer.split_off(end + 4);
    let head = String::from_utf8_lossy(&answer).into_owned();
    let mut lines = head.split("\r\n");
    let status = lines
        .next()
        .and_then(|line| line.split_whitespace().nth(1)?.parse().ok());
    let mut retry_after = None;
    let mut length = None;
    for line in lines {
        let Some((name, value)) = line.split_once(':') else {
            continue;
        };
        match name.trim().to_ascii_lowercase().as_str() {
            "retry-after" => retry_after = value.trim().parse().ok(),
            "content-length" => length = value.trim().parse::<usize>().ok(),
            _ => {}
        }
    }
    // a body that broke off is no answer
    if length.is_some_and(|length| length != body.len()) {
        return Ok(None);
    }
    Ok(status.map(|status| Reply {
        status,
        retry_after,
        body,
    }))
}

/// `POST /connect/introspect`: whether a token stands for the data set that asks.
pub async fn introspect(State(shared): App, headers: HeaderMap, Form(form): Form<HashMap<String, String>>) -> Response {
    let inactive = || Json(json!({ "active": false })).into_response();
    let basic = headers
        .get("authorization")
        .and_then(|value| value.to_str().ok()?.strip_prefix("Basic "))
        .and_then(|value| String::from_utf8(decode_block(value).ok()?).ok());
    let Some((id, secret)) = basic.as_deref().and_then(|pair| pair.split_once(':')) else {
        return inactive();
    };
    if shared.facts.resource_secrets.get(id).map(String::as_str) != Some(secret) {
        return inactive();
    }
    let kept = shared.kept();
    let token = form.get("token").and_then(|token| kept.provided.tokens.get(token));
    match token.filter(|token| token.resource == id) {
        Some(token) => Json(json!({ "active": true, "verification": token.verification })).into_response(),
        None => inactive(),
    }
}

/// `GET /connect/userinfo`: whose token it is.
pub async fn userinfo(State(shared): App, headers: HeaderMap) -> Response {
    let token = headers
        .get("authorization")
        .and_then(|value| value.to_str().ok()?.strip_prefix("Bearer "));
    let found = {
        let kept = shared.kept();
        let token = token.and_then(|token| kept.provided.tokens.get(token));
        token.map(|token| token.national_id.clone())
    };
    let Some(account) = found.and_then(|id| shared.population.find(&id)) else {
        return StatusCode::UNAUTHORIZED.into_response();
    };
    let unverified = shared.faults.now().unverified;
    Json(json!({
        "sub": format!("{:x}", pseudonym(&account.national_id)),
        "cn": account.name,
        "uid": account.national_id,
        "uid_verified": if unverified { "False" } else { "True" },
        "birthdate": account.birth_date.to_string(),
        "gender": "",
        "email": account.email.unwrap_or_default(),
        "account": "",
    }))
    .into_response()
}

/// A number that stands for a person and is not their id.
fn pseudonym(text: &str) -> u64 {
    openssl::sha::sha256(text.as_bytes())
        .iter()
        .take(8)
        .fold(0, |sum, byte| (sum << 8) | u64::from(*byte))
}

/// `POST /log/dp`: what the platform noted of a data set.
pub async fn log(State(shared): App, Json(asked): Json<Value>) -> Response {
    let text = |name: &str| asked.get(name).and_then(Value::as_str);
    let Some(resource) = text("resource_id") else {
        return StatusCode::FORBIDDEN.into_response();
    };
    let (Some(from), Some(to)) = (text("stime"), text("etime")) else {
        return StatusCode::BAD_REQUEST.into_response();
    };
    let listed = |name: &str| -> Vec<String> {
        let list = asked.get(name).and_then(Value::as_array);
        list.map(|list| list.iter().filter_map(|one| Some(one.as_str()?.to_owned())).collect())
            .unwrap_or_default()
    };
    let (transactions, events) = (listed("transaction_uid"), listed("event"));
    let kept = shared.kept();
    let lines = kept.provided.log.iter().filter_map(|(transaction, set, at, event)| {
        let at = jiff::Timestamp::from_second(*at).ok()?;
        let local = civic::legal_time(at);
        let day = local.date().to_string();
        let wanted = set == resource
            && day.as_str() >= from
            && day.as_str() <= to
            && (transactions.is_empty() || transactions.contains(&transaction.to_string()))
            && (events.is_empty() || events.iter().any(|one| one == event));
        wanted.then(|| {
            json!({
                "transaction_uid": transaction,
                "ctime": local.strftime("%Y-%m-%d %H:%M:%S").to_string(),
                "event": event,
                "ip": "127.0.0.1",
            })
        })
    });
    let data: Vec<Value> = lines.collect();
    (
        [("content-type", "application/jwe; charset=UTF-8")],
        json!({ "resource_id": resource, "data": data }).to_string(),
    )
        .into_response()
}
