//! Redirect, return, notification and fetch.

use crate::support::envelope::{service_open, service_seal};
use crate::support::pki::ROOT;
use crate::support::{CBC_IV, CLIENT_SECRET, SECRET_KEY, config, connector, now, secret_key, transaction};
use axum::http::{HeaderMap, StatusCode};
use axum::response::IntoResponse;
use axum::{Router, routing::get};
use civic::NationalId;
use exchange::mydata::{
    Config, ConfigError, Connector, Fetch, FetchError, Notification, NotificationError, RequestError, ReturnCode,
    ReturnError,
};
use jiff::SignedDuration;
use serde_json::{Value, json};
use std::time::Duration;
use url::Url;

const TICKET: &str = "0d9f1a52-6c1b-4f3e-9a77-5c1d2e3f4a5b";

fn return_url() -> Url {
    "https://city.example/mydata/return?case=7".parse().unwrap()
}

#[test]
fn redirects_as_the_platform_expects() {
    let person = NationalId::parse("A123456789").unwrap();
    let resources = ["API.household1".to_owned(), "API.income0001".to_owned()];
    let begin = connector(&ROOT.pem())
        .begin(transaction(), &person, &resources, &return_url())
        .unwrap();
    let path: Vec<&str> = begin.redirect.path_segments().unwrap().collect();
    assert_eq!(path[..2], ["service", "CLI.0123456789"]);
    let asked = {
        use base64::Engine;
        base64::engine::general_purpose::STANDARD.decode(path[2]).unwrap()
    };
    assert_eq!(asked, b"API.household1:API.income0001");
    assert_eq!(path[3], transaction().to_string());
    let query: Vec<(String, String)> = begin.redirect.query_pairs().into_owned().collect();
    assert_eq!(query[0], ("returnUrl".to_owned(), return_url().to_string()));
    assert_eq!(query[1].0, "pid");
    assert_eq!(service_open(CLIENT_SECRET, CBC_IV, &query[1].1), "A123456789");
    assert!(!begin.redirect.as_str().contains("A123456789"));
    assert!(!format!("{begin:?}").contains("pid"));
}

#[test]
fn asks_for_nothing_that_the_platform_would_refuse() {
    let person = NationalId::parse("A123456789").unwrap();
    let connector = connector(&ROOT.pem());
    let begin = |resources: &[&str], url: Url| {
        let resources: Vec<String> = resources.iter().map(|id| (*id).to_owned()).collect();
        connector.begin(transaction(), &person, &resources, &url).map(|_| ())
    };
    assert_eq!(begin(&[], return_url()), Err(RequestError::NoResource));
    assert_eq!(
        begin(&["API.a", "API.a"], return_url()),
        Err(RequestError::Twice("API.a".to_owned()))
    );
    assert_eq!(
        begin(&["API:a"], return_url()),
        Err(RequestError::Form("API:a".to_owned()))
    );
    let elsewhere = "https://other.example/mydata/return".parse().unwrap();
    assert_eq!(begin(&["API.a"], elsewhere), Err(RequestError::ReturnUrl));
}

#[test]
fn refuses_unusable_configurations() {
    let with = |change: fn(&mut Config)| {
        let mut config = config(&ROOT.pem());
        change(&mut config);
        Connector::new(config).unwrap_err()
    };
    assert!(matches!(
        with(|config| config.cbc_iv.push('0')),
        ConfigError::Length {
            name: "cbc_iv",
            found: 17
        }
    ));
    assert!(matches!(
        with(|config| config.client_id.push('/')),
        ConfigError::ClientId
    ));
    assert!(matches!(
        with(|config| config.government_roots.clear()),
        ConfigError::Certificate { .. }
    ));
    assert!(matches!(
        with(|config| config.platform = "data:x".parse().unwrap()),
        ConfigError::Platform
    ));
    assert!(!format!("{:?}", config(&ROOT.pem())).contains(CLIENT_SECRET));
}

#[test]
fn reads_every_return_code() {
    let connector = connector(&ROOT.pem());
    let sealed = service_seal(CLIENT_SECRET, CBC_IV, &transaction().to_string());
    for number in [200, 205, 400, 401, 403, 404, 408, 409, 410, 423, 504, 599] {
        // The platform does not percent-encode: a plus arrives as a space.
        let back = connector
            .read_return(&format!("case=7&code={number}&tx_id={sealed}"))
            .unwrap();
        assert_eq!((back.tx_id, back.code.number()), (transaction(), number));
    }
    let plain = connector
        .read_return(&format!("code=401&tx_id={}", transaction()))
        .unwrap();
    assert_eq!(plain.code, ReturnCode::NotApproved);
    assert!(ReturnCode::Refused.may_try_again() && !ReturnCode::Agreed.may_try_again());
    assert!(ReturnCode::WrongReturnUrl.is_our_fault() && !ReturnCode::OtherPerson.is_our_fault());
}

#[test]
fn refuses_forged_returns() {
    let connector = connector(&ROOT.pem());
    let sealed = service_seal(CLIENT_SECRET, CBC_IV, &transaction().to_string());
    let foreign = service_seal("another-secret-0", CBC_IV, &transaction().to_string());
    for (query, expected) in [
        (format!("tx_id={sealed}"), ReturnError::Code),
        (format!("code=2xx&tx_id={sealed}"), ReturnError::Code),
        (format!("code=200&code=205&tx_id={sealed}"), ReturnError::Code),
        ("code=200".to_owned(), ReturnError::Transaction),
        (format!("code=200&tx_id={}", transaction()), ReturnError::Transaction),
        (format!("code=200&tx_id={foreign}"), ReturnError::Transaction),
        (
            format!("code=200&tx_id={sealed}&tx_id={sealed}"),
            ReturnError::Transaction,
        ),
        (
            format!("code=200&tx_id={}", service_seal(CLIENT_SECRET, CBC_IV, "no uuid")),
            ReturnError::Transaction,
        ),
    ] {
        assert_eq!(connector.read_return(&query), Err(expected), "{query}");
    }
}

/// A good notification as JSON.
fn notification() -> Value {
    json!({
        "tx_id": transaction().to_string(),
        "apiKey": "the-registered-key",
        "permission_ticket": TICKET,
        "secret_key": service_seal(CLIENT_SECRET, CBC_IV, SECRET_KEY),
    })
}

fn read(body: &Value) -> Result<Notification, NotificationError> {
    connector(&ROOT.pem()).read_notification(Some("application/json; charset=UTF-8"), body.to_string().as_bytes())
}

/// The good notification with one field changed, or removed.
fn with(field: &str, value: Value) -> Value {
    let mut body = notification();
    match value {
        Value::Null => body.as_object_mut().unwrap().remove(field),
        value => body.as_object_mut().unwrap().insert(field.to_owned(), value),
    };
    body
}

#[test]
fn reads_notifications() {
    let good = read(&notification()).unwrap();
    assert_eq!(
        (good.tx_id, good.permission_ticket.to_string()),
        (transaction(), TICKET.to_owned())
    );
    assert_eq!(good.secret_key, Some(secret_key()));
    assert!(!format!("{good:?}").contains(SECRET_KEY));
    let mut partial = with("secret_key", Value::Null);
    partial["unable_to_deliver"] = json!(["API.income0001"]);
    let partial = read(&partial).unwrap();
    assert_eq!(
        (partial.secret_key, partial.unable_to_deliver),
        (None, vec!["API.income0001".to_owned()])
    );
    let kept: Notification = serde_json::from_str(&serde_json::to_string(&good).unwrap()).unwrap();
    assert_eq!(kept, good);
}

#[test]
fn refuses_forged_notifications() {
    for (body, expected) in [
        (with("apiKey", json!("guess")), NotificationError::ApiKey),
        (with("apiKey", Value::Null), NotificationError::ApiKey),
        (with("tx_id", json!("7")), NotificationError::Transaction),
        (with("permission_ticket", json!("ticket")), NotificationError::Ticket),
        (with("secret_key", json!(SECRET_KEY)), NotificationError::SecretKey),
        (
            with(
                "secret_key",
                json!(service_seal("another-secret-0", CBC_IV, SECRET_KEY)),
            ),
            NotificationError::SecretKey,
        ),
        (
            with("secret_key", json!(service_seal(CLIENT_SECRET, CBC_IV, "short"))),
            NotificationError::SecretKey,
        ),
        (with("secret_key", Value::Null), NotificationError::Nothing),
        (with("unable_to_deliver", json!(["API.a"])), NotificationError::Both),
        (with("unable_to_deliver", json!(["../x"])), NotificationError::Resources),
    ] {
        assert_eq!(read(&body), Err(expected), "{body}");
    }
    let connector = connector(&ROOT.pem());
    let text = notification().to_string();
    let read = |media: Option<&str>, body: &[u8]| connector.read_notification(media, body).unwrap_err();
    assert_eq!(
        read(Some("text/plain"), text.as_bytes()),
        NotificationError::ContentType
    );
    assert_eq!(read(None, text.as_bytes()), NotificationError::ContentType);
    assert!(matches!(
        read(Some("application/json"), b"{"),
        NotificationError::Json { .. }
    ));
    assert!(matches!(
        read(Some("application/json"), b"[]"),
        NotificationError::Json { .. }
    ));
    assert_eq!(
        read(Some("application/json"), &vec![b' '; 1 << 17]),
        NotificationError::TooLarge
    );
}

#[test]
fn checks_notifications_against_their_transaction() {
    let connector = connector(&ROOT.pem());
    let times = &connector.config().times;
    let (begun, asked) = (now(), ["API.household1".to_owned()]);
    let check = |notification: &Notification, seconds: i64| {
        notification.check(times, begun, &asked, begun + SignedDuration::from_secs(seconds))
    };
    let good = read(&notification()).unwrap();
    assert_eq!(check(&good, 90), Ok(()));
    assert_eq!(check(&good, -90), Ok(()), "the clocks may differ a little");
    assert_eq!(check(&good, -600), Err(NotificationError::TooEarly));
    assert_eq!(check(&good, 4 * 3600), Err(NotificationError::TooLate));
    let mut foreign = good;
    foreign.unable_to_deliver = vec!["API.income0001".to_owned()];
    assert_eq!(
        check(&foreign, 90),
        Err(NotificationError::NotAsked("API.income0001".to_owned()))
    );
    assert!(connector.is_ticket_open(begun, begun + SignedDuration::from_hours(7)));
    assert!(!connector.is_ticket_open(begun, begun + SignedDuration::from_hours(9)));
}

/// Answers the fetch as its ticket says; checks the headers.
async fn answer(headers: HeaderMap) -> axum::response::Response {
    let ticket = headers
        .get("permission_ticket")
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    assert_eq!(headers.get("tx_id").unwrap(), &transaction().to_string());
    let later = |seconds: &'static str| (StatusCode::TOO_MANY_REQUESTS, [("Retry-After", seconds)]).into_response();
    match ticket.get(..4) {
        Some("0200") => "a.b.c.d.e".into_response(),
        Some("0429") => later("75"),
        Some("1429") => later("0"),
        Some("2429") => later("999999999"),
        Some("3429") => StatusCode::TOO_MANY_REQUESTS.into_response(),
        Some("1200") => vec![b'a'; 3 << 20].into_response(),
        Some("0302") => (StatusCode::FOUND, [("Location", "http://127.0.0.1:1/")]).into_response(),
        Some(number) => StatusCode::from_u16(number[1..].parse().unwrap())
            .unwrap()
            .into_response(),
        None => StatusCode::BAD_REQUEST.into_response(),
    }
}

#[tokio::test]
async fn fetches_once() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let mut config = config(&ROOT.pem());
    config.platform = format!("http://{}/mydata/", listener.local_addr().unwrap())
        .parse()
        .unwrap();
    config.limits.jwe_bytes = 1 << 20;
    let router = Router::new().route("/mydata/service/data", get(answer));
    let server = tokio::spawn(async move { axum::serve(listener, router).await });
    let connector = Connector::new(config).unwrap();
    let fetch = async |first: &str| {
        let mut notification = read(&notification()).unwrap();
        notification.permission_ticket = format!("{first}0000{}", &TICKET[8..]).parse().unwrap();
        connector.fetch(&notification).await
    };
    assert_eq!(fetch("0200").await.unwrap(), Fetch::Package(b"a.b.c.d.e".to_vec()));
    for (ticket, expected) in [
        ("0201", Fetch::Taken),
        ("0204", Fetch::Empty),
        ("0403", Fetch::Gone),
        ("0504", Fetch::Failed),
        ("0429", Fetch::Later(Duration::from_secs(75))),
        ("1429", Fetch::Later(Duration::from_secs(10))),
        ("2429", Fetch::Later(Duration::from_secs(5400))),
        ("3429", Fetch::Later(Duration::from_secs(10))),
    ] {
        assert_eq!(fetch(ticket).await.unwrap(), expected, "{ticket}");
    }
    assert!(matches!(fetch("0400").await.unwrap_err(), FetchError::NoTicketSeen));
    assert!(matches!(
        fetch("0401").await.unwrap_err(),
        FetchError::AddressNotAllowed
    ));
    assert!(
        matches!(fetch("0302").await.unwrap_err(), FetchError::Status(302)),
        "no redirect is followed"
    );
    assert!(fetch("0503").await.unwrap_err().may_retry());
    assert!(matches!(fetch("1200").await.unwrap_err(), FetchError::TooLarge(_)));
    server.abort();
    let unreachable = connector_to_nobody()
        .fetch(&read(&notification()).unwrap())
        .await
        .unwrap_err();
    assert!(matches!(unreachable, FetchError::Unreachable(_)) && unreachable.may_retry());
}

/// A connector whose platform does not answer.
fn connector_to_nobody() -> Connector {
    let mut config = config(&ROOT.pem());
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    config.platform = format!("http://{}", listener.local_addr().unwrap()).parse().unwrap();
    Connector::new(config).unwrap()
}
