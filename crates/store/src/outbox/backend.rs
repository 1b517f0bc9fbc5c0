//! The outbox as a backend of apalis: it gives claimed rows to the worker, one after another.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use apalis::prelude::{Backend, Task, TaskBuilder, TaskId, WorkerContext};
use apalis_core::backend::BackendConfig;
use apalis_core::backend::finalize::Ephemeral;
use tower_layer::Identity;

use super::{Claimed, Lane, NAP, table, take};
use crate::{Store, StoreError};

type Look = Pin<Box<dyn Future<Output = Vec<table::Model>> + Send>>;

/// How long the backend goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Until {
    /// Until nothing is due.
    Drained,
    /// Until it is dropped; waits for new work.
    Dropped,
}

/// Rows of the outbox for one worker.
pub(super) struct Rows {
    store: Store,
    lane: Lane,
    until: Until,
    ready: VecDeque<table::Model>,
    look: Option<Look>,
}

impl Rows {
    pub(super) fn new(store: Store, lane: Lane, until: Until) -> Rows {
        Rows {
            store,
            lane,
            until,
            ready: VecDeque::new(),
            look: None,
        }
    }
}

/// Looks until there is work. A database that is away is asked again.
async fn look(store: Store, lane: Lane) -> Vec<table::Model> {
    loop {
        let heard = store.bell().rung();
        match take(&store, lane.name, lane.round()).await {
            Ok(rows) if rows.is_empty() => {
                // Woken by new work, or to look for what has become due.
                tokio::time::timeout(NAP, store.bell().after(heard)).await.ok();
            }
            Ok(rows) => return rows,
            Err(error) => {
                failed(&error);
                tokio::time::sleep(NAP).await;
            }
        }
    }
}

/// Looks once.
async fn glance(store: Store, lane: Lane) -> Vec<table::Model> {
    take(&store, lane.name, lane.round()).await.unwrap_or_else(|error| {
        failed(&error);
        Vec::new()
    })
}

fn failed(error: &StoreError) {
    tracing::warn!(%error, "the outbox could not be read");
}

impl Backend for Rows {
    type Task = Task<table::Model>;
    type Error = Infallible;

    fn poll_ready(&mut self, _: &mut Context<'_>, _: &WorkerContext) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn poll_next(
        &mut self,
        cx: &mut Context<'_>,
        worker: &WorkerContext,
    ) -> Poll<Option<Result<Self::Task, Infallible>>> {
        loop {
            if let Some(row) = self.ready.pop_front() {
                let claimed = Claimed::of(&row);
                let task = TaskBuilder::new(row)
                    .task_id(TaskId::from_string(claimed.id))
                    .data(claimed)
                    .build();
                return Poll::Ready(Some(Ok(task)));
            }
            let (store, lane, until) = (&self.store, self.lane, self.until);
            let look = self.look.get_or_insert_with(|| match until {
                Until::Dropped => Box::pin(look(store.clone(), lane)),
                Until::Drained => Box::pin(glance(store.clone(), lane)),
            });
            let found = ready!(look.as_mut().poll(cx));
            self.look = None;
            if found.is_empty() {
                // A worker that is stopped already has nothing left to be told.
                worker.stop().ok();
                return Poll::Ready(None);
            }
            self.ready.extend(found);
        }
    }

    fn poll_close(&mut self, _: &mut Context<'_>, _: &WorkerContext) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }
}

impl BackendConfig for Rows {
    type Args = table::Model;
    type Id = uuid::Uuid;
    type Kind = Ephemeral;
    type Config = ();
    type Layer = Identity;

    fn config(&self) -> &() {
        &()
    }

    fn middleware(&mut self, _: &mut WorkerContext) -> Identity {
        Identity::new()
    }
}
