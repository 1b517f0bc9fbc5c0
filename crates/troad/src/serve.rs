//! The listeners and the work beside them: timestamps, fresh looks at certificates, archives.

use crate::body::Body;
use crate::config::ConfigError;
use crate::consumer::inside;
use crate::exchange::Draft;
use crate::fault::{Fault, Kind, Place};
use crate::gateway::{Gateway, Inner};
use crate::ids::MemberId;
use crate::log::Side;
use crate::patience::Patient;
use crate::provider;
use crate::replay::lock;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::{TokioIo, TokioTimer};
use jiff::Timestamp;
use pki::fingerprint;
use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;

/// How often certificates and revocation lists are held against the time anew.
const RECHECK: Duration = Duration::from_secs(60);
/// How often days are archived and destroyed.
const HOUSEKEEPING: Duration = Duration::from_secs(6 * 3600);
/// Most connections refused before their first message that are recorded in a minute.
const REFUSED_A_MINUTE: u32 = 60;
/// Longest wait for calls to end when the gateway stops.
const PATIENCE: Duration = Duration::from_secs(10);

/// A gateway that listens. It stops when this is dropped.
pub struct Running {
    /// The gateway.
    pub gateway: Gateway,
    /// Where own systems call.
    pub inside: Option<SocketAddr>,
    /// Where other gateways call.
    pub outside: Option<SocketAddr>,
    stop: watch::Sender<bool>,
    tasks: JoinSet<()>,
}

async fn listen(address: SocketAddr) -> Result<(TcpListener, SocketAddr), ConfigError> {
    let failed = |why| ConfigError::Listen { address, why };
    let listener = TcpListener::bind(address).await.map_err(failed)?;
    let bound = listener.local_addr().map_err(failed)?;
    Ok((listener, bound))
}

impl Gateway {
    /// Opens the listeners the configuration names and starts the work beside them.
    ///
    /// # Errors
    /// [`ConfigError::Listen`]
    pub async fn start(self) -> Result<Running, ConfigError> {
        let config = &self.inner.config;
        let inside = match config.inside {
            Some(address) => Some(listen(address).await?),
            None => None,
        };
        let outside = match config.outside {
            Some(address) => Some(listen(address).await?),
            None => None,
        };
        let (stop, stopped) = watch::channel(false);
        let mut running = Running {
            inside: inside.as_ref().map(|(_, address)| *address),
            outside: outside.as_ref().map(|(_, address)| *address),
            gateway: self.clone(),
            stop,
            tasks: JoinSet::new(),
        };
        if let Some((listener, _)) = inside {
            running
                .tasks
                .spawn(accept(Arc::clone(&self.inner), listener, false, stopped.clone()));
        }
        if let Some((listener, _)) = outside {
            running
                .tasks
                .spawn(accept(Arc::clone(&self.inner), listener, true, stopped.clone()));
        }
        running
            .tasks
            .spawn(until_stopped(stopped.clone(), stamp(Arc::clone(&self.inner))));
        running
            .tasks
            .spawn(until_stopped(stopped.clone(), recheck(Arc::clone(&self.inner))));
        running
            .tasks
            .spawn(until_stopped(stopped, housekeeping(Arc::clone(&self.inner))));
        Ok(running)
    }
}

impl Running {
    /// Stops listening, lets calls end, and waits until the log is on disk.
    pub async fn shutdown(self) {
        let Running {
            gateway,
            stop,
            mut tasks,
            ..
        } = self;
        let _ = stop.send(true);
        let ended = async {
            while tasks.join_next().await.is_some() {}
            // exchanges whose caller has gone hold a receiver until they are in the log
            stop.closed().await;
        };
        if tokio::time::timeout(PATIENCE, ended).await.is_err() {
            tasks.abort_all();
        }
        let inner = gateway.inner;
        let _ = tokio::task::spawn_blocking(move || inner.log.close()).await;
    }
}

async fn until_stopped(mut stopped: watch::Receiver<bool>, work: impl Future<Output = ()>) {
    tokio::select! {
        () = work => {}
        _ = stopped.wait_for(|stop| *stop) => {}
    }
}

async fn stamp(inner: Arc<Inner>) {
    let Some(interval) = inner.stamp_interval() else {
        return;
    };
    let step = interval.min(Duration::from_secs(1));
    let mut last = tokio::time::Instant::now();
    loop {
        tokio::time::sleep(step).await;
        if last.elapsed() < interval && !inner.batch_is_full() {
            continue;
        }
        last = tokio::time::Instant::now();
        if let Err(error) = inner.stamp().await {
            tracing::warn!(%error, "no timestamp for the message log");
        }
    }
}

async fn recheck(inner: Arc<Inner>) {
    loop {
        tokio::time::sleep(RECHECK).await;
        let inner = Arc::clone(&inner);
        let _ = tokio::task::spawn_blocking(move || inner.recheck()).await;
    }
}

async fn housekeeping(inner: Arc<Inner>) {
    loop {
        let for_work = Arc::clone(&inner);
        let done = tokio::task::spawn_blocking(move || {
            let now = for_work.now();
            let stamped_only = for_work.stamp_interval().is_some();
            for_work
                .log
                .archive(now, stamped_only)
                .and_then(|_| for_work.log.prune(now))
        });
        if let Ok(Err(error)) = done.await {
            tracing::error!(%error, "the message log can't be archived");
        }
        tokio::time::sleep(HOUSEKEEPING).await;
    }
}

async fn accept(inner: Arc<Inner>, listener: TcpListener, tls: bool, mut stopped: watch::Receiver<bool>) {
    let room = Arc::new(Semaphore::new(inner.config.limits.connections));
    let mut connections = JoinSet::new();
    loop {
        let permit = tokio::select! {
            permit = Arc::clone(&room).acquire_owned() => permit,
            _ = stopped.wait_for(|stop| *stop) => break,
        };
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            _ = stopped.wait_for(|stop| *stop) => break,
        };
        while connections.try_join_next().is_some() {}
        let (Ok((stream, _)), Ok(permit)) = (accepted, permit) else {
            // no descriptor left, or a connection that was gone before it began: give others time to end
            tokio::time::sleep(Duration::from_millis(20)).await;
            continue;
        };
        let (inner, stopped) = (Arc::clone(&inner), stopped.clone());
        connections.spawn(async move {
            let _permit = permit;
            let _ = stream.set_nodelay(true);
            match tls {
                true => outside(inner, stream, stopped).await,
                false => {
                    let (for_service, going_on) = (Arc::clone(&inner), stopped.clone());
                    let answer = move |request: Request<Incoming>| {
                        let inner = Arc::clone(&for_service);
                        to_its_end(going_on.clone(), async move { inside::answer(&inner, request).await })
                    };
                    if let Err(Slow) = speak(&inner, stream, answer, stopped).await {
                        let fault = Fault::new(Place::ClientProxy, Kind::Timeout, "the head of a call came too slowly");
                        record_refused(&inner, Side::Consumer, None, fault).await;
                    }
                }
            }
        });
    }
    drop(listener);
    while connections.join_next().await.is_some() {}
}

/// Bounds how many connections that were refused before their first message are recorded: whoever can connect must not be able
/// to fill the log.
#[derive(Default)]
pub struct Refused(Mutex<(i64, u32)>);

impl Refused {
    /// Whether another may be recorded in the minute of `now`.
    fn take(&self, now: Timestamp) -> bool {
        let minute = now.as_second() / 60;
        let mut kept = lock(&self.0);
        if kept.0 != minute {
            *kept = (minute, 0);
        }
        kept.1 += 1;
        kept.1 <= REFUSED_A_MINUTE
    }
}

/// Records a connection that was refused before its first message. `client` is whose certificate it showed, if any.
async fn record_refused(inner: &Inner, side: Side, client: Option<MemberId>, fault: Fault) {
    tracing::info!(%fault, "a connection was refused");
    let now = inner.now();
    if !inner.refused.take(now) {
        return;
    }
    let mut draft = Draft::new(side, now, "");
    draft.fail(&fault);
    // nothing was answered
    draft.record.status = 0;
    draft.record.client = client;
    let _ = draft.settle(inner).await;
}

/// Whether a handshake failed for the certificate that was shown, or because there was none.
fn is_of_certificate(error: &io::Error) -> bool {
    let inner = error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>());
    matches!(
        inner,
        Some(rustls::Error::InvalidCertificate(_) | rustls::Error::NoCertificatesPresented)
    )
}

async fn outside(inner: Arc<Inner>, stream: TcpStream, stopped: watch::Receiver<bool>) {
    let acceptor = TlsAcceptor::from(Arc::clone(&inner.server_tls));
    let within = Duration::from_secs(inner.config.limits.connect_s);
    let stream = match tokio::time::timeout(within, acceptor.accept(stream)).await {
        Ok(Ok(stream)) => stream,
        Ok(Err(error)) if is_of_certificate(&error) => {
            let fault = Fault::new(Place::ServerProxy, Kind::SslAuthenticationFailed, error.to_string());
            return record_refused(&inner, Side::Provider, None, fault).await;
        }
        Ok(Err(error)) => {
            tracing::info!(%error, "a gateway's connection was refused");
            return;
        }
        Err(_) => {
            let fault = Fault::new(Place::ServerProxy, Kind::Timeout, "the TLS handshake came too slowly");
            return record_refused(&inner, Side::Provider, None, fault).await;
        }
    };
    // without a certificate there was no connection
    let peer = {
        let (_, session) = stream.get_ref();
        let shown = session.peer_certificates().and_then(|all| all.first());
        shown.map(|der| fingerprint(der)).unwrap_or_default()
    };
    let (for_service, going_on) = (Arc::clone(&inner), stopped.clone());
    let answer = move |request: Request<Incoming>| {
        let inner = Arc::clone(&for_service);
        to_its_end(going_on.clone(), async move {
            provider::answer(&inner, &peer, request).await
        })
    };
    if let Err(Slow) = speak(&inner, stream, answer, stopped).await {
        let registry = inner.current.get();
        let client = registry.gateway_certificate(&peer).map(|found| found.owner.clone());
        let fault = Fault::new(
            Place::ServerProxy,
            Kind::Timeout,
            "the head of a message came too slowly",
        );
        record_refused(&inner, Side::Provider, client, fault).await;
    }
}

/// Runs an exchange as a task of its own. Its caller may hang up, upon which the connection drops what it waits for; the exchange
/// goes on within its time limits, so that what has left this side stands in the log.
fn to_its_end(
    going_on: watch::Receiver<bool>,
    exchange: impl Future<Output = Response<Body>> + Send + 'static,
) -> impl Future<Output = io::Result<Response<Body>>> {
    let running = tokio::spawn(async move {
        let response = exchange.await;
        drop(going_on);
        response
    });
    async move { running.await.map_err(io::Error::other) }
}

/// A head of a message that did not come whole in its time.
struct Slow;

/// Serves one connection to its end.
async fn speak<S, F, R>(inner: &Inner, stream: S, answer: F, mut stopped: watch::Receiver<bool>) -> Result<(), Slow>
where
    S: AsyncRead + AsyncWrite + Unpin + Send,
    F: Fn(Request<Incoming>) -> R,
    R: Future<Output = io::Result<Response<Body>>>,
{
    let limits = &inner.config.limits;
    let pause = Duration::from_secs(limits.pause_s);
    let stream = Patient::new(stream, pause);
    let spoke_last = stream.spoke_last();
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(Duration::from_secs(limits.head_s))
        .max_headers(limits.headers)
        .max_buf_size(limits.head_bytes.max(8192))
        .serve_connection(TokioIo::new(stream), service_fn(answer));
    let mut connection = std::pin::pin!(connection);
    let stop = async move { stopped.wait_for(|stop| *stop).await.is_ok() };
    let early = tokio::select! {
        ended = connection.as_mut() => Some(ended),
        _ = stop => None,
    };
    let ended = match early {
        Some(ended) => ended,
        None => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    let Err(error) = ended else { return Ok(()) };
    tracing::debug!(%error, "a connection ended early");
    // a connection that only waits for its next message is closed after the same time
    match error.is_timeout() && spoke_last.load(Ordering::Relaxed) {
        true => Err(Slow),
        false => Ok(()),
    }
}
