//! The member's gateway as provider: mutual TLS, the message's signature, then its own system.

use super::faults::{BodyFault, FaultSwitch, Faults};
use super::form::{self, About, hex};
use super::pki::Issued;
use super::system::endless;
use axum::Router;
use axum::body::{Body, Bytes};
use futures::stream::{self, BoxStream, StreamExt};
use http_body_util::{BodyExt, StreamBody};
use hyper::body::{Body as _, Frame, Incoming};
use hyper::{HeaderMap, Request, Response, StatusCode, header};
use hyper_util::rt::TokioIo;
use openssl::error::ErrorStack;
use openssl::hash::{Hasher, MessageDigest};
use openssl::ssl::{Ssl, SslAcceptor, SslMethod, SslVerifyMode};
use openssl::x509::X509;
use openssl::x509::store::X509StoreBuilder;
use serde_json::json;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio_openssl::SslStream;
use tower::ServiceExt;

/// What this member knows.
pub struct Member {
    /// `instance/class/member` of its own.
    pub id: String,
    /// Its subsystem.
    pub subsystem: String,
    /// Its TLS certificate.
    pub authentication: Issued,
    /// One whose days are over.
    pub outdated: Issued,
    /// It signs with this.
    pub signing: Issued,
    /// Another member's.
    pub foreign: Issued,
    /// The government's root.
    pub root: X509,
    /// The city: its member and signing certificate.
    pub city: (String, X509),
    /// Services the city has no right to.
    pub denied: Vec<String>,
    /// Its own system.
    pub system: Router,
    /// How it misbehaves.
    pub faults: FaultSwitch,
    /// What came in, newest last.
    pub seen: Mutex<Vec<Seen>>,
}

/// A message that came in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen {
    /// Method and path.
    pub line: String,
    /// Headers.
    pub headers: Vec<(String, String)>,
    /// Size of the body.
    pub bytes: usize,
    /// Whether the signature came behind the body.
    pub trailing: bool,
}

type Stream = BoxStream<'static, Result<Frame<Bytes>, std::io::Error>>;
type Answer = Response<StreamBody<Stream>>;

fn once(bytes: Vec<u8>) -> Stream {
    stream::iter((!bytes.is_empty()).then(|| Ok(Frame::data(Bytes::from(bytes))))).boxed()
}

/// An acceptor that asks for a certificate of the government's.
pub fn acceptor(identity: &Issued, root: &X509) -> Result<SslAcceptor, ErrorStack> {
    let mut builder = SslAcceptor::mozilla_intermediate_v5(SslMethod::tls())?;
    builder.set_certificate(&identity.certificate)?;
    builder.set_private_key(&identity.key)?;
    let mut store = X509StoreBuilder::new()?;
    store.add_cert(root.clone())?;
    builder.set_verify_cert_store(store.build())?;
    builder.set_verify(SslVerifyMode::PEER | SslVerifyMode::FAIL_IF_NO_PEER_CERT);
    Ok(builder.build())
}

/// Takes connections until it is stopped.
pub async fn serve(member: Arc<Member>, listener: TcpListener, mut stopped: watch::Receiver<bool>) {
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            _ = stopped.wait_for(|stop| *stop) => return,
        };
        let Ok((stream, _)) = accepted else { continue };
        let (member, mut stopped) = (Arc::clone(&member), stopped.clone());
        tokio::spawn(async move {
            tokio::select! {
                () = speak(member, stream) => {}
                _ = stopped.wait_for(|stop| *stop) => {}
            }
        });
    }
}

async fn speak(member: Arc<Member>, stream: TcpStream) {
    let faults = member.faults.now();
    let identity = match &faults.shows {
        Some(other) => other,
        None if faults.outdated => &member.outdated,
        None => &member.authentication,
    };
    let Ok(acceptor) = acceptor(identity, &member.root) else {
        return;
    };
    let _ = stream.set_nodelay(true);
    let Ok(mut stream) = Ssl::new(acceptor.context()).and_then(|ssl| SslStream::new(ssl, stream)) else {
        return;
    };
    if Pin::new(&mut stream).accept().await.is_err() {
        return;
    }
    let answer = move |request: Request<Incoming>| {
        let member = Arc::clone(&member);
        async move {
            answer(&member, request)
                .await
                .map_err(|error| std::io::Error::other(error.to_string()))
        }
    };
    let _ = hyper::server::conn::http1::Builder::new()
        .serve_connection(TokioIo::new(stream), hyper::service::service_fn(answer))
        .await;
}

fn list(headers: &HeaderMap) -> Vec<(String, String)> {
    headers
        .iter()
        .map(|(name, value)| {
            (
                name.as_str().to_owned(),
                String::from_utf8_lossy(value.as_bytes()).into_owned(),
            )
        })
        .collect()
}

async fn answer(
    member: &Arc<Member>,
    request: Request<Incoming>,
) -> Result<Answer, Box<dyn std::error::Error + Send + Sync>> {
    let faults = member.faults.now();
    if faults.silent {
        std::future::pending::<()>().await;
    }
    let (parts, body) = request.into_parts();
    if let (true, Some(kind)) = (faults.hasty, &faults.refuse) {
        let text = |name: &str| {
            let value = parts.headers.get(name).and_then(|value| value.to_str().ok());
            value.unwrap_or_default().to_owned()
        };
        let mut services = parts.uri.path().splitn(8, '/').skip(2).take(5).collect::<Vec<_>>();
        services.retain(|part| !part.is_empty());
        let about = About {
            client: text("x-road-client"),
            service: services.join("/"),
            id: text("x-road-id"),
            request_id: text("x-road-request-id"),
            method: parts.method.to_string(),
        };
        let mut answer = Signed {
            member: Arc::clone(member),
            about,
            hash: "none".to_owned(),
            faults: faults.clone(),
        };
        // What has come is taken first: a connection closed over unread bytes is reset, and the refusal may be lost with it.
        let mut body = body;
        while let Ok(Some(Ok(_))) = tokio::time::timeout(Duration::from_millis(200), body.frame()).await {}
        return answer.refuse(kind, 500);
    }
    let collected = body.collect().await?;
    let trailer = collected
        .trailers()
        .and_then(|all| all.get("x-road-signature"))
        .cloned();
    let body = collected.to_bytes();
    let text = |name: &str| {
        parts
            .headers
            .get(name)
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default()
            .to_owned()
    };
    let path = parts.uri.path_and_query().map_or("/", |path| path.as_str()).to_owned();
    let line = format!("{} {path} HTTP/1.1", parts.method);
    let head = form::headers(&line, &list(&parts.headers));
    let trailing = trailer.is_some();
    let signature = trailer
        .and_then(|value| value.to_str().ok().map(str::to_owned))
        .unwrap_or_else(|| text("x-road-signature"));
    member.seen.lock().unwrap_or_else(PoisonError::into_inner).push(Seen {
        line: line.clone(),
        headers: list(&parts.headers),
        bytes: body.len(),
        trailing,
    });
    let own = format!("/r1/{}/{}/", member.id, member.subsystem);
    let rest = parts.uri.path().strip_prefix(&own).unwrap_or_default();
    let (code, rest) = rest
        .split_once('/')
        .map_or((rest, String::new()), |(code, rest)| (code, format!("/{rest}")));
    let about = About {
        client: text("x-road-client"),
        service: format!("{}/{}/{code}", member.id, member.subsystem),
        id: text("x-road-id"),
        request_id: text("x-road-request-id"),
        method: parts.method.to_string(),
    };
    let statement = form::statement("request", &about, &head, &body, None)?;
    let hash = form::request_hash(&head, &body)?;
    let mut answer = Signed {
        member: Arc::clone(member),
        about,
        hash,
        faults: faults.clone(),
    };
    if !form::verify(&member.city.1, "request", &statement, &signature)? {
        return answer.refuse("Server.ServerProxy.InvalidSignatureValue", 500);
    }
    if let Some(kind) = &faults.refuse {
        let status = if kind.to_lowercase().contains("badrequest") {
            400
        } else {
            500
        };
        return answer.refuse(kind, status);
    }
    if !answer.about.client.starts_with(&member.city.0) || member.denied.iter().any(|denied| denied == code) {
        return answer.refuse("Server.ServerProxy.AccessDenied", 500);
    }
    if code == "listMethods" || code == "allowedMethods" {
        let service = json!({"object_type": "SERVICE", "service_code": "household-registry", "service_type": "REST"});
        let body = Body::from(json!({"service": [service]}).to_string());
        return answer
            .hand_on(
                Response::builder()
                    .header("content-type", "application/json")
                    .body(body)?,
            )
            .await;
    }
    let query = parts.uri.query().map_or_else(String::new, |query| format!("?{query}"));
    let mut forwarded = Request::builder()
        .method(parts.method)
        .uri(format!("/{code}{rest}{query}"));
    if let Some(headers) = forwarded.headers_mut() {
        *headers = parts.headers;
        for name in [
            "x-road-signature",
            "te",
            "trailer",
            "transfer-encoding",
            "content-length",
        ] {
            headers.remove(name);
        }
    }
    let mut response = member.system.clone().oneshot(forwarded.body(Body::from(body))?).await?;
    if let Some(status) = faults.status {
        *response.status_mut() = StatusCode::from_u16(status)?;
    }
    answer.hand_on(response).await
}

/// An answer in the making.
struct Signed {
    member: Arc<Member>,
    about: About,
    hash: String,
    faults: Faults,
}

impl Signed {
    fn refuse(&mut self, kind: &str, status: u16) -> Result<Answer, Box<dyn std::error::Error + Send + Sync>> {
        let mut body = json!({"type": kind, "message": "refused by the member", "detail": "detail-1"}).to_string();
        body.push_str(&" ".repeat(self.faults.wordy));
        let mut response = Response::builder()
            .status(status)
            .header("content-type", "application/json")
            .header("x-road-error", kind)
            .body(())?;
        self.mark(response.headers_mut())?;
        if !self.faults.refuse_unsigned {
            let head = form::headers(&format!("HTTP/1.1 {status}"), &list(response.headers()));
            let hash = self.stated_hash();
            let statement = form::statement("response", &self.about, &head, body.as_bytes(), Some((status, &hash)))?;
            response
                .headers_mut()
                .insert("x-road-signature", self.sign(&statement)?.parse()?);
        }
        Ok(response.map(|()| StreamBody::new(once(body.into_bytes()))))
    }

    fn stated_hash(&self) -> String {
        if self.faults.wrong_hash {
            openssl::base64::encode_block(&[7; 64])
        } else {
            self.hash.clone()
        }
    }

    fn mark(&self, headers: &mut HeaderMap) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
        let id = if self.faults.other_message {
            "another-message"
        } else {
            &self.about.id
        };
        let all = [
            ("x-road-client", self.about.client.as_str()),
            ("x-road-service", &self.about.service),
            ("x-road-id", id),
            ("x-road-request-id", &self.about.request_id),
            ("x-road-request-hash", &self.stated_hash()),
        ];
        for (name, value) in all {
            headers.insert(name, value.parse()?);
        }
        Ok(())
    }

    fn sign(&self, statement: &str) -> Result<String, ErrorStack> {
        let signer = match &self.faults.signs {
            Some(other) => other,
            None if self.faults.foreign_signature => &self.member.foreign,
            None => &self.member.signing,
        };
        let time = jiff::Timestamp::now().as_second() - self.faults.late_s;
        let text = if self.faults.bad_signature {
            format!("{statement}.")
        } else {
            statement.to_owned()
        };
        form::sign(signer, "response", &text, time)
    }

    async fn hand_on(self, response: Response<Body>) -> Result<Answer, Box<dyn std::error::Error + Send + Sync>> {
        let (mut parts, body) = response.into_parts();
        let named = parts
            .headers
            .get(header::CONNECTION)
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default();
        for name in named.split(',').map(str::trim).map(str::to_owned).collect::<Vec<_>>() {
            parts.headers.remove(&name);
        }
        for name in [
            header::CONNECTION,
            header::TRANSFER_ENCODING,
            header::CONTENT_LENGTH,
            header::SERVER,
        ] {
            parts.headers.remove(name);
        }
        parts.headers.remove("x-road-error");
        self.mark(&mut parts.headers)?;
        let status = parts.status.as_u16();
        let head = form::headers(&format!("HTTP/1.1 {status}"), &list(&parts.headers));
        let hash = self.stated_hash();
        let small =
            body.size_hint().exact().is_some_and(|size| size <= 64 << 10) && self.faults.body == BodyFault::None;
        if small {
            let mut bytes = body.collect().await?.to_bytes().to_vec();
            let statement = form::statement("response", &self.about, &head, &bytes, Some((status, &hash)))?;
            if !self.faults.unsigned {
                parts
                    .headers
                    .insert("x-road-signature", self.sign(&statement)?.parse()?);
            }
            if self.faults.altered {
                bytes.push(b' ');
            }
            return Ok(Response::from_parts(parts, StreamBody::new(once(bytes))));
        }
        let pieces: BoxStream<'static, Result<Bytes, std::io::Error>> = match self.faults.body {
            BodyFault::None => body
                .into_data_stream()
                .map(|piece| piece.map_err(std::io::Error::other))
                .boxed(),
            BodyFault::Slow => stream::unfold((), |()| async {
                tokio::time::sleep(Duration::from_secs(5)).await;
                Some((Ok(Bytes::from_static(b".")), ()))
            })
            .boxed(),
            BodyFault::Truncated => {
                let pieces = vec![
                    Ok(Bytes::from(vec![b'x'; 200_000])),
                    Err(std::io::Error::other("cut off")),
                ];
                stream::iter(pieces).boxed()
            }
            BodyFault::Endless => endless(u64::MAX).boxed(),
            BodyFault::Declared => {
                parts.headers.insert(header::CONTENT_LENGTH, "2147483648".parse()?);
                stream::once(async { Ok(Bytes::from_static(b"little")) })
                    .chain(stream::pending())
                    .boxed()
            }
        };
        if self.faults.body != BodyFault::Declared {
            parts.headers.insert(header::TRAILER, "x-road-signature".parse()?);
        }
        let hasher = Hasher::new(MessageDigest::sha512())?;
        let frames = stream::unfold(
            Some((pieces, hasher, 0_u64, self, head, hash)),
            move |state| async move {
                let (mut pieces, mut hasher, count, signed, head, hash) = state?;
                match pieces.next().await {
                    Some(Ok(piece)) => {
                        let count = count + piece.len() as u64;
                        match hasher.update(&piece) {
                            Ok(()) => Some((
                                Ok(Frame::data(piece)),
                                Some((pieces, hasher, count, signed, head, hash)),
                            )),
                            Err(error) => Some((Err(std::io::Error::other(error)), None)),
                        }
                    }
                    Some(Err(error)) => Some((Err(error), None)),
                    None if signed.faults.unsigned => None,
                    None => {
                        let made = hasher.finish().and_then(|digest| {
                            let answer = Some((status, hash.as_str()));
                            form::statement_of("response", &signed.about, &head, &hex(&digest), count, answer)
                        });
                        let value = made.and_then(|statement| signed.sign(&statement));
                        let trailers = value.ok().and_then(|value| value.parse().ok()).map(|value| {
                            let mut trailers = HeaderMap::new();
                            trailers.insert("x-road-signature", value);
                            Frame::trailers(trailers)
                        });
                        trailers.map(|frame| (Ok(frame), None))
                    }
                }
            },
        );
        Ok(Response::from_parts(parts, StreamBody::new(frames.boxed())))
    }
}
