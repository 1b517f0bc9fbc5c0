//! The worker: carries claimed rows to their handlers, a few at once, and notes what became of them.

use std::collections::HashMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use apalis::layers::WorkerBuilderExt as _;
use apalis::layers::catch_panic::CatchPanicLayer;
use apalis::prelude::{BoxDynError, ExecutionContext, WorkerBuilder};
use apalis_core::worker::ext::ack::{Acknowledge, AcknowledgementExt as _};
use futures::{FutureExt as _, StreamExt as _};

use super::backend::{Rows, Until};
use super::{Claimed, Lane, NAP, Outcome, note, table};
use crate::{Store, StoreError};

/// The lane of everything that has none of its own.
const COMMON: Lane = Lane { name: "", workers: 4 };
/// Longest time of one handler: shorter than the lease, so that nobody begins the same work while it runs.
const RUN: Duration = Duration::from_secs(90);

type Running = Pin<Box<dyn Future<Output = Result<Outcome, String>> + Send>>;
type Handler = Arc<dyn Fn(Vec<u8>) -> Running + Send + Sync>;

/// A handler that panicked; what it said stays in the panic's own report.
#[derive(Debug, thiserror::Error)]
#[error("the handler panicked")]
struct Panicked;

/// Why a handler failed, in its own words.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct Failed(String);

/// Carries work to its handlers.
#[derive(Clone, Default)]
pub struct Relay {
    handlers: HashMap<&'static str, Handler>,
    lanes: Vec<Lane>,
}

impl Relay {
    /// Registers the handler of a kind. Its error text is kept with the work and must hold no personal data.
    #[must_use]
    pub fn on<F, R>(mut self, kind: &'static str, handler: F) -> Relay
    where
        F: Fn(Vec<u8>) -> R + Send + Sync + 'static,
        R: Future<Output = Result<Outcome, String>> + Send + 'static,
    {
        self.handlers
            .insert(kind, Arc::new(move |payload| Box::pin(handler(payload))));
        self
    }

    /// Has so many workers of their own do what is put into this lane.
    #[must_use]
    pub fn lane(mut self, name: &'static str, workers: usize) -> Relay {
        self.lanes.push(Lane {
            name,
            workers: workers.max(1),
        });
        self
    }

    fn lanes(&self) -> impl Iterator<Item = Lane> + '_ {
        std::iter::once(COMMON).chain(self.lanes.iter().copied())
    }

    /// Works until the caller drops it. Work that is running then is tried again after its lease.
    pub async fn run(&self, store: &Store) {
        let lanes = self.lanes().map(|lane| async move {
            loop {
                self.work(store, lane, Until::Dropped).await;
                // A worker that ends is replaced; the pause keeps one that can't start from filling the log.
                tokio::time::sleep(NAP).await;
            }
        });
        futures::future::join_all(lanes).await;
    }

    /// Does what is due now; gives how many pieces were tried. A failing handler is no error of the round.
    ///
    /// # Errors
    /// The database's, before anything is tried.
    pub async fn round(&self, store: &Store) -> Result<usize, StoreError> {
        // A database that is away is this caller's news, not a line in the log.
        super::waiting(store).await?;
        let mut tried = 0;
        for lane in self.lanes() {
            tried += self.work(store, lane, Until::Drained).await;
        }
        Ok(tried)
    }

    /// Runs one worker to its end; gives how many pieces were tried.
    fn work(&self, store: &Store, lane: Lane, until: Until) -> Pin<Box<dyn Future<Output = usize> + Send>> {
        let tried = Arc::new(AtomicUsize::new(0));
        let (handlers, count) = (self.handlers.clone(), Arc::clone(&tried));
        let handle = move |row: table::Model| {
            count.fetch_add(1, Ordering::Relaxed);
            let handler = handlers.get(row.kind.as_str()).cloned();
            async move {
                let Some(handler) = handler else {
                    return Err(Failed(format!("no handler for `{}`", row.kind)));
                };
                match tokio::time::timeout(RUN, handler(row.payload)).await {
                    Ok(result) => result.map_err(Failed),
                    Err(_elapsed) => Err(Failed(format!("it took longer than {} s", RUN.as_secs()))),
                }
            }
        };
        let worker = WorkerBuilder::new("outbox")
            .backend(Rows::new(store.clone(), lane, until))
            .concurrency(lane.workers)
            .ack_with(Note(store.clone()))
            .layer(CatchPanicLayer::with_panic_handler(panicked as fn(&Caught) -> Panicked))
            .build(handle);
        let ended = worker.stream().for_each(|event| {
            if let Err(error) = event {
                tracing::error!(%error, "the worker of the outbox ended");
            }
            std::future::ready(())
        });
        Box::pin(ended.map(move |()| tried.load(Ordering::Relaxed)))
    }
}

/// What a panic carries; it may hold personal data, so it goes no further.
type Caught = Box<dyn std::any::Any + Send>;

fn panicked(_: &Caught) -> Panicked {
    Panicked
}

/// Notes the outcome of each piece of work.
#[derive(Clone)]
struct Note(Store);

impl Acknowledge<Outcome> for Note {
    type Error = StoreError;
    type Future = Pin<Box<dyn Future<Output = Result<(), StoreError>> + Send>>;

    fn ack(&mut self, result: &Result<Outcome, BoxDynError>, context: &ExecutionContext) -> Self::Future {
        let store = self.0.clone();
        let claimed = context.data().get::<Claimed>().cloned();
        let result = match result {
            Ok(outcome) => Ok(*outcome),
            Err(error) => Err(error.to_string()),
        };
        Box::pin(async move {
            let Some(row) = claimed else { return Ok(()) };
            let (id, kind) = (row.id, row.kind.clone());
            let noted = note(&store, row, result).await;
            if let Err(error) = &noted {
                tracing::warn!(%id, kind, %error, "the outcome could not be noted; the work is tried again after its lease");
            }
            noted
        })
    }
}
