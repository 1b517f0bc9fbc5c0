//! The city's transfers beside the platform's own record (`/log/dp`), for the auditor.

use crate::boxed;
use std::collections::{BTreeMap, BTreeSet};

use civic::Text;
use exchange::mydata::provider::LogQuery;
use jiff::Timestamp;
use jiff::civil::Date;
use store::tables::mydata_transfer::{self as table, Model};
use uuid::Uuid;

use super::provider;
use crate::guard::{self, Action};
use crate::history::time;
use crate::staff::Staff;
use crate::{CaseError, Desk};

pub use store::tables::mydata_transfer::State as TransferState;

/// Transfers of one page, and of one comparison.
const MOST: u64 = 2_000;
/// Days that are compared at once.
const DAYS: i32 = 92;
/// The platform's word for having got a data set (event code 280).
const GOT: &str = "280";

/// A transfer as the auditor sees it: nothing of the person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Transfer {
    /// The platform's transaction.
    pub id: Uuid,
    /// The data set.
    pub resource_id: String,
    /// Its name; nothing where it is not offered any more.
    pub title: Option<Text>,
    /// First call.
    pub asked: Timestamp,
    /// How far it came.
    pub state: TransferState,
    /// Status of the last answer.
    pub status: i32,
    /// How the citizen was verified.
    pub verification: Option<String>,
    /// How often the platform asked.
    pub tries: i32,
    /// Bytes given.
    pub size: i64,
}

fn transfer(desk: &Desk, row: Model) -> Transfer {
    Transfer {
        id: row.id,
        title: desk.catalogue.offered(&row.resource_id).map(|one| one.title.clone()),
        resource_id: row.resource_id,
        asked: time(row.asked_at),
        state: row.state,
        status: row.status,
        verification: row.verification,
        tries: row.tries,
        size: row.size,
    }
}

/// The transfers of some days, newest first.
///
/// # Errors
/// [`CaseError::Refused`] for everybody but auditors; [`CaseError::Input`] for days in the wrong order or too many; the store's.
#[boxed]
pub async fn transfers(desk: &Desk, staff: &Staff, from: Date, to: Date) -> Result<Vec<Transfer>, CaseError> {
    guard::office(desk, staff, Action::Audit)?;
    let rows = rows(desk, None, from, to).await?;
    Ok(rows.into_iter().map(|row| transfer(desk, row)).collect())
}

async fn rows(desk: &Desk, resource: Option<&str>, from: Date, to: Date) -> Result<Vec<Model>, CaseError> {
    let wrong = |problem| CaseError::Input { field: "from", problem };
    if from > to {
        return Err(wrong("order"));
    }
    let days = from.until(to).map_err(|_| wrong("order"))?.get_days();
    if days > DAYS {
        return Err(wrong("too_long"));
    }
    let after = to.tomorrow().map_err(|_| wrong("order"))?;
    let (start, end) = (civic::legal_start(from), civic::legal_start(after));
    Ok(table::between(
        desk.store.read(),
        resource,
        start.as_microsecond(),
        end.as_microsecond(),
        MOST,
    )
    .await?)
}

/// What differs between the two records of one data set.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Compared {
    /// Transactions in both.
    pub both: usize,
    /// Given by our record, and the platform says nothing of it.
    pub only_ours: Vec<Uuid>,
    /// The platform says that it got it, and we have no record of giving it.
    pub only_theirs: Vec<Uuid>,
    /// What the platform notes of each transaction: event codes in their order.
    pub events: BTreeMap<Uuid, Vec<String>>,
}

/// Reads the platform's record of a data set and lays it beside ours.
///
/// # Errors
/// [`CaseError::Refused`] for everybody but auditors; [`CaseError::NotFound`] for a data set that is not offered;
/// [`CaseError::Outside`]; the store's.
#[boxed]
pub async fn compare(
    desk: &Desk,
    staff: &Staff,
    resource_id: &str,
    from: Date,
    to: Date,
) -> Result<Compared, CaseError> {
    guard::office(desk, staff, Action::Audit)?;
    let provider = provider(desk)?;
    if !provider.config().resources.contains_key(resource_id) {
        return Err(CaseError::NotFound("data set"));
    }
    let ours = rows(desk, Some(resource_id), from, to).await?;
    let query = LogQuery {
        resource_id,
        from,
        to,
        transactions: &[],
        events: &[],
    };
    let theirs = provider.log(&query).await.map_err(|error| CaseError::Outside {
        party: "MyData",
        problem: error.to_string(),
    })?;
    let mut compared = Compared::default();
    let mut got = BTreeSet::new();
    for line in theirs {
        if line.event == GOT {
            got.insert(line.transaction_uid);
        }
        compared
            .events
            .entry(line.transaction_uid)
            .or_default()
            .push(line.event);
    }
    let sent: BTreeSet<Uuid> = ours
        .iter()
        .filter(|row| row.state == TransferState::Sent)
        .map(|row| row.id)
        .collect();
    compared.both = sent.intersection(&got).count();
    compared.only_ours = sent.difference(&got).copied().collect();
    compared.only_theirs = got.difference(&sent).copied().collect();
    Ok(compared)
}
