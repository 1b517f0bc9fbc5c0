//! The load a bench puts on two gateways: a client, the consumer's gateway, mutual TLS, the provider's gateway, its system, all
//! on this machine. Run by `cargo xtask bench troad`; prints one line of JSON.

use crate::support::{City, KEY, Wishes, portal};
use bytes::Bytes;
use civic::SystemClock;
use http_body_util::{BodyExt, Empty};
use hyper::Request;
use hyper::client::conn::http1::SendRequest;
use hyper_util::rt::TokioIo;
use peers::road::{AGENCY, REGISTERS, Road};
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};
use troad::config::{Config, Wait};
use troad::directory::{Directory, Right};
use troad::{Gateway, Running};

/// Connections of the client.
const CLIENTS: usize = 32;
/// Calls a second at which latencies are compared.
const PACE: u32 = 500;

/// A second gateway of ours, for the agency.
async fn agency(road: &Road, folder: &Path, directory: &Directory, wait: Wait) -> Running {
    std::fs::create_dir_all(folder).unwrap();
    for (name, text) in [
        ("tls.pem", road.authentication.certificate_pem()),
        ("tls.key", road.authentication.key_pem()),
        ("sign.pem", road.signing.certificate_pem()),
        ("sign.key", road.signing.key_pem()),
        ("root.pem", road.authority.root_pem()),
        ("revoked.pem", road.authority.crl(30).unwrap()),
    ] {
        std::fs::write(folder.join(name), text).unwrap();
    }
    let settings = format!(
        "member = \"{AGENCY}\"\noutside = \"127.0.0.1:0\"\n[keys]\nauthentication_certificate = \"tls.pem\"\n\
         authentication_key = \"tls.key\"\nsigning_certificate = \"sign.pem\"\nsigning_key = \"sign.key\"\nroots = \"root.pem\"\n\
         crls = [\"revoked.pem\"]\n[log]\nfolder = \"log\"\n[timestamp]\nurl = \"{}\"\nroots = \"root.pem\"\n",
        road.stamps
    );
    std::fs::write(folder.join("gateway.toml"), settings).unwrap();
    let mut config = Config::read(&folder.join("gateway.toml")).unwrap();
    config.log.wait = wait;
    let mut directory = directory.clone();
    for interface in directory.interfaces.iter_mut().filter(|one| one.base.is_none()) {
        interface.base = Some(format!("{}{}", road.system, interface.id.code).parse().unwrap());
        directory.rights.push(Right {
            service: interface.id.clone(),
            client: portal(),
            endpoints: Vec::new(),
        });
    }
    let gateway = Gateway::open(config, directory, Arc::new(SystemClock), None).unwrap();
    gateway.start().await.unwrap()
}

async fn connect(address: SocketAddr) -> SendRequest<Empty<Bytes>> {
    let stream = tokio::net::TcpStream::connect(address).await.unwrap();
    stream.set_nodelay(true).unwrap();
    let (sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream))
        .await
        .unwrap();
    tokio::spawn(connection);
    sender
}

async fn once(sender: &mut SendRequest<Empty<Bytes>>, path: &str) -> Bytes {
    let request = Request::builder()
        .uri(path)
        .header("host", "gateway")
        .header("x-gateway-key", KEY)
        .header("x-road-client", portal().to_string());
    sender.ready().await.unwrap();
    let response = sender.send_request(request.body(Empty::new()).unwrap()).await.unwrap();
    assert_eq!(response.status(), 200);
    response.into_body().collect().await.unwrap().to_bytes()
}

/// Calls from all clients for a time, as fast as answers come or with so many a second together. Returns latencies, sorted.
async fn load(
    address: SocketAddr,
    path: &str,
    expected: &Bytes,
    seconds: u64,
    rate: Option<u32>,
) -> (f64, Vec<Duration>) {
    let began = Instant::now();
    let until = began + Duration::from_secs(seconds);
    let mut tasks = tokio::task::JoinSet::new();
    for client in 0..CLIENTS {
        let (path, expected) = (path.to_owned(), expected.clone());
        tasks.spawn(async move {
            let mut sender = connect(address).await;
            let step = rate.map(|rate| Duration::from_secs(1) * CLIENTS as u32 / rate);
            let mut due = began + step.unwrap_or_default() * client as u32 / CLIENTS as u32;
            let mut found = Vec::new();
            while Instant::now() < until {
                if let Some(step) = step {
                    tokio::time::sleep_until(due.into()).await;
                    due += step;
                }
                let sent = Instant::now();
                assert_eq!(once(&mut sender, &path).await, expected);
                found.push(sent.elapsed());
            }
            found
        });
    }
    let mut all: Vec<Duration> = tasks.join_all().await.concat();
    let per_second = all.len() as f64 / began.elapsed().as_secs_f64();
    all.sort_unstable();
    (per_second, all)
}

fn ms(sorted: &[Duration], share: f64) -> f64 {
    let at = ((sorted.len() - 1) as f64 * share) as usize;
    sorted[at].as_secs_f64() * 1000.0
}

/// Throughput, latencies straight to the system and over two gateways.
async fn measure(seconds: u64, wait: Wait) -> serde_json::Value {
    let city = City::with(Wishes {
        config: Some(Box::new(move |config| config.log.wait = wait)),
        ..Wishes::default()
    })
    .await;
    let folder = city.folder.join("agency");
    let provider = agency(&city.road, &folder, &city.gateway().directory(), wait).await;
    let at = provider.outside.unwrap().to_string();
    city.change(|directory| directory.members[1].gateways[0].address = at);
    let rest = "household-registry/persons/A123456789";
    let over = format!("/r1/{AGENCY}/{REGISTERS}/{rest}");
    let straight = format!("/{rest}");
    let system: SocketAddr = city.road.system["http://".len()..]
        .trim_end_matches('/')
        .parse()
        .unwrap();
    let direct = once(&mut connect(system).await, &straight).await;
    let equal = once(&mut connect(city.inside()).await, &over).await == direct;
    load(city.inside(), &over, &direct, 2, None).await;
    let (requests_per_s, full) = load(city.inside(), &over, &direct, seconds, None).await;
    let (_, alone) = load(system, &straight, &direct, seconds, Some(PACE)).await;
    let (paced_per_s, paced) = load(city.inside(), &over, &direct, seconds, Some(PACE)).await;
    let city_log = city.log();
    city.running.shutdown().await;
    provider.shutdown().await;
    let roots = city.road.authority.root_pem();
    let logs = [city_log, folder.join("log")];
    let sound = logs.map(|log| troad::command::verify_log(&log, Some(&roots), None).unwrap().records);
    serde_json::json!({
        "equal": equal && sound[0] > 0 && sound[0] == sound[1],
        "requests_per_s": requests_per_s,
        "full_p50_ms": ms(&full, 0.5),
        "full_p99_ms": ms(&full, 0.99),
        "paced_per_s": paced_per_s,
        "direct_p50_ms": ms(&alone, 0.5),
        "direct_p99_ms": ms(&alone, 0.99),
        "paced_p50_ms": ms(&paced, 0.5),
        "paced_p99_ms": ms(&paced, 0.99),
        "records": sound[0],
    })
}

#[test]
#[ignore = "a measurement"]
fn signed_requests_over_two_gateways() {
    let seconds = std::env::var("SECONDS")
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or(10);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap();
    for wait in [Wait::Written, Wait::Disk] {
        println!("{}", runtime.block_on(measure(seconds, wait)));
    }
}
