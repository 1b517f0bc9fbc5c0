//! The platform as the city's client: what it calls with, what it says of a token, and how it holds what comes.

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::IntoResponse as _;
use axum::routing::get as on_get;
use openssl::base64::encode_block;
use peers::{CityDataSet, Config, Running, Terms};
use tempfile::TempDir;
use tokio::net::TcpListener;
use url::Url;

use crate::support::city::City;
use crate::support::http::{Reply, get, post, receive, send};
use crate::support::{HAO, MEI, config};

const SET: &str = "API.CityTest01";

/// What the city is asked, and what it answers.
#[derive(Default)]
struct Asked {
    headers: Vec<HeaderMap>,
    answer: (u16, Vec<u8>),
}

struct World {
    peers: Running,
    asked: Arc<Mutex<Asked>>,
    _folder: TempDir,
}

impl World {
    async fn new() -> World {
        let asked: Arc<Mutex<Asked>> = Arc::default();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}/{SET}", listener.local_addr().unwrap());
        let router = Router::new()
            .route(
                "/{set}",
                on_get(
                    |State(asked): State<Arc<Mutex<Asked>>>, Path(_): Path<String>, headers: HeaderMap| async move {
                        let mut asked = asked.lock().unwrap();
                        asked.headers.push(headers);
                        let (status, body) = asked.answer.clone();
                        let status = StatusCode::from_u16(status).unwrap();
                        (status, [("retry-after", "7")], body).into_response()
                    },
                ),
            )
            .with_state(Arc::clone(&asked));
        tokio::spawn(async move { axum::serve(listener, router).await });
        let folder = tempfile::tempdir().unwrap();
        let config = Config {
            offered: vec![CityDataSet {
                resource_id: SET.to_owned(),
                title: "市府資料".to_owned(),
                address: Url::parse(&address).unwrap(),
                parameters: vec![("INQ_YR".to_owned(), "年度".to_owned())],
            }],
            ..config(&City::open().await, &folder)
        };
        let peers = peers::start_on(config, Terms::default()).await.unwrap();
        World {
            peers,
            asked,
            _folder: folder,
        }
    }

    fn answers(&self, status: u16, body: &[u8]) {
        self.asked.lock().unwrap().answer = (status, body.to_vec());
    }

    fn at(&self, path: &str) -> Url {
        self.peers.mydata.address.join(path).unwrap()
    }

    async fn fetch(&self, person: &str) -> Reply {
        let form = [("pid", person), ("way", "cer"), ("resource", SET), ("_INQ_YR", "115")];
        post(&self.at("data/fetch"), &[], &form).await
    }

    /// The newest call's header.
    fn header(&self, name: &str) -> String {
        let asked = self.asked.lock().unwrap();
        let headers = asked.headers.last().unwrap();
        headers[name].to_str().unwrap().to_owned()
    }

    async fn introspect(&self, id: &str, secret: &str, token: &str) -> Reply {
        let basic = format!("Basic {}", encode_block(format!("{id}:{secret}").as_bytes()));
        post(
            &self.at("connect/introspect"),
            &[("authorization", &basic)],
            &[("token", token)],
        )
        .await
    }
}

#[tokio::test]
async fn the_city_is_called_with_a_token_that_the_platform_knows() {
    let world = World::new().await;
    world.answers(204, b"");
    assert!(world.fetch(MEI).await.text().contains("查無資料"));
    let token = world
        .header("authorization")
        .strip_prefix("Bearer ")
        .unwrap()
        .to_owned();
    let (prefix, secret) = token.split_once("::").unwrap();
    assert_eq!((prefix, secret.len()), ("mydata", 64));
    assert!(
        secret
            .bytes()
            .all(|one| one.is_ascii_lowercase() || one.is_ascii_digit())
    );
    assert_eq!(world.header("INQ_YR"), "115");
    assert_eq!(world.header("content-type"), "application/zip");
    let transaction = world.header("transaction_uid");
    assert_eq!(transaction.len(), 36);

    let ours = world.peers.mydata.resource_secrets[SET].clone();
    let active = world.introspect(SET, &ours, &token).await.json();
    assert_eq!(active, serde_json::json!({ "active": true, "verification": "CER" }));
    for (id, secret, token) in [
        (SET, "another", token.as_str()),
        ("API.Another001", ours.as_str(), token.as_str()),
        (SET, ours.as_str(), "mydata::unknown"),
    ] {
        let reply = world.introspect(id, secret, token).await;
        assert_eq!((reply.status, reply.json()["active"].clone()), (200, false.into()));
    }
    let bearer = format!("Bearer {token}");
    let told = get(&world.at("connect/userinfo"), &[("authorization", &bearer)])
        .await
        .json();
    assert_eq!(
        (told["uid"].as_str(), told["uid_verified"].as_str()),
        (Some(MEI), Some("True"))
    );
    let dead = get(&world.at("connect/userinfo"), &[("authorization", "Bearer mydata::x")]).await;
    assert_eq!(dead.status, 401);

    // the platform noted that it asked, and nothing that it got
    let today = civic::legal_day(jiff::Timestamp::now()).to_string();
    let ask =
        format!(r#"{{"resource_id":"{SET}","stime":"{today}","etime":"{today}","transaction_uid":[],"event":[]}}"#);
    let json = [("content-type", "application/json")];
    let log = receive(send("POST", &world.at("log/dp"), &json, ask.as_bytes()).await)
        .await
        .json();
    let lines = log["data"].as_array().unwrap();
    assert_eq!(lines.len(), 1);
    assert_eq!(
        (lines[0]["event"].as_str(), lines[0]["transaction_uid"].as_str()),
        (Some("250"), Some(transaction.as_str()))
    );
    for (body, status) in [("{}", 403), (r#"{"resource_id":"API.X"}"#, 400)] {
        let reply = receive(send("POST", &world.at("log/dp"), &json, body.as_bytes()).await).await;
        assert_eq!(reply.status, status);
    }
}

#[tokio::test]
async fn what_the_city_answers_is_told_and_what_is_not_signed_is_refused() {
    let world = World::new().await;
    world.answers(429, b"");
    let page = world.fetch(HAO).await.text();
    assert!(page.contains("約 7 秒後可以再取"), "{page}");
    let first = world.header("transaction_uid");
    let again = [("transaction", first.as_str())];
    post(&world.at("data/again"), &[], &again).await;
    assert_eq!(world.header("transaction_uid"), first, "the same on every repetition");

    for (status, body, told) in [
        (200, b"no zip".as_slice(), "不能使用"),
        (403, b"", "403"),
        (302, b"", "302"),
        (500, b"", "500"),
    ] {
        world.answers(status, body);
        let reply = world.fetch(MEI).await;
        assert_eq!(reply.status, 502);
        assert!(reply.text().contains(told), "{status}");
    }
    // a name with marks in it is shown as text
    world.answers(204, b"");
    let page = post(&world.at("data"), &[], &[("pid", HAO), ("way", "nhi")])
        .await
        .text();
    assert!(page.contains("市府資料") && !page.contains("<b>"));
    assert_eq!(post(&world.at("data"), &[], &[("pid", "A100000001")]).await.status, 404);
    let nobody = [("transaction", "00000000-0000-0000-0000-000000000000")];
    assert_eq!(post(&world.at("data/again"), &[], &nobody).await.status, 502);
}
