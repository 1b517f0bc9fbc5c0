//! The member as a client of others' gateways: signs a message, sends it, checks the answer. It can do each of these wrongly.

use super::form::{self, About};
use super::pki::Issued;
use futures::stream::{self, BoxStream, StreamExt};
use http_body_util::{BodyExt, StreamBody};
use hyper::body::{Bytes, Frame};
use hyper::{HeaderMap, Request};
use hyper_util::rt::TokioIo;
use openssl::ssl::{SslConnector, SslMethod, SslVerifyMode};
use openssl::x509::X509;
use std::net::SocketAddr;
use std::pin::Pin;
use tokio::net::TcpStream;
use tokio_openssl::SslStream;

/// A call to another member's service.
#[derive(Clone)]
pub struct Message {
    /// HTTP method.
    pub method: String,
    /// Path with query, from `/r1/` on.
    pub path: String,
    /// The service as the path names it: what the statement says.
    pub service: String,
    /// The road's headers and others; `x-road-client`, `x-road-id` and `x-road-request-id` are the caller's to set.
    pub headers: Vec<(String, String)>,
    /// Body.
    pub body: Vec<u8>,
    /// Signs behind the body.
    pub trailing: bool,
    /// What is done wrongly.
    pub wrong: Wrong,
}

/// What a call does wrongly.
#[derive(Debug, Clone, Default)]
pub struct Wrong {
    /// No signature.
    pub unsigned: bool,
    /// A signature over something else.
    pub signature: bool,
    /// A header is changed after it was signed.
    pub header: bool,
    /// The body is changed after it was signed.
    pub body: bool,
    /// The signature is this many seconds old.
    pub late_s: i64,
    /// A length that is declared instead of the body's own; the connection then stays open with nothing more.
    pub declared: Option<u64>,
    /// The body is followed by so many bytes more, which nobody signed.
    pub endless: u64,
    /// What it says in `TE` instead of `trailers`.
    pub te: Option<String>,
}

/// An answer.
#[derive(Debug, Clone)]
pub struct Reply {
    /// Status.
    pub status: u16,
    /// Headers.
    pub headers: Vec<(String, String)>,
    /// Body, as far as it came.
    pub body: Vec<u8>,
    /// Whether it came whole.
    pub whole: bool,
    /// Whether it was signed with the certificate expected, and is what was signed.
    pub proven: bool,
    /// Whether the stated hash is the one of the request.
    pub hash_matches: bool,
}

impl Reply {
    /// A header.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(of, _)| of == name);
        found.map(|(_, value)| value.as_str())
    }
}

/// Opens a connection with mutual TLS.
///
/// # Errors
/// What the network or TLS says; with TLS 1.3 a refused client certificate shows with the first answer only.
pub async fn dial(
    address: SocketAddr,
    identity: Option<&Issued>,
    root: &X509,
) -> std::io::Result<SslStream<TcpStream>> {
    let mut builder = SslConnector::builder(SslMethod::tls())?;
    builder.cert_store_mut().add_cert(root.clone())?;
    builder.set_verify(SslVerifyMode::PEER);
    if let Some(identity) = identity {
        builder.set_certificate(&identity.certificate)?;
        builder.set_private_key(&identity.key)?;
    }
    let mut configured = builder.build().configure()?;
    configured.set_verify_hostname(false);
    let stream = TcpStream::connect(address).await?;
    let mut stream = SslStream::new(configured.into_ssl("gateway")?, stream)?;
    Pin::new(&mut stream).connect().await.map_err(std::io::Error::other)?;
    Ok(stream)
}

/// Sends a message and reads the answer. `signer` signs, `expected` is the certificate the answer must be signed with.
///
/// # Errors
/// Where no answer comes at all.
pub async fn send(
    stream: SslStream<TcpStream>,
    signer: &Issued,
    expected: &X509,
    message: &Message,
) -> Result<Reply, Box<dyn std::error::Error + Send + Sync>> {
    let wrong = &message.wrong;
    let line = format!("{} {} HTTP/1.1", message.method, message.path);
    let head = form::headers(&line, &message.headers);
    let of = |name: &str| {
        let found = message.headers.iter().rfind(|(header, _)| header == name);
        found.map_or_else(String::new, |(_, value)| value.clone())
    };
    let about = About {
        client: of("x-road-client"),
        service: message.service.clone(),
        id: of("x-road-id"),
        request_id: of("x-road-request-id"),
        method: message.method.clone(),
    };
    let mut statement = form::statement("request", &about, &head, &message.body, None)?;
    if wrong.signature {
        statement.push('.');
    }
    let time = jiff::Timestamp::now().as_second() - wrong.late_s;
    let signature = form::sign(signer, "request", &statement, time)?;
    let mut request = Request::builder()
        .method(message.method.as_str())
        .uri(&message.path)
        .header("host", "gateway");
    for (name, value) in &message.headers {
        request = request.header(name, value);
    }
    request = request.header("te", wrong.te.as_deref().unwrap_or("trailers"));
    if wrong.header {
        request = request.header("x-added-later", "1");
    }
    let mut body = message.body.clone();
    if wrong.body {
        body.push(b' ');
    }
    let bytes = body.len();
    let mut frames: BoxStream<'static, Result<Frame<Bytes>, std::io::Error>> =
        stream::iter((!body.is_empty()).then(|| Ok(Frame::data(Bytes::from(body))))).boxed();
    if let Some(length) = wrong.declared {
        request = request.header("content-length", length);
        frames = frames.chain(stream::pending()).boxed();
    } else if wrong.endless > 0 {
        frames = frames
            .chain(super::system::endless(wrong.endless).map(|piece| piece.map(Frame::data)))
            .boxed();
    } else if !message.trailing && bytes > 0 {
        request = request.header("content-length", bytes);
    }
    match (wrong.unsigned, message.trailing) {
        (true, _) => {}
        (false, false) => request = request.header("x-road-signature", signature),
        (false, true) => {
            request = request.header("trailer", "x-road-signature");
            let mut trailers = HeaderMap::new();
            trailers.insert("x-road-signature", signature.parse()?);
            frames = frames.chain(stream::iter([Ok(Frame::trailers(trailers))])).boxed();
        }
    }
    if bytes == 0 && !message.trailing && wrong.declared.is_none() && wrong.endless == 0 {
        request = request.header("content-length", 0);
    }
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
    let driver = tokio::spawn(connection);
    let response = sender.send_request(request.body(StreamBody::new(frames))?).await?;
    let (parts, mut incoming) = response.into_parts();
    let mut reply = Reply {
        status: parts.status.as_u16(),
        headers: parts
            .headers
            .iter()
            .map(|(name, value)| {
                (
                    name.as_str().to_owned(),
                    String::from_utf8_lossy(value.as_bytes()).into_owned(),
                )
            })
            .collect(),
        body: Vec::new(),
        whole: true,
        proven: false,
        hash_matches: false,
    };
    let mut trailer = None;
    while let Some(frame) = incoming.frame().await {
        match frame.map(Frame::into_data) {
            Ok(Ok(data)) => reply.body.extend_from_slice(&data),
            Ok(Err(frame)) => {
                trailer = frame
                    .into_trailers()
                    .ok()
                    .and_then(|all| all.get("x-road-signature").cloned())
            }
            Err(_) => {
                reply.whole = false;
                break;
            }
        }
    }
    driver.abort();
    let head_of_reply = form::headers(&format!("HTTP/1.1 {}", reply.status), &reply.headers);
    let stated = reply.header("x-road-request-hash").unwrap_or("none").to_owned();
    let signed = trailer
        .and_then(|value| value.to_str().ok().map(str::to_owned))
        .or_else(|| reply.header("x-road-signature").map(str::to_owned))
        .unwrap_or_default();
    let text = form::statement(
        "response",
        &about,
        &head_of_reply,
        &reply.body,
        Some((reply.status, &stated)),
    )?;
    reply.proven = reply.whole && form::verify(expected, "response", &text, &signed)?;
    reply.hash_matches = stated == form::request_hash(&head, &message.body)?;
    Ok(reply)
}
