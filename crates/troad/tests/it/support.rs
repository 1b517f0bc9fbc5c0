//! A city's gateway beside the demonstration's other member.

use bytes::Bytes;
use civic::{Clock, SystemClock};
use http_body_util::{BodyExt, Full, StreamBody};
use hyper::body::Frame;
use hyper::{Request, StatusCode};
use hyper_util::rt::TokioIo;
use jiff::{SignedDuration, Timestamp};
use peers::road::{self, AGENCY, CITY, PORTAL, REGISTERS, Road};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;
use tempfile::TempDir;
use troad::config::Config;
use troad::directory::Directory;
use troad::ids::{MemberId, ServiceId};
use troad::{Gateway, Running, Seal};

/// Key of the city's case management.
pub const KEY: &str = "a key of the case management";
/// Code of the service the city offers.
pub const OFFERED: &str = "city-services";

/// The machine's clock, moved by seconds.
#[derive(Default)]
pub struct Moved(AtomicI64);

impl Moved {
    pub fn by(&self, seconds: i64) {
        self.0.store(seconds, Ordering::SeqCst);
    }
}

impl Clock for Moved {
    fn now(&self) -> Timestamp {
        let by = SignedDuration::from_secs(self.0.load(Ordering::SeqCst));
        SystemClock.now().checked_add(by).unwrap()
    }
}

/// The city and the other member.
pub struct City {
    pub road: Road,
    pub running: Running,
    pub clock: Arc<Moved>,
    pub folder: PathBuf,
    pub _kept: TempDir,
}

/// What is done with the files of the city's set-up.
pub type Before = Box<dyn FnOnce(&Road, &Path)>;
/// What is changed of a value.
pub type Change<T> = Box<dyn FnOnce(&mut T)>;

/// What a test changes before the city starts.
#[derive(Default)]
pub struct Wishes {
    pub seal: Option<Seal>,
    pub denied: Vec<String>,
    pub before: Option<Before>,
    pub config: Option<Change<Config>>,
    pub directory: Option<Change<Directory>>,
}

pub fn member(text: &str) -> MemberId {
    text.parse().unwrap()
}

pub fn portal() -> MemberId {
    member(&format!("{CITY}/{PORTAL}"))
}

/// A service of the other member.
pub fn theirs(code: &str) -> ServiceId {
    format!("{AGENCY}/{REGISTERS}/{code}").parse().unwrap()
}

/// The city's own service, as an identifier.
pub fn ours() -> String {
    format!("{CITY}/{PORTAL}/{OFFERED}")
}

pub fn sha256_hex(text: &str) -> String {
    openssl::sha::sha256(text.as_bytes())
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

impl City {
    pub async fn start() -> City {
        City::with(Wishes::default()).await
    }

    pub async fn with(wishes: Wishes) -> City {
        let kept = TempDir::new().unwrap();
        let config = road::Config {
            folder: kept.path().join("road"),
            registers: road::sample(),
            denied: wishes.denied.clone(),
        };
        let road = road::start(config).await.unwrap();
        City::beside(road, kept, wishes).await
    }

    /// Starts a city beside a member that runs already.
    pub async fn beside(road: Road, kept: TempDir, wishes: Wishes) -> City {
        let folder = kept.path().join("city");
        let directory = road.directory(OFFERED, &format!("{}exercise", road.system));
        let file = road.configure(&folder, &directory, &sha256_hex(KEY)).unwrap();
        if let Some(before) = wishes.before {
            before(&road, &folder);
        }
        let mut config = Config::read(&file).unwrap();
        if let Some(change) = wishes.config {
            change(&mut config);
        }
        let mut directory = troad::command::directory(&config).unwrap();
        if let Some(change) = wishes.directory {
            change(&mut directory);
        }
        let clock = Arc::new(Moved::default());
        let gateway = Gateway::open(config, directory, clock.clone(), wishes.seal).unwrap();
        let running = gateway.start().await.unwrap();
        City {
            road,
            running,
            clock,
            folder,
            _kept: kept,
        }
    }

    pub fn gateway(&self) -> &Gateway {
        &self.running.gateway
    }

    pub fn inside(&self) -> SocketAddr {
        self.running.inside.unwrap()
    }

    pub fn outside(&self) -> SocketAddr {
        self.running.outside.unwrap()
    }

    pub fn log(&self) -> PathBuf {
        self.folder.join("log")
    }

    /// Changes the directory while the city runs.
    pub fn change(&self, change: impl FnOnce(&mut Directory)) {
        let mut directory = self.gateway().directory();
        change(&mut directory);
        self.gateway().set_directory(directory).unwrap();
    }

    /// A call of the case management to a service of the other member.
    pub async fn get(&self, rest: &str) -> Reply {
        ask(
            self.inside(),
            "GET",
            &format!("/r1/{AGENCY}/{REGISTERS}/{rest}"),
            &usual(),
            b"",
        )
        .await
    }

    pub async fn post(&self, rest: &str, body: &[u8]) -> Reply {
        ask(
            self.inside(),
            "POST",
            &format!("/r1/{AGENCY}/{REGISTERS}/{rest}"),
            &usual(),
            body,
        )
        .await
    }
}

/// Waits until something is so, at most ten seconds.
pub async fn logged(is_so: impl Fn() -> bool) {
    for _ in 0..200 {
        if is_so() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert!(is_so(), "nothing was logged in time");
}

/// Headers every call of the case management has.
pub fn usual() -> Vec<(&'static str, String)> {
    vec![
        ("x-gateway-key", KEY.to_owned()),
        ("x-road-client", portal().to_string()),
    ]
}

#[derive(Debug, Clone)]
pub struct Reply {
    pub status: StatusCode,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
    pub whole: bool,
}

impl Reply {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(of, _)| of == name)
            .map(|(_, value)| value.as_str())
    }

    pub fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|_| panic!("{:?}", String::from_utf8_lossy(&self.body)))
    }

    /// Type of the fault, where the answer is one of the road.
    pub fn fault(&self) -> String {
        self.header("x-road-error").unwrap_or("none").to_owned()
    }
}

pub async fn ask(address: SocketAddr, method: &str, path: &str, headers: &[(&str, String)], body: &[u8]) -> Reply {
    let mut request = Request::builder().method(method).uri(path).header("host", "gateway");
    for (name, value) in headers {
        request = request.header(*name, value);
    }
    send(address, request.body(Full::new(Bytes::copy_from_slice(body))).unwrap()).await
}

/// Sends a body that comes in pieces without a declared length.
pub async fn pour(
    address: SocketAddr,
    path: &str,
    pieces: impl futures::Stream<Item = Result<Frame<Bytes>, std::io::Error>> + Send + 'static,
) -> Reply {
    let mut request = Request::builder().method("POST").uri(path).header("host", "gateway");
    for (name, value) in usual() {
        request = request.header(name, value);
    }
    send(address, request.body(StreamBody::new(Box::pin(pieces))).unwrap()).await
}

async fn send<B>(address: SocketAddr, request: Request<B>) -> Reply
where
    B: hyper::body::Body<Data = Bytes> + Send + 'static,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    let stream = tokio::net::TcpStream::connect(address).await.unwrap();
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream))
        .await
        .unwrap();
    let driver = tokio::spawn(connection);
    let response = sender.send_request(request).await.unwrap();
    let (parts, mut incoming) = response.into_parts();
    let mut reply = Reply {
        status: parts.status,
        headers: parts
            .headers
            .iter()
            .map(|(name, value)| (name.to_string(), String::from_utf8_lossy(value.as_bytes()).into_owned()))
            .collect(),
        body: Vec::new(),
        whole: true,
    };
    while let Some(frame) = incoming.frame().await {
        match frame {
            Ok(frame) => reply.body.extend(frame.into_data().unwrap_or_default()),
            Err(_) => {
                reply.whole = false;
                break;
            }
        }
    }
    driver.abort();
    reply
}
