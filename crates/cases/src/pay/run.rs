//! A run (月底撥款作業) makes the payments of a service and month and puts them into batches of the bank's limit. It works
//! behind the pages in short transactions, goes on where it was after a crash, and never pays anybody twice.

use crate::boxed;
use std::sync::Arc;
use std::time::{Duration, Instant};

use civic::ids::{BatchId, RunId};
use civic::{Money, Text};
use jiff::{SignedDuration, Timestamp};
use store::outbox::{self, Outcome, Task};
use store::tables::payment_run::{self, Model};
use store::tables::{payment_batch, payment_part};
use uuid::Uuid;

use super::part::{self, Maker};
use super::{BatchRow, batch_row, due, own_services, payable, service_name};
use crate::guard::{self, Action};
use crate::history::time;
use crate::staff::{self, Staff};
use crate::{CaseError, Desk, Month};

pub use store::tables::payment_run::State;

/// Kind of the work that goes on with a run.
pub(crate) const WORK: &str = "pay.run";
/// How long one piece of work goes on: well within the time it may take.
const SITTING: Duration = Duration::from_secs(30);
/// Runs shown.
const SHOWN: u64 = 12;

/// A run as the list shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunRow {
    /// Identifier.
    pub id: RunId,
    /// Folder name of the service.
    pub service_id: String,
    /// Service.
    pub service: Text,
    /// Month paid for.
    pub period: String,
    /// Where it stands.
    pub state: State,
    /// Payments made.
    pub prepared: i32,
    /// Their sum.
    pub prepared_sum: Money,
    /// Payments whose account is noted for the next batch.
    pub sealed: i32,
    /// Batches made.
    pub batches: i32,
    /// Payments in them.
    pub batched: i32,
    /// Their sum.
    pub batched_sum: Money,
    /// Who began it.
    pub made_by: String,
    /// When it was begun.
    pub made_at: Timestamp,
    /// When it last went on.
    pub changed_at: Timestamp,
}

/// A run with its batches.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunView {
    /// The run.
    pub row: RunRow,
    /// Batches of its service and month.
    pub batches: Vec<BatchRow>,
}

fn row(desk: &Desk, names: &[Staff], run: Model) -> RunRow {
    RunRow {
        id: RunId::from_uuid(run.id),
        service: service_name(desk, &run.service),
        service_id: run.service,
        period: run.period,
        state: run.state,
        prepared: run.prepared,
        prepared_sum: Money(run.prepared_total),
        sealed: run.sealed,
        batches: run.batches,
        batched: run.batched,
        batched_sum: Money(run.batched_total),
        made_by: names
            .iter()
            .find(|staff| staff.id.uuid() == run.made_by)
            .map(|staff| staff.name.clone())
            .unwrap_or_default(),
        made_at: time(run.made_at),
        changed_at: time(run.changed_at),
    }
}

/// The newest runs of the own office.
pub(super) async fn newest(desk: &Desk, staff: &Staff) -> Result<Vec<RunRow>, CaseError> {
    let names = staff::all(desk).await?;
    let own = own_services(desk, staff);
    let mut runs = payment_run::newest(desk.store.read(), None, SHOWN).await?;
    runs.retain(|run| own.contains(&run.service));
    Ok(runs.into_iter().map(|run| row(desk, &names, run)).collect())
}

/// Begins a run. Payments and batches there are already stay as they are.
///
/// # Errors
/// [`CaseError::Conflict`] when one for this service and month is at work; [`CaseError::Input`] for a month that has not
/// begun; [`CaseError::Refused`]; the store's.
#[boxed]
pub async fn start(desk: &Desk, staff: &Staff, service: &str, month: Month) -> Result<RunId, CaseError> {
    payable(desk, staff, service, month)?;
    let id = RunId::generate(desk.clock.as_ref());
    let at = desk.now().as_microsecond();
    let run = Model {
        id: id.uuid(),
        service: service.to_owned(),
        period: month.to_string(),
        state: State::Preparing,
        cursor: None,
        part_id: None,
        most: i32::try_from(desk.city.account.most).unwrap_or(i32::MAX),
        prepared: 0,
        prepared_total: 0,
        sealed: 0,
        batches: 0,
        batched: 0,
        batched_total: 0,
        made_by: staff.id.uuid(),
        made_at: at,
        changed_at: at,
        finished_at: None,
    };
    let done = desk
        .store
        .write(move |tx| {
            Box::pin(async move {
                payment_run::insert(tx, run).await?;
                outbox::put(tx, Task::new(WORK, format!("{WORK}:{id}"), &id.uuid())).await?;
                Ok::<_, CaseError>(id)
            })
        })
        .await;
    match done {
        Err(CaseError::Store(error)) if error.is_duplicate() => Err(CaseError::Conflict("run")),
        other => other,
    }
}

async fn own(desk: &Desk, staff: &Staff, id: RunId) -> Result<Model, CaseError> {
    payment_run::by_id(desk.store.read(), id.uuid())
        .await?
        .filter(|run| guard::is_own(desk, staff, &run.service))
        .ok_or(CaseError::NotFound("run"))
}

/// A run with the batches of its service and month.
///
/// # Errors
/// [`CaseError::NotFound`]; [`CaseError::Refused`]; the store's.
#[boxed]
pub async fn view(desk: &Desk, staff: &Staff, id: RunId) -> Result<RunView, CaseError> {
    guard::office(desk, staff, Action::Pay)?;
    let run = own(desk, staff, id).await?;
    let names = staff::all(desk).await?;
    let batches = payment_batch::of_month(desk.store.read(), &run.service, &run.period).await?;
    Ok(RunView {
        batches: batches
            .into_iter()
            .map(|batch| batch_row(desk, &names, staff, batch))
            .collect(),
        row: row(desk, &names, run),
    })
}

/// Stops a run; what it has made stays, and another run goes on with the rest.
///
/// # Errors
/// [`CaseError::Conflict`] when it has ended; [`CaseError::NotFound`]; [`CaseError::Refused`]; the store's.
#[boxed]
pub async fn stop(desk: &Desk, staff: &Staff, id: RunId) -> Result<(), CaseError> {
    guard::office(desk, staff, Action::Pay)?;
    own(desk, staff, id).await?;
    desk.store
        .write(move |tx| {
            Box::pin(async move {
                // read again within the writer: the run goes on meanwhile
                let was = payment_run::by_id(tx, id.uuid())
                    .await?
                    .ok_or(CaseError::NotFound("run"))?;
                if matches!(was.state, State::Ready | State::Stopped) {
                    return Err(CaseError::Conflict("run"));
                }
                if let Some(part) = was.part_id {
                    payment_part::free(tx, part).await?;
                }
                let at = tx.now().as_microsecond();
                let row = Model {
                    state: State::Stopped,
                    part_id: None,
                    sealed: 0,
                    changed_at: at,
                    finished_at: Some(at),
                    ..was.clone()
                };
                advance(tx, &was, &row).await
            })
        })
        .await
}

async fn advance(tx: &store::Tx, was: &Model, row: &Model) -> Result<(), CaseError> {
    if payment_run::advance(tx, was, row).await? {
        Ok(())
    } else {
        Err(CaseError::Conflict("run"))
    }
}

/// Goes on with a run for a while.
///
/// # Errors
/// Temporary ones, after which the work is tried again.
pub(crate) async fn work(desk: &Desk, id: Uuid) -> Result<Outcome, CaseError> {
    let begun = Instant::now();
    while begun.elapsed() < SITTING {
        let Some(run) = payment_run::by_id(desk.store.read(), id).await? else {
            return Ok(Outcome::Done);
        };
        match run.state {
            State::Ready | State::Stopped => return Ok(Outcome::Done),
            State::Preparing => prepare(desk, run).await?,
            State::Batching => batch(desk, run).await?,
        }
    }
    Ok(Outcome::Later(SignedDuration::ZERO))
}

/// One page of payments.
async fn prepare(desk: &Desk, was: Model) -> Result<(), CaseError> {
    let (clock, today) = (desk.clock.clone(), desk.today().to_string());
    desk.store
        .write(move |tx| {
            Box::pin(async move {
                let page = due::page(tx, clock.as_ref(), &was.service, &was.period, &today, was.cursor).await?;
                let made = i32::try_from(page.made.count).unwrap_or(i32::MAX);
                let row = Model {
                    state: if page.last.is_some() {
                        State::Preparing
                    } else {
                        State::Batching
                    },
                    cursor: page.last.or(was.cursor),
                    prepared: was.prepared.saturating_add(made),
                    prepared_total: was.prepared_total.saturating_add(page.made.total),
                    changed_at: tx.now().as_microsecond(),
                    ..was.clone()
                };
                advance(tx, &was, &row).await
            })
        })
        .await
}

/// One step towards the next batch: take a part, note a page of accounts, or write the order and make the batch.
async fn batch(desk: &Desk, was: Model) -> Result<(), CaseError> {
    let Some(part) = was.part_id else {
        return take(desk, was).await;
    };
    let staff = staff::get(desk, was.made_by.into()).await?;
    let service = Arc::clone(desk.service(&was.service)?);
    let month = was.period.parse().map_err(|_| CaseError::Corrupt {
        what: "payment_run",
        why: "the month".to_owned(),
    })?;
    let maker = Maker {
        desk,
        staff: &staff,
        service: &service,
        month,
    };
    match maker.seal_page(part).await {
        Ok(Some(sealed)) => {
            let seal = desk.store.seal().clone();
            desk.store
                .write(move |tx| {
                    Box::pin(async move {
                        let count = i32::try_from(sealed.count).unwrap_or(i32::MAX);
                        let row = Model {
                            sealed: was.sealed.saturating_add(count),
                            changed_at: tx.now().as_microsecond(),
                            ..was.clone()
                        };
                        sealed.write(tx, &seal, part).await?;
                        advance(tx, &was, &row).await
                    })
                })
                .await
        }
        Ok(None) => finish(&maker, was, part).await,
        // something of the part has changed since it was taken: it is taken anew
        Err(CaseError::Conflict(_)) => put_back(desk, was, part).await,
        Err(error) => Err(error),
    }
}

async fn take(desk: &Desk, was: Model) -> Result<(), CaseError> {
    let today = desk.today().to_string();
    desk.store
        .write(move |tx| {
            Box::pin(async move {
                let (part, at) = (Uuid::new_v4(), tx.now().as_microsecond());
                let most = u64::try_from(was.most).unwrap_or(1).max(1);
                let found = payment_part::take(tx, (&was.service, &was.period), &today, part, most).await?;
                let row = Model {
                    state: if found == 0 { State::Ready } else { State::Batching },
                    part_id: (found > 0).then_some(part),
                    sealed: 0,
                    changed_at: at,
                    finished_at: (found == 0).then_some(at),
                    ..was.clone()
                };
                advance(tx, &was, &row).await
            })
        })
        .await
}

async fn put_back(desk: &Desk, was: Model, part: Uuid) -> Result<(), CaseError> {
    desk.store
        .write(move |tx| {
            Box::pin(async move {
                payment_part::free(tx, part).await?;
                let row = Model {
                    part_id: None,
                    sealed: 0,
                    changed_at: tx.now().as_microsecond(),
                    ..was.clone()
                };
                advance(tx, &was, &row).await
            })
        })
        .await
}

/// Writes the order and puts the part into its batch.
async fn finish(maker: &Maker<'_>, was: Model, part: Uuid) -> Result<(), CaseError> {
    let id = BatchId::generate(maker.desk.clock.as_ref());
    let Some(written) = maker.write(part, id).await? else {
        return put_back(maker.desk, was, part).await;
    };
    let batch = maker.batch(id, &written);
    maker
        .desk
        .store
        .write(move |tx| {
            Box::pin(async move {
                part::close(tx, part, batch, written.sum.count).await?;
                let count = i32::try_from(written.sum.count).unwrap_or(i32::MAX);
                let row = Model {
                    part_id: None,
                    sealed: 0,
                    batches: was.batches.saturating_add(1),
                    batched: was.batched.saturating_add(count),
                    batched_total: was.batched_total.saturating_add(written.sum.total),
                    changed_at: tx.now().as_microsecond(),
                    ..was.clone()
                };
                advance(tx, &was, &row).await
            })
        })
        .await
}
