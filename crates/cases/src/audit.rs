//! Audit (稽核): the usage ledger searched by case or time, the check of its chain, and the security events.
//!
//! What an auditor sees names who used which kinds of data for what; it holds no value of any field.

use crate::boxed;
use civic::ids::ApplicationId;
use jiff::Timestamp;
use store::StoreError;
use store::ledger::{self, ActorKind, Recorded};
use store::tables::{application, security_event};

use crate::guard::{self, Action};
use crate::history::time;
use crate::staff::{self, Staff};
use crate::{CaseError, Desk};

pub use store::ledger::{Fault, Verified};

/// Most entries of one page.
pub const PAGE: u64 = 100;

/// What is searched for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Search {
    /// Number of a case.
    pub number: Option<String>,
    /// From this time on.
    pub from: Option<Timestamp>,
    /// Before this time.
    pub to: Option<Timestamp>,
    /// Only entries before this one, for the next page.
    pub before: Option<u64>,
}

/// A line of the ledger with its names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// The entry.
    pub recorded: Recorded,
    /// Number of its case; empty once the case is destroyed.
    pub number: Option<String>,
    /// Name of the member of staff.
    pub name: Option<String>,
}

/// A security event as the page lists it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SecurityEvent {
    /// When.
    pub at: Timestamp,
    /// Short code.
    pub kind: String,
    /// `notice`, `warning` or `alarm`.
    pub severity: String,
    /// Address of the caller.
    pub origin: Option<String>,
    /// One sentence.
    pub detail: String,
}

/// Entries that match, newest first, at most [`PAGE`].
///
/// # Errors
/// [`CaseError::Refused`] for everybody but auditors; [`CaseError::NotFound`] for a number no case has; the store's.
#[boxed]
pub async fn search(desk: &Desk, staff: &Staff, search: &Search) -> Result<Vec<Line>, CaseError> {
    guard::office(desk, staff, Action::Audit)?;
    let db = desk.store.read();
    let found = match &search.number {
        Some(number) => {
            let row = application::by_number(db, number)
                .await?
                .ok_or(CaseError::NotFound("application"))?;
            let mut entries = ledger::of_application(db, ApplicationId::from_uuid(row.id), search.before, PAGE).await?;
            entries.retain(|one| {
                search.from.is_none_or(|from| one.entry.at >= from) && search.to.is_none_or(|to| one.entry.at < to)
            });
            entries
        }
        None => ledger::between(db, search.from, search.to, search.before, PAGE).await?,
    };
    let names = staff::all(desk).await?;
    let mut lines = Vec::with_capacity(found.len());
    for recorded in found {
        let number = match recorded.entry.application {
            Some(id) => application::by_id(db, id.uuid()).await?.and_then(|row| row.number),
            None => None,
        };
        let actor = recorded
            .entry
            .actor_id
            .filter(|_| recorded.entry.actor == ActorKind::Staff);
        let name = names
            .iter()
            .find(|staff| Some(staff.id.uuid()) == actor)
            .map(|staff| staff.name.clone());
        lines.push(Line { recorded, number, name });
    }
    Ok(lines)
}

/// Goes through the whole chain.
///
/// # Errors
/// [`CaseError::Refused`]; the store's when it can't be read. A chain that does not hold together is an answer.
#[boxed]
pub async fn verify(desk: &Desk, staff: &Staff) -> Result<Result<Verified, Fault>, CaseError> {
    guard::office(desk, staff, Action::Audit)?;
    match ledger::verify(&desk.store, None).await {
        Ok(verified) => Ok(Ok(verified)),
        Err(StoreError::Ledger(fault)) => Ok(Err(fault)),
        Err(error) => Err(error.into()),
    }
}

/// The newest security events.
///
/// # Errors
/// [`CaseError::Refused`]; the store's.
#[boxed]
pub async fn events(desk: &Desk, staff: &Staff) -> Result<Vec<SecurityEvent>, CaseError> {
    guard::office(desk, staff, Action::Audit)?;
    let rows = security_event::newest(desk.store.read(), None, PAGE).await?;
    let view = |row: security_event::Model| SecurityEvent {
        at: time(row.at),
        kind: row.kind,
        severity: row.severity,
        origin: row.origin,
        detail: row.detail,
    };
    Ok(rows.into_iter().map(view).collect())
}
