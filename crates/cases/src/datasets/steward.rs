//! The work of a data steward (資料管理人): whether the datasets of their office are fresh, what their loads found, files that
//! wait for a decision, and rows that were not taken, which are mended.
//!
//! Pages of a dataset show no value of a row. Rows that were not taken do, so each look at them and each mended row leaves an
//! entry in the usage ledger.

use crate::boxed;
use std::collections::BTreeMap;
use std::sync::Arc;

use civic::{Language, Purpose};
use hub::{At, Mended};
pub use hub::{Dataset, Outcome, Reason, Reject, Run};
use jiff::Timestamp;
use jiff::civil::Date;
use store::access::Resource;
use store::ledger;

use super::arrive::{Decision, Waiting};
use super::{Datasets, Holding};
use crate::guard::{self, Action};
use crate::staff::Staff;
use crate::{CaseError, Desk};

/// Runs of a page.
const RUNS: usize = 30;
/// Rows of a page.
pub const PAGE: usize = 20;

/// A dataset as the list shows it.
#[derive(Clone, Debug)]
pub struct SetRow {
    /// The dataset.
    pub dataset: Arc<Dataset>,
    /// The latest version with when its rows were brought in, and how many they are; nothing before the first.
    pub latest: Option<Latest>,
    /// The day by whose end the next load is expected.
    pub expected: Option<Date>,
    /// Whether that day has passed.
    pub late: bool,
    /// Loads with rows that were not taken and are not mended yet.
    pub rejected: Vec<String>,
    /// The file that waits for the steward.
    pub waiting: Option<Waiting>,
    /// Files behind it, or that have just arrived.
    pub queued: usize,
}

/// The latest version.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Latest {
    /// Its number.
    pub version: u64,
    /// When its rows were brought in.
    pub loaded: Timestamp,
    /// How many rows it has.
    pub rows: u64,
}

/// A dataset with its last runs.
#[derive(Clone, Debug)]
pub struct SetView {
    /// As in the list.
    pub row: SetRow,
    /// The newest first.
    pub runs: Vec<Run>,
}

/// Rows of a load that were not taken.
pub struct Rejects {
    /// The dataset.
    pub dataset: Arc<Dataset>,
    /// The load.
    pub load: String,
    /// How many there are.
    pub count: usize,
    /// Those of the page.
    pub rows: Vec<hub::Reject>,
}

fn datasets(desk: &Desk) -> Result<&Datasets, CaseError> {
    desk.datasets.as_ref().ok_or(CaseError::NotFound("dataset"))
}

fn purpose(dataset: &Dataset, action: Action) -> Purpose {
    Purpose {
        code: dataset.purposes.first().cloned().unwrap_or_default(),
        basis: dataset.legal_basis.join("、"),
        function: action.word().to_owned(),
        application: None,
    }
}

/// The dataset, if this member of staff looks after it.
fn own<'a>(desk: &'a Desk, staff: &Staff, id: &str, action: Action) -> Result<(&'a Datasets, &'a Holding), CaseError> {
    let datasets = datasets(desk)?;
    let holding = datasets.held.get(id).ok_or(CaseError::NotFound("dataset"))?;
    let dataset = &holding.dataset;
    let resource = Resource::Dataset {
        id: &dataset.id,
        steward: dataset.steward.get(Language::ZhTw),
    };
    let who = staff.who();
    let access = desk.store.access();
    access.decide(who.actor(), action.word(), resource, purpose(dataset, action))?;
    Ok((datasets, holding))
}

/// The datasets of a steward's office.
///
/// # Errors
/// [`CaseError::Refused`]; [`CaseError::NotFound`] where the city has no lake; [`CaseError::Hub`].
#[boxed]
pub async fn list(desk: &Desk, staff: &Staff) -> Result<Vec<SetRow>, CaseError> {
    guard::office(desk, staff, Action::Steward)?;
    let datasets = datasets(desk)?;
    let mut rows = Vec::new();
    for (id, holding) in &datasets.held {
        if own(desk, staff, id, Action::Steward).is_ok() {
            rows.push(row(desk, datasets, holding).await?);
        }
    }
    Ok(rows)
}

async fn row(desk: &Desk, datasets: &Datasets, holding: &Holding) -> Result<SetRow, CaseError> {
    let dataset = &holding.dataset;
    let state = hub::standing(&datasets.lake, dataset, At::Latest).await?;
    let latest = state.map(|(version, loaded, rows)| Latest { version, loaded, rows });
    let expected = latest.and_then(|latest| dataset.refresh.expected(civic::legal_day(latest.loaded)));
    let waiting = datasets.waiting(&dataset.id)?;
    let files = datasets.files(&dataset.id)?.len();
    Ok(SetRow {
        dataset: Arc::clone(dataset),
        latest,
        expected,
        late: expected.is_some_and(|day| day < desk.today()),
        rejected: hub::waiting(&datasets.lake, dataset).await?,
        queued: files - usize::from(waiting.is_some()).min(files),
        waiting,
    })
}

/// A dataset with what its loads found.
///
/// # Errors
/// [`CaseError::Refused`]; [`CaseError::NotFound`]; [`CaseError::Hub`].
#[boxed]
pub async fn show(desk: &Desk, staff: &Staff, id: &str) -> Result<SetView, CaseError> {
    let (datasets, holding) = own(desk, staff, id, Action::Steward)?;
    Ok(SetView {
        row: row(desk, datasets, holding).await?,
        runs: hub::runs(&datasets.lake, &holding.dataset, RUNS).await?,
    })
}

/// Decides on the file that waits. What is to be brought in is so by the work behind the pages, within a minute or so.
///
/// # Errors
/// [`CaseError::Refused`]; [`CaseError::NotFound`]; [`CaseError::Conflict`] when another file waits by now;
/// [`CaseError::Hub`]; the store's.
#[boxed]
pub async fn decide(desk: &Desk, staff: &Staff, id: &str, file: &str, decision: Decision) -> Result<(), CaseError> {
    let (datasets, holding) = own(desk, staff, id, Action::Steward)?;
    record(desk, staff, &holding.dataset, Action::Steward, Vec::new(), 0).await?;
    match datasets.decide(id, file, decision)? {
        true => Ok(()),
        false => Err(CaseError::Conflict("file")),
    }
}

/// Rows of a load that were not taken: a page of them, from this one on.
///
/// # Errors
/// [`CaseError::Refused`]; [`CaseError::NotFound`]; [`CaseError::Hub`]; the store's.
#[boxed]
pub async fn rejects(desk: &Desk, staff: &Staff, id: &str, load: &str, from: usize) -> Result<Rejects, CaseError> {
    let (datasets, holding) = own(desk, staff, id, Action::Mend)?;
    let dataset = &holding.dataset;
    let key = holding.key.as_ref().map(|key| key.as_slice());
    let all = hub::rejected(&datasets.lake, dataset, load, key).await?;
    let count = all.len();
    let rows: Vec<hub::Reject> = all.into_iter().skip(from).take(PAGE).collect();
    if !rows.is_empty() {
        record(desk, staff, dataset, Action::Mend, names(dataset), rows.len()).await?;
    }
    Ok(Rejects {
        dataset: Arc::clone(dataset),
        load: load.to_owned(),
        count,
        rows,
    })
}

/// Takes in a row whose cells the steward has mended; says whether it was taken. One that is still wrong stays with its new
/// reasons.
///
/// # Errors
/// [`CaseError::Refused`]; [`CaseError::NotFound`]; [`CaseError::Conflict`] when a colleague was faster; [`CaseError::Hub`]; the
/// store's.
#[boxed]
pub async fn mend(
    desk: &Desk,
    staff: &Staff,
    id: &str,
    load: &str,
    place: u64,
    cells: BTreeMap<String, Option<String>>,
) -> Result<bool, CaseError> {
    let (datasets, holding) = own(desk, staff, id, Action::Mend)?;
    let dataset = &holding.dataset;
    record(desk, staff, dataset, Action::Mend, names(dataset), 1).await?;
    let job = datasets.job(holding, desk.now());
    let mended = [Mended { place, cells }];
    let report = match hub::replay(&datasets.lake, dataset, load, &mended, &job).await {
        Err(hub::HubError::NotRejected { .. } | hub::HubError::Busy(_) | hub::HubError::Overtaken(_)) => {
            return Err(CaseError::Conflict("row"));
        }
        other => other?,
    };
    Ok(matches!(report.outcome, Outcome::Published(_)) && report.rejected == 0)
}

fn names(dataset: &Dataset) -> Vec<String> {
    let columns = dataset.columns.iter();
    columns
        .map(|column| format!("{}.{}", dataset.id, column.name))
        .collect()
}

async fn record(
    desk: &Desk,
    staff: &Staff,
    dataset: &Dataset,
    action: Action,
    fields: Vec<String>,
    count: usize,
) -> Result<(), CaseError> {
    let (actor, actor_id) = staff.who().in_ledger();
    let entry = ledger::Entry {
        at: desk.now(),
        actor,
        actor_id,
        action: action.word().to_owned(),
        purpose: purpose(dataset, action),
        application: None,
        subject: None,
        fields,
        count: u64::try_from(count).unwrap_or(u64::MAX),
    };
    desk.store
        .write(move |tx| {
            Box::pin(async move {
                ledger::append(tx, entry).await?;
                Ok::<_, CaseError>(())
            })
        })
        .await
}
