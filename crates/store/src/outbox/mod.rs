//! The outbox (待辦發送匣): work written in the transaction it follows from, done afterwards at least once.
//!
//! A piece of work has an idempotency key, so putting it twice stores it once; its handler is safe to run again, so a
//! crash between doing it and noting it does no harm. The [`Relay`] runs the handlers as an apalis worker whose backend
//! is this table: it claims due rows for a while and notes the outcome; what fails is tried again with a growing pause,
//! and given up after many tries for a person to look at.
//!
//! Work that waits for one outside party has a lane of its own ([`Task::lane`], [`Relay::lane`]), so that a slow mail server
//! keeps neither payments nor text messages waiting, and many pieces are on their way to it at once.

mod backend;
mod relay;

pub use relay::Relay;

use std::sync::Arc;
use std::time::Duration;

use civic::ids::OutboxId;
use jiff::{SignedDuration, Timestamp};
use sea_orm::sea_query::{Expr, OnConflict};
use sea_orm::{
    ColumnTrait as _, EntityTrait as _, IntoActiveModel as _, QueryFilter as _, QueryOrder as _, QuerySelect as _,
};
use serde::Serialize;
use tokio::sync::watch;
use uuid::Uuid;

use crate::tables::outbox as table;
use crate::{Store, StoreError, Tx};

/// For how long a claimed row is left alone by other relays.
const LEASE: SignedDuration = SignedDuration::from_secs(120);
/// Longest pause between two looks.
const NAP: Duration = Duration::from_secs(2);
/// Attempts after which a piece of work is given up.
const ATTEMPTS: i32 = 20;
/// Longest pause between two attempts.
const LONGEST: SignedDuration = SignedDuration::from_hours(1);

/// Rung when there is work; every lane hears it.
#[derive(Clone)]
pub(crate) struct Bell(Arc<watch::Sender<u64>>);

impl Default for Bell {
    fn default() -> Bell {
        Bell(Arc::new(watch::Sender::new(0)))
    }
}

impl Bell {
    pub(crate) fn ring(&self) {
        self.0.send_modify(|rung| *rung = rung.wrapping_add(1));
    }

    /// How often it rang so far.
    fn rung(&self) -> u64 {
        *self.0.borrow()
    }

    /// Until it has rung another time than this.
    async fn after(&self, heard: u64) {
        // The sender is held by this bell, so waiting ends by a ring alone.
        self.0.subscribe().wait_for(|rung| *rung != heard).await.ok();
    }
}

/// A piece of work to put.
#[derive(Clone, Debug)]
pub struct Task {
    kind: &'static str,
    key: String,
    payload: Vec<u8>,
    due: Option<Timestamp>,
    lane: &'static str,
}

impl Task {
    /// Work of this kind, once for this key. The payload holds identifiers, never personal data.
    #[must_use]
    pub fn new(kind: &'static str, key: impl Into<String>, payload: &impl Serialize) -> Task {
        // A payload of identifiers always serialises; an empty one would be refused by its handler.
        Task {
            kind,
            key: key.into(),
            payload: serde_json::to_vec(payload).unwrap_or_default(),
            due: None,
            lane: "",
        }
    }

    /// Done by the workers of this lane alone.
    #[must_use]
    pub fn lane(mut self, lane: &'static str) -> Task {
        self.lane = lane;
        self
    }

    fn row(self, now: Timestamp) -> table::Model {
        table::Model {
            id: Uuid::new_v4(),
            kind: self.kind.to_owned(),
            key: self.key,
            payload: self.payload,
            state: "waiting".to_owned(),
            attempts: 0,
            created_at: now.as_microsecond(),
            due_at: self.due.unwrap_or(now).as_microsecond(),
            finished_at: None,
            last_error: None,
            lane: self.lane.to_owned(),
        }
    }

    /// Not before this time.
    #[must_use]
    pub fn due(mut self, at: Timestamp) -> Task {
        self.due = Some(at);
        self
    }
}

/// What became of a piece of work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It is done.
    Done,
    /// It can't be done yet; asking again counts as no failure.
    Later(SignedDuration),
}

/// Puts a piece of work; true when it was new, false when its key was put before.
///
/// # Errors
/// The database's.
pub async fn put(tx: &Tx, task: Task) -> Result<bool, StoreError> {
    let once = OnConflict::column(table::Column::Key).do_nothing().to_owned();
    let added = table::Entity::insert(task.row(tx.now()).into_active_model())
        .on_conflict(once)
        .exec_without_returning(tx)
        .await?;
    tx.ring();
    Ok(added == 1)
}

/// Puts many pieces of work with one statement; those whose key was put before are left as they are.
///
/// # Errors
/// The database's.
pub async fn put_all(tx: &Tx, tasks: Vec<Task>) -> Result<(), StoreError> {
    if tasks.is_empty() {
        return Ok(());
    }
    let now = tx.now();
    let once = OnConflict::column(table::Column::Key).do_nothing().to_owned();
    table::Entity::insert_many(tasks.into_iter().map(|task| task.row(now).into_active_model()))
        .on_conflict(once)
        .exec_without_returning(tx)
        .await?;
    tx.ring();
    Ok(())
}

/// Work that was given up, newest first.
///
/// # Errors
/// The database's.
pub async fn dead(store: &Store, limit: u64) -> Result<Vec<table::Model>, StoreError> {
    Ok(table::Entity::find()
        .filter(table::Column::State.eq("dead"))
        .order_by_desc(table::Column::FinishedAt)
        .limit(limit)
        .all(store.read())
        .await?)
}

/// How many pieces of work wait.
///
/// # Errors
/// The database's.
pub async fn waiting(store: &Store) -> Result<u64, StoreError> {
    use sea_orm::PaginatorTrait as _;
    Ok(table::Entity::find()
        .filter(table::Column::State.eq("waiting"))
        .count(store.read())
        .await?)
}

/// Gives up work a second chance.
///
/// # Errors
/// The database's.
pub async fn revive(tx: &Tx, id: OutboxId) -> Result<bool, StoreError> {
    let done = table::Entity::update_many()
        .col_expr(table::Column::State, Expr::value("waiting"))
        .col_expr(table::Column::Attempts, Expr::value(0))
        .col_expr(table::Column::DueAt, Expr::value(tx.now().as_microsecond()))
        .filter(table::Column::Id.eq(id.uuid()))
        .filter(table::Column::State.eq("dead"))
        .exec(tx)
        .await?;
    tx.ring();
    Ok(done.rows_affected == 1)
}

/// Workers that do what has this name, so many at once.
#[derive(Clone, Copy, Debug)]
struct Lane {
    name: &'static str,
    workers: usize,
}

impl Lane {
    /// Rows claimed at once: as many as are begun at once, and as many that wait behind them.
    fn round(self) -> u64 {
        u64::try_from(self.workers).unwrap_or(u64::MAX).saturating_mul(2)
    }
}

/// A row this relay has claimed, without its payload: what is needed to note its outcome.
#[derive(Clone, Debug)]
struct Claimed {
    id: Uuid,
    kind: String,
    attempts: i32,
    /// The due time that says the claim is still ours.
    until: i64,
}

impl Claimed {
    fn of(row: &table::Model) -> Claimed {
        Claimed {
            id: row.id,
            kind: row.kind.clone(),
            attempts: row.attempts,
            until: row.due_at,
        }
    }
}

/// Claims what is due now in a lane, at most so many rows: few, so that none waits long within its lease.
async fn take(store: &Store, lane: &str, most: u64) -> Result<Vec<table::Model>, StoreError> {
    let due = table::Entity::find()
        .filter(table::Column::State.eq("waiting"))
        .filter(table::Column::Lane.eq(lane))
        .filter(table::Column::DueAt.lte(store.now().as_microsecond()))
        .order_by_asc(table::Column::DueAt)
        .limit(most)
        .all(store.read())
        .await?;
    if due.is_empty() {
        Ok(due)
    } else {
        claim(store, due).await
    }
}

/// Takes rows for this relay: a row that another one took meanwhile has another due time.
async fn claim(store: &Store, due: Vec<table::Model>) -> Result<Vec<table::Model>, StoreError> {
    store
        .write(move |tx| {
            Box::pin(async move {
                let until = tx.now().checked_add(LEASE).unwrap_or(Timestamp::MAX).as_microsecond();
                let mut claimed = Vec::with_capacity(due.len());
                for mut row in due {
                    let done = table::Entity::update_many()
                        .col_expr(table::Column::DueAt, Expr::value(until))
                        .filter(table::Column::Id.eq(row.id))
                        .filter(table::Column::DueAt.eq(row.due_at))
                        .filter(table::Column::State.eq("waiting"))
                        .exec(tx)
                        .await?;
                    if done.rows_affected == 1 {
                        row.due_at = until;
                        claimed.push(row);
                    }
                }
                Ok::<_, StoreError>(claimed)
            })
        })
        .await
}

/// Notes what became of a claimed row. A row whose lease ran out and that another relay took is that one's to note.
async fn note(store: &Store, row: Claimed, result: Result<Outcome, String>) -> Result<(), StoreError> {
    store
        .write(move |tx| {
            Box::pin(async move {
                let now = tx.now();
                let attempts = row.attempts + 1;
                let at = |pause: SignedDuration| {
                    Expr::value(now.checked_add(pause).unwrap_or(Timestamp::MAX).as_microsecond())
                };
                let update = table::Entity::update_many()
                    .filter(table::Column::Id.eq(row.id))
                    .filter(table::Column::DueAt.eq(row.until))
                    .filter(table::Column::State.eq("waiting"));
                let update = match result {
                    Ok(Outcome::Done) => update
                        .col_expr(table::Column::State, Expr::value("done"))
                        .col_expr(table::Column::FinishedAt, Expr::value(now.as_microsecond())),
                    Ok(Outcome::Later(pause)) => update.col_expr(table::Column::DueAt, at(pause)),
                    Err(error) if attempts >= ATTEMPTS => {
                        tracing::error!(kind = %row.kind, %error, "work was given up");
                        update
                            .col_expr(table::Column::State, Expr::value("dead"))
                            .col_expr(table::Column::Attempts, Expr::value(attempts))
                            .col_expr(table::Column::FinishedAt, Expr::value(now.as_microsecond()))
                            .col_expr(table::Column::LastError, Expr::value(error))
                    }
                    Err(error) => {
                        tracing::warn!(kind = %row.kind, %error, attempts, "work failed and is tried again");
                        update
                            .col_expr(table::Column::Attempts, Expr::value(attempts))
                            .col_expr(table::Column::DueAt, at(pause(attempts)))
                            .col_expr(table::Column::LastError, Expr::value(error))
                    }
                };
                update.exec(tx).await?;
                Ok::<_, StoreError>(())
            })
        })
        .await
}

/// 1 s, 2 s, 4 s … up to an hour.
fn pause(attempts: i32) -> SignedDuration {
    let doubled = u32::try_from(attempts - 1).unwrap_or(0).min(12);
    SignedDuration::from_secs(1 << doubled).min(LONGEST)
}
