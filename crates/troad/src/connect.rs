//! Outgoing connections, kept alive in pools: to other gateways by mutual TLS, to provider systems and the timestamp authority
//! as their address says. Redirects are never followed.

use crate::body::Body;
use hyper::rt::{Read, ReadBufCursor, Write};
use hyper::{Request, Response, Uri, body::Incoming};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::{Connected, Connection};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

/// Longest time an idle connection is kept: shorter than a gateway waits for the next head, so that no call meets its close.
const IDLE: Duration = Duration::from_secs(5);
/// Most idle connections to one address.
const MOST_IDLE: usize = 256;

/// How a connection is made.
#[derive(Clone)]
enum Kind {
    /// `http` or, with roots, `https`.
    Ordinary(Option<Arc<ClientConfig>>),
    /// Mutual TLS to a gateway, whatever the address says.
    Gateway(Arc<ClientConfig>),
}

/// A bidirectional stream, plain or encrypted.
trait Wire: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Wire for T {}

/// A connection in a pool.
pub struct Link(TokioIo<Box<dyn Wire>>);

impl Connection for Link {
    fn connected(&self) -> Connected {
        Connected::new()
    }
}

impl Read for Link {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: ReadBufCursor<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_read(cx, buffer)
    }
}

impl Write for Link {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(cx)
    }

    fn is_write_vectored(&self) -> bool {
        self.0.is_write_vectored()
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write_vectored(cx, slices)
    }
}

/// Makes connections for a pool.
#[derive(Clone)]
pub struct Connector {
    kind: Kind,
    within: Duration,
}

impl tower_service::Service<Uri> for Connector {
    type Response = Link;
    type Error = io::Error;
    type Future = Pin<Box<dyn Future<Output = io::Result<Link>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        let kind = self.kind.clone();
        let within = self.within;
        Box::pin(async move {
            tokio::time::timeout(within, connect(kind, uri))
                .await
                .unwrap_or_else(|_| Err(io::Error::new(io::ErrorKind::TimedOut, "no connection in time")))
        })
    }
}

async fn connect(kind: Kind, uri: Uri) -> io::Result<Link> {
    let bad = |what: &'static str| io::Error::new(io::ErrorKind::InvalidInput, what);
    let host = uri.host().ok_or_else(|| bad("the address has no host"))?;
    let bare = host.trim_start_matches('[').trim_end_matches(']').to_owned();
    let secure = uri.scheme_str() == Some("https");
    let port = uri.port_u16().unwrap_or(if secure { 443 } else { 80 });
    let tls = match kind {
        Kind::Gateway(tls) => Some(tls),
        Kind::Ordinary(tls) if secure => Some(tls.ok_or_else(|| bad("no roots are configured for https"))?),
        Kind::Ordinary(_) => None,
    };
    let stream = TcpStream::connect((bare.as_str(), port)).await?;
    stream.set_nodelay(true)?;
    let Some(tls) = tls else {
        return Ok(Link(TokioIo::new(Box::new(stream))));
    };
    let name = ServerName::try_from(bare).map_err(|_| bad("the host is no name"))?;
    let stream = TlsConnector::from(tls).connect(name, stream).await?;
    Ok(Link(TokioIo::new(Box::new(stream))))
}

/// A pool of connections.
pub struct Pool(Client<Connector, Body>);

impl Pool {
    /// To gateways of one member.
    #[must_use]
    pub fn to_gateway(tls: Arc<ClientConfig>, within: Duration) -> Pool {
        Pool::new(Kind::Gateway(tls), within)
    }

    /// To addresses of `http`, and of `https` where roots are given.
    #[must_use]
    pub fn ordinary(tls: Option<Arc<ClientConfig>>, within: Duration) -> Pool {
        Pool::new(Kind::Ordinary(tls), within)
    }

    fn new(kind: Kind, within: Duration) -> Pool {
        let client = Client::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(IDLE)
            .pool_max_idle_per_host(MOST_IDLE)
            .http1_max_headers(200)
            .http1_max_buf_size(256 << 10)
            .build(Connector { kind, within });
        Pool(client)
    }

    /// Sends a request and waits at most `within` for the head of its answer.
    pub async fn send(&self, request: Request<Body>, within: Duration) -> Result<Response<Incoming>, SendError> {
        match tokio::time::timeout(within, self.0.request(request)).await {
            Ok(Ok(response)) => Ok(response),
            Ok(Err(error)) => Err(SendError::of(&error)),
            Err(_) => Err(SendError::Timeout),
        }
    }
}

/// Why no answer came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SendError {
    /// No connection; nothing was sent.
    Connect,
    /// The other end's certificate or ours was refused; nothing was sent.
    Tls,
    /// The body of the request broke off on our side.
    Body,
    /// The connection broke.
    Broken,
    /// Too slow.
    Timeout,
}

impl SendError {
    fn of(error: &hyper_util::client::legacy::Error) -> SendError {
        let mut cause: Option<&(dyn std::error::Error + 'static)> = Some(error);
        while let Some(one) = cause {
            if one.downcast_ref::<crate::body::BodyError>().is_some() {
                return SendError::Body;
            }
            if one.downcast_ref::<rustls::Error>().is_some() {
                return SendError::Tls;
            }
            if let Some(io) = one.downcast_ref::<io::Error>() {
                let inner = io.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>());
                if inner.is_some() {
                    return SendError::Tls;
                }
                // a connection that does not come about in time sent nothing: another gateway may be tried
                if io.kind() == io::ErrorKind::TimedOut && !error.is_connect() {
                    return SendError::Timeout;
                }
            }
            cause = one.source();
        }
        if error.is_connect() {
            SendError::Connect
        } else {
            SendError::Broken
        }
    }
}
