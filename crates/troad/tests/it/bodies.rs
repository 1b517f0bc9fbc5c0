//! Bodies that are too large, too slow, cut off: refused in time and without the memory they ask for.

use crate::support::{City, KEY, Wishes, logged, ours, portal, pour, theirs};
use bytes::Bytes;
use futures::StreamExt;
use hyper::body::Frame;
use peers::road::{AGENCY, REGISTERS, Wrong};
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use troad::log::{Filter, Outcome, Side};

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
    let too_large = |side: Side| {
        let filter = Filter {
            side: Some(side),
            fault: Some("Client.BodyTooLarge".to_owned()),
            ..Filter::default()
        };
        city.gateway().recent(&filter, 10).len()
    };
    assert_eq!(too_large(Side::Provider), 2, "both are in the log");
    // from an own system
    let path = format!("/r1/{AGENCY}/{REGISTERS}/exercise/echo");
    let piece = Bytes::from(vec![b'z'; 64 << 10]);
    let pieces = futures::stream::iter(0..40).map(move |_| Ok(Frame::data(piece.clone())));
    let reply = pour(city.inside(), &path, pieces).await;
    assert_eq!(reply.fault(), "Client.BodyTooLarge");
    assert_eq!(too_large(Side::Consumer), 1);
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
    logged(|| timeouts(&city, Side::Consumer) == 1).await;
    // a connection that only waits is no slow sender
    closed(TcpStream::connect(city.inside()).await.unwrap()).await;
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
    assert_eq!(timeouts(&city, Side::Consumer), 3, "each is in the log");
    // TLS that is never spoken
    let stream = TcpStream::connect(city.outside()).await.unwrap();
    closed(stream).await;
    logged(|| timeouts(&city, Side::Provider) == 1).await;
    // TLS without a request
    let mut stream = city
        .road
        .dial(city.outside(), Some(&city.road.authentication))
        .await
        .unwrap();
    stream.write_all(b"POST /r1/x HTTP/1.1\r\nhost: g\r\n").await.unwrap();
    let ended = tokio::time::timeout(Duration::from_secs(5), stream.read_to_end(&mut Vec::new())).await;
    assert!(ended.is_ok());
    logged(|| timeouts(&city, Side::Provider) == 2).await;
    let newest = &city.gateway().recent(&Filter::default(), 1)[0].1;
    assert_eq!(newest.client.as_ref().unwrap().to_string(), AGENCY, "who it was");
    // a signed message whose body never comes
    let mut message = city.road.message("POST", &ours(), "/echo", b"little");
    message.wrong.declared = Some(1000);
    let reply = city.road.call(city.outside(), &message).await.unwrap();
    assert_eq!(
        reply.header("x-road-error"),
        Some("Server.ServerProxy.NetworkError.Timeout")
    );
    assert_eq!(timeouts(&city, Side::Provider), 3);
}

/// How many exchanges of a side ended because something came too slowly.
fn timeouts(city: &City, side: Side) -> usize {
    let place = match side {
        Side::Consumer => "ClientProxy",
        Side::Provider => "ServerProxy",
    };
    let filter = Filter {
        side: Some(side),
        fault: Some(format!("Server.{place}.NetworkError.Timeout")),
        ..Filter::default()
    };
    city.gateway().recent(&filter, 100).len()
}

#[tokio::test]
async fn a_body_that_comes_byte_by_byte_takes_little_more_than_its_size() {
    let city = City::with(Wishes {
        config: Some(Box::new(|config| {
            config.limits.memory_bytes = 4 << 20;
            config.limits.small_bytes = 4 << 20;
        })),
        ..Wishes::default()
    })
    .await;
    let before = resident();
    let mut stream = TcpStream::connect(city.inside()).await.unwrap();
    let head = format!(
        "POST /r1/{AGENCY}/{REGISTERS}/exercise/echo HTTP/1.1\r\nhost: g\r\nx-gateway-key: {KEY}\r\nx-road-client: {}\r\n\
         transfer-encoding: chunked\r\n\r\n",
        portal()
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    let thousand = b"1\r\n.\r\n".repeat(1000);
    for _ in 0..3000 {
        stream.write_all(&thousand).await.unwrap();
    }
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert!(resident() < before + (56 << 20), "{} more bytes", resident() - before);
    stream.write_all(b"0\r\n\r\n").await.unwrap();
    let mut text = vec![0; 1000];
    let read = stream.read(&mut text).await.unwrap();
    assert!(text[..read].starts_with(b"HTTP/1.1 200"));
    let record = &city.gateway().recent(&Filter::default(), 1)[0].1;
    assert_eq!(record.request.as_ref().unwrap().bytes, 3_000_000);
}

#[tokio::test]
async fn who_hangs_up_leaves_a_record_all_the_same() {
    let city = city().await;
    let slow = |side: Side| city.gateway().recent(&of(side), 10);
    // an own system
    let mut stream = TcpStream::connect(city.inside()).await.unwrap();
    let head = format!(
        "GET /r1/{AGENCY}/{REGISTERS}/exercise/slow HTTP/1.1\r\nhost: g\r\nx-gateway-key: {KEY}\r\nx-road-client: {}\r\n\r\n",
        portal()
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert!(slow(Side::Consumer).is_empty(), "it is still on its way");
    drop(stream);
    logged(|| slow(Side::Consumer).len() == 1).await;
    assert_eq!(
        slow(Side::Consumer)[0].1.fault.as_deref(),
        Some("Server.ClientProxy.NetworkError.Timeout")
    );
    // the platform itself
    let call = troad::Call::get(portal(), theirs("exercise"), "/slow");
    let given_up = tokio::time::timeout(Duration::from_millis(300), city.gateway().call(call)).await;
    assert!(given_up.is_err());
    logged(|| slow(Side::Consumer).len() == 2).await;
    // another gateway
    let message = city.road.message("GET", &ours(), "/slow", b"");
    let given_up = tokio::time::timeout(Duration::from_millis(300), city.road.call(city.outside(), &message)).await;
    assert!(given_up.is_err());
    logged(|| slow(Side::Provider).len() == 1).await;
    // and a stop waits for what nobody waits for any more
    let message = city.road.message("GET", &ours(), "/slow", b"");
    let given_up = tokio::time::timeout(Duration::from_millis(300), city.road.call(city.outside(), &message)).await;
    assert!(given_up.is_err());
    let log = city.log();
    city.running.shutdown().await;
    assert_eq!(troad::command::verify_log(&log, None, None).unwrap().records, 4);
}

fn of(side: Side) -> Filter {
    Filter {
        side: Some(side),
        ..Filter::default()
    }
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
        let gone = async {
            // what came before has left by then
            tokio::time::sleep(Duration::from_millis(200)).await;
            Err(std::io::Error::other("gone"))
        };
        let pieces = futures::stream::iter([Ok(Frame::data(Bytes::from(vec![1; size])))]);
        let pieces = pieces.chain(futures::stream::once(gone));
        let sent = tokio::spawn(pour_or_fail(city.inside(), path.clone(), pieces));
        let _ = tokio::time::timeout(Duration::from_secs(5), sent).await;
    }
    logged(|| city.gateway().recent(&Filter::default(), 10).len() == 2).await;
    let records = city.gateway().recent(&of(Side::Consumer), 10);
    assert!(
        records
            .iter()
            .all(|(_, one)| one.fault.as_deref() == Some("Server.ClientProxy.NetworkError")),
        "{records:?}"
    );
    assert!(city.road.seen().is_empty(), "{:?}", city.road.seen());
    // another gateway's, in memory and in a file
    for sent in [100, 400_000] {
        let message = city.road.message("POST", &ours(), "/echo", b"");
        let mut head = format!(
            "POST {} HTTP/1.1\r\nhost: g\r\ncontent-length: 1000000\r\n",
            message.path
        );
        for (name, value) in &message.headers {
            head += &format!("{name}: {value}\r\n");
        }
        let mut stream = city
            .road
            .dial(city.outside(), Some(&city.road.authentication))
            .await
            .unwrap();
        stream.write_all(format!("{head}\r\n").as_bytes()).await.unwrap();
        stream.write_all(&vec![b'x'; sent]).await.unwrap();
        stream.shutdown().await.unwrap();
    }
    logged(|| city.gateway().recent(&of(Side::Provider), 10).len() == 2).await;
    let records = city.gateway().recent(&of(Side::Provider), 10);
    assert!(
        records
            .iter()
            .all(|(_, one)| one.fault.as_deref() == Some("Server.ServerProxy.NetworkError")),
        "{records:?}"
    );
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

async fn pour_or_fail(
    address: std::net::SocketAddr,
    path: String,
    pieces: impl futures::Stream<Item = Result<Frame<Bytes>, std::io::Error>> + Send + 'static,
) {
    pour(address, &path, pieces).await;
}
