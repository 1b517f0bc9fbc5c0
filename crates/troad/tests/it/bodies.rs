//! Bodies that are too large, too slow, cut off: refused in time and without the memory they ask for.

use crate::support::{City, KEY, Wishes, ours, portal, pour};
use bytes::Bytes;
use futures::StreamExt;
use hyper::body::Frame;
use peers::road::{AGENCY, REGISTERS, Wrong};
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use troad::log::{Filter, Outcome};

const GIB2: u64 = 2 << 30;

async fn city() -> City {
    City::with(Wishes {
        config: Some(Box::new(|config| {
            config.limits.request_bytes = 2 << 20;
            config.limits.memory_bytes = 256 << 10;
            config.limits.pause_s = 1;
            config.limits.head_s = 1;
            config.limits.body_s = 3;
            config.limits.connect_s = 1;
        })),
        ..Wishes::default()
    })
    .await
}

/// Memory of this process, bytes.
fn resident() -> u64 {
    let pages = std::fs::read_to_string("/proc/self/statm").unwrap();
    pages.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() * 4096
}

#[tokio::test]
async fn two_gibibytes_are_refused_without_taking_their_memory() {
    let city = city().await;
    let before = resident();
    // declared
    let mut message = city.road.message("POST", &ours(), "/echo", b"little");
    message.wrong = Wrong {
        declared: Some(GIB2),
        ..Wrong::default()
    };
    let began = Instant::now();
    let reply = city.road.call(city.outside(), &message).await.unwrap();
    assert_eq!(
        (reply.status, reply.header("x-road-error")),
        (400, Some("Client.BodyTooLarge"))
    );
    assert!(began.elapsed() < Duration::from_secs(1), "at once, from its head alone");
    // streamed
    let mut message = city.road.message("POST", &ours(), "/echo", b"little");
    message.wrong = Wrong {
        endless: GIB2,
        ..Wrong::default()
    };
    match city.road.call(city.outside(), &message).await {
        Ok(reply) => assert_eq!(reply.header("x-road-error"), Some("Client.BodyTooLarge")),
        // the gateway closes while the other side still writes
        Err(error) => assert!(!error.to_string().is_empty()),
    }
    // from an own system
    let path = format!("/r1/{AGENCY}/{REGISTERS}/exercise/echo");
    let piece = Bytes::from(vec![b'z'; 64 << 10]);
    let pieces = futures::stream::iter(0..40).map(move |_| Ok(Frame::data(piece.clone())));
    let reply = pour(city.inside(), &path, pieces).await;
    assert_eq!(reply.fault(), "Client.BodyTooLarge");
    assert!(resident() < before + (64 << 20), "{} more bytes", resident() - before);
    let left: Vec<_> = std::fs::read_dir(city.log().join("spool")).unwrap().collect();
    assert!(left.is_empty(), "no body is left behind");
    // what is within the limit still passes
    assert_eq!(city.post("exercise/echo", &[1; 1 << 20]).await.body.len(), 1 << 20);
}

#[tokio::test]
async fn slow_senders_lose_their_connection() {
    let city = city().await;
    let closed = |mut stream: TcpStream| async move {
        let mut text = Vec::new();
        let read = tokio::time::timeout(Duration::from_secs(5), stream.read_to_end(&mut text)).await;
        assert!(read.is_ok(), "the connection must be closed");
        String::from_utf8_lossy(&text).into_owned()
    };
    // a head that never ends
    let mut stream = TcpStream::connect(city.inside()).await.unwrap();
    stream
        .write_all(b"GET /r1/ HTTP/1.1\r\nhost: g\r\nx-a: ")
        .await
        .unwrap();
    closed(stream).await;
    // a body that never comes
    let mut stream = TcpStream::connect(city.inside()).await.unwrap();
    let head = format!(
        "POST /r1/{AGENCY}/{REGISTERS}/exercise/echo HTTP/1.1\r\nhost: g\r\nx-gateway-key: {KEY}\r\nx-road-client: {}\r\n\
         content-length: 1000\r\n\r\nabc",
        portal()
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    let text = closed(stream).await;
    assert!(text.contains("Server.ClientProxy.NetworkError.Timeout"), "{text}");
    // a body that drips
    let path = format!("/r1/{AGENCY}/{REGISTERS}/exercise/echo");
    let drops = futures::stream::unfold((), |()| async {
        tokio::time::sleep(Duration::from_millis(500)).await;
        Some((Ok(Frame::data(Bytes::from_static(b"."))), ()))
    });
    let began = Instant::now();
    assert_eq!(
        pour(city.inside(), &path, drops).await.fault(),
        "Server.ClientProxy.NetworkError.Timeout"
    );
    assert!(began.elapsed() < Duration::from_secs(5));
    // TLS that is never spoken
    let stream = TcpStream::connect(city.outside()).await.unwrap();
    closed(stream).await;
    // TLS without a request
    let mut stream = city
        .road
        .dial(city.outside(), Some(&city.road.authentication))
        .await
        .unwrap();
    stream.write_all(b"POST /r1/x HTTP/1.1\r\nhost: g\r\n").await.unwrap();
    let ended = tokio::time::timeout(Duration::from_secs(5), stream.read_to_end(&mut Vec::new())).await;
    assert!(ended.is_ok());
}

#[tokio::test]
async fn a_reader_that_does_not_read_loses_its_connection() {
    let city = city().await;
    let mut stream = TcpStream::connect(city.inside()).await.unwrap();
    let head = format!(
        "GET /r1/{AGENCY}/{REGISTERS}/exercise/bytes/200000000 HTTP/1.1\r\nhost: g\r\nx-gateway-key: {KEY}\r\n\
         x-road-client: {}\r\n\r\n",
        portal()
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    for _ in 0..50 {
        tokio::time::sleep(Duration::from_millis(200)).await;
        if !city.gateway().recent(&Filter::default(), 1).is_empty() {
            break;
        }
    }
    let records = city.gateway().recent(&Filter::default(), 1);
    assert_eq!(records[0].1.outcome, Outcome::Aborted, "the exchange ends and says how");
}

#[tokio::test]
async fn a_body_cut_off_never_reaches_the_other_side() {
    let city = city().await;
    let path = format!("/r1/{AGENCY}/{REGISTERS}/exercise/echo");
    for size in [100, 200_000] {
        let pieces = futures::stream::iter([
            Ok(Frame::data(Bytes::from(vec![1; size]))),
            Err(std::io::Error::other("gone")),
        ]);
        let sent = tokio::spawn(pour_or_fail(city.inside(), path.clone(), pieces));
        let _ = tokio::time::timeout(Duration::from_secs(5), sent).await;
    }
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert!(city.road.seen().is_empty(), "{:?}", city.road.seen());
    // HTTP/1.0 is not spoken
    let mut stream = TcpStream::connect(city.inside()).await.unwrap();
    let head = format!(
        "GET {path} HTTP/1.0\r\nx-gateway-key: {KEY}\r\nx-road-client: {}\r\n\r\n",
        portal()
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut text = String::new();
    stream.read_to_string(&mut text).await.unwrap();
    assert!(
        text.contains("400 Bad Request") && text.contains("HTTP/1.1 alone"),
        "{text}"
    );
}

async fn pour_or_fail<const N: usize>(
    address: std::net::SocketAddr,
    path: String,
    pieces: futures::stream::Iter<std::array::IntoIter<Result<Frame<Bytes>, std::io::Error>, N>>,
) {
    pour(address, &path, pieces).await;
}
