//! One listener on the loopback address with its pages.

use crate::{PeerError, listen};
use axum::Router;
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// A peer that listens. It stops when it is dropped.
pub struct Served {
    /// Its address, without a slash at the end.
    pub address: String,
    stop: watch::Sender<bool>,
    task: JoinHandle<()>,
}

impl Served {
    /// Starts a peer; `make` gets its address and makes its pages.
    pub async fn start(
        what: &'static str,
        port: u16,
        make: impl FnOnce(&str) -> Result<Router, PeerError>,
    ) -> Result<Served, PeerError> {
        let (listener, at) = listen(what, port).await?;
        let address = format!("http://{at}");
        let router = make(&address)?;
        let (stop, mut stopped) = watch::channel(false);
        let task = tokio::spawn(async move {
            let ended = async move {
                let _ = stopped.wait_for(|stop| *stop).await;
            };
            if let Err(error) = axum::serve(listener, router).with_graceful_shutdown(ended).await {
                tracing::error!(%error, what, "a demonstration peer stopped");
            }
        });
        Ok(Served { address, stop, task })
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.stop.send(true);
        self.task.abort();
    }
}
