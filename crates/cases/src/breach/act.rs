//! What is done with a breach: opened, its scope said, ascertained, reported, told, closed.

use std::collections::BTreeMap;

use civic::ids::EventId;
use civic::roc;
use jiff::{SignedDuration, Timestamp};
use store::ledger;
use store::outbox::{self, Task};
use store::tables::{application, breach as table, breach_person};
use uuid::Uuid;

use super::{COUNT, Content, Event, KEY, Means, Scope, State, TELL, content, entry, numbered, row, write};
use crate::boxed;
use crate::guard::{self, Action};
use crate::staff::{self, Staff};
use crate::{CaseError, Desk};

/// Longest title, in characters.
const LONGEST_TITLE: usize = 200;
/// Longest text, in characters.
const LONGEST: usize = 4000;

/// What is said of a breach when it is opened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Opening {
    /// What it is called.
    pub title: String,
    /// When it was discovered.
    pub discovered: Timestamp,
    /// Whether it is a drill.
    pub drill: bool,
}

fn refuse(field: &'static str, problem: &'static str) -> CaseError {
    CaseError::Input { field, problem }
}

fn checked(field: &'static str, text: &str, longest: usize) -> Result<String, CaseError> {
    let text = text.trim();
    match text.chars().count() {
        0 => Err(refuse(field, "empty")),
        n if n > longest => Err(refuse(field, "too_long")),
        _ => Ok(text.to_owned()),
    }
}

fn note(desk: &Desk, staff: &Staff, content: &mut Content, what: &str, note: String) {
    content.history.push(Event {
        at: desk.now(),
        by: Some(staff.id.uuid()),
        what: what.to_owned(),
        note,
    });
}

/// The breach as it was seen, still to be handled.
async fn held(desk: &Desk, staff: &Staff, id: Uuid, revision: i64) -> Result<(table::Model, Content), CaseError> {
    let row = row(desk, staff, id).await?;
    if row.revision != revision || row.state == State::Closed {
        return Err(CaseError::Conflict("breach"));
    }
    let content = content(desk, &row).await?;
    Ok((row, content))
}

/// Writes the change with the entry of the ledger and the work that follows.
async fn finish(
    desk: &Desk,
    staff: &Staff,
    row: table::Model,
    content: Content,
    task: Option<Task>,
) -> Result<(), CaseError> {
    let used = entry(desk, staff, None, &["breach"], 1);
    let seal = desk.store.seal().clone();
    desk.store
        .write(move |tx| {
            Box::pin(async move {
                write(tx, &seal, row, &content).await?;
                if let Some(task) = task {
                    outbox::put(tx, task).await?;
                }
                ledger::append(tx, used).await?;
                Ok::<_, CaseError>(())
            })
        })
        .await
}

/// Opens a breach, or a drill.
///
/// # Errors
/// [`CaseError::Input`] without a title, or for a time still to come; [`CaseError::Refused`]; the store's.
#[boxed]
pub async fn open(desk: &Desk, staff: &Staff, opening: Opening) -> Result<Uuid, CaseError> {
    guard::office(desk, staff, Action::Breach)?;
    let title = checked("title", &opening.title, LONGEST_TITLE)?;
    let now = desk.now();
    if opening.discovered > now {
        return Err(refuse("discovered", "future"));
    }
    let mut content = Content {
        title,
        scope: None,
        report: BTreeMap::new(),
        told: String::new(),
        measures: String::new(),
        history: Vec::new(),
    };
    note(desk, staff, &mut content, "opened", String::new());
    let id = EventId::generate(desk.clock.as_ref()).uuid();
    let year = roc::year(desk.today());
    let (agency, opened_by) = (staff.agency.clone(), staff.id.uuid());
    let used = entry(desk, staff, None, &["breach"], 1);
    let seal = desk.store.seal().clone();
    desk.store
        .write(move |tx| {
            Box::pin(async move {
                let serial = application::next_in_series(tx, &format!("breach:{year}")).await?;
                let row = table::Model {
                    id,
                    number: format!("{year}-PD-{serial:04}"),
                    agency,
                    drill: opening.drill,
                    state: State::Open,
                    discovered_at: opening.discovered.as_microsecond(),
                    ascertained_at: None,
                    report_due: None,
                    reported_at: None,
                    counted_at: None,
                    concerned: 0,
                    unnamed: 0,
                    told_at: None,
                    closed_at: None,
                    key_id: seal.system_key(tx, KEY).await?.uuid(),
                    sealed: Vec::new(),
                    opened_by,
                    changed_at: now.as_microsecond(),
                    revision: 1,
                };
                table::insert(tx, row.clone()).await?;
                write(tx, &seal, row, &content).await?;
                ledger::append(tx, used).await?;
                Ok::<_, CaseError>(id)
            })
        })
        .await
}

/// Says what the breach reached, and has the persons concerned counted. Who was counted before by another scope is forgotten.
///
/// # Errors
/// [`CaseError::Input`] for a span that ends before it begins, an account, case or service there is not; [`CaseError::Conflict`],
/// also once persons are told; [`CaseError::Refused`]; the store's.
#[boxed]
pub async fn scope(desk: &Desk, staff: &Staff, id: Uuid, revision: i64, scope: Scope) -> Result<(), CaseError> {
    let (mut row, mut content) = held(desk, staff, id, revision).await?;
    if row.state != State::Open {
        return Err(CaseError::Conflict("breach"));
    }
    if scope.to <= scope.from {
        return Err(refuse("to", "before"));
    }
    if let Some(service) = &scope.service {
        desk.catalogue.get(service).ok_or(refuse("service", "unknown"))?;
    }
    if scope.means == Means::Used {
        if let Some(number) = &scope.number {
            numbered(desk, number).await?;
        }
        if let Some(account) = &scope.account {
            let all = staff::all(desk).await?;
            if !all.iter().any(|one| &one.account == account) {
                return Err(refuse("account", "unknown"));
            }
        }
    }
    content.scope = Some(scope);
    note(desk, staff, &mut content, "scoped", String::new());
    row.counted_at = None;
    let task = Task::new(COUNT, format!("{COUNT}:{id}:{}", row.revision), &id);
    finish(desk, staff, row, content, Some(task)).await
}

/// Notes that the breach is ascertained: from then on the time to report runs.
///
/// # Errors
/// [`CaseError::Input`] for a time still to come or before it was discovered; [`CaseError::Conflict`]; [`CaseError::Refused`]; the
/// store's.
#[boxed]
pub async fn ascertain(desk: &Desk, staff: &Staff, id: Uuid, revision: i64, at: Timestamp) -> Result<(), CaseError> {
    let (mut row, mut content) = held(desk, staff, id, revision).await?;
    if row.ascertained_at.is_some() {
        return Err(CaseError::Conflict("breach"));
    }
    if at > desk.now() {
        return Err(refuse("ascertained", "future"));
    }
    if at.as_microsecond() < row.discovered_at {
        return Err(refuse("ascertained", "before"));
    }
    let due = at
        .checked_add(SignedDuration::from_hours(desk.breach.report.hours))
        .map_err(|_| refuse("ascertained", "future"))?;
    row.ascertained_at = Some(at.as_microsecond());
    row.report_due = Some(due.as_microsecond());
    note(desk, staff, &mut content, "ascertained", String::new());
    finish(desk, staff, row, content, None).await
}

/// Keeps what was written of the report. Fields may still be empty.
///
/// # Errors
/// [`CaseError::Input`] for a text that is too long or a choice there is not; [`CaseError::Conflict`], also once it was sent;
/// [`CaseError::Refused`]; the store's.
#[boxed]
pub async fn save_report(
    desk: &Desk,
    staff: &Staff,
    id: Uuid,
    revision: i64,
    mut values: BTreeMap<String, String>,
) -> Result<(), CaseError> {
    let (row, mut content) = held(desk, staff, id, revision).await?;
    if row.reported_at.is_some() {
        return Err(CaseError::Conflict("breach"));
    }
    let mut kept = BTreeMap::new();
    for field in &desk.breach.report.fields {
        let Some(value) = values.remove(&field.name).map(|value| value.trim().to_owned()) else {
            continue;
        };
        if value.chars().count() > LONGEST {
            return Err(refuse("report", "too_long"));
        }
        let known = field.choices.is_empty() || field.choices.iter().any(|choice| choice.name == value);
        if !value.is_empty() && !known {
            return Err(refuse("report", "unknown"));
        }
        if !value.is_empty() {
            kept.insert(field.name.clone(), value);
        }
    }
    content.report = kept;
    note(desk, staff, &mut content, "report_saved", String::new());
    finish(desk, staff, row, content, None).await
}

/// Notes that the report was handed to the authority, and how.
///
/// # Errors
/// [`CaseError::Input`] before it is ascertained and counted and every field written, or for a time that can't be;
/// [`CaseError::Conflict`]; [`CaseError::Refused`]; the store's.
#[boxed]
pub async fn report_sent(
    desk: &Desk,
    staff: &Staff,
    id: Uuid,
    revision: i64,
    at: Timestamp,
    how: &str,
) -> Result<(), CaseError> {
    let (mut row, mut content) = held(desk, staff, id, revision).await?;
    if row.reported_at.is_some() {
        return Err(CaseError::Conflict("breach"));
    }
    let Some(ascertained) = row.ascertained_at.filter(|_| row.counted_at.is_some()) else {
        return Err(refuse("reported", "not_ready"));
    };
    let fields = &desk.breach.report.fields;
    if fields.iter().any(|field| !content.report.contains_key(&field.name)) {
        return Err(refuse("reported", "incomplete"));
    }
    if at > desk.now() {
        return Err(refuse("reported", "future"));
    }
    if at.as_microsecond() < ascertained {
        return Err(refuse("reported", "before"));
    }
    let how = checked("how", how, LONGEST)?;
    row.reported_at = Some(at.as_microsecond());
    note(desk, staff, &mut content, "reported", how);
    finish(desk, staff, row, content, None).await
}

/// Tells the persons concerned: each on the ways of a case of theirs, and on their own page. In a drill nobody is told.
///
/// # Errors
/// [`CaseError::Input`] without a text, or before it is ascertained and counted; [`CaseError::Conflict`]; [`CaseError::Refused`];
/// the store's.
#[boxed]
pub async fn tell(desk: &Desk, staff: &Staff, id: Uuid, revision: i64, text: &str) -> Result<(), CaseError> {
    let (mut row, mut content) = held(desk, staff, id, revision).await?;
    if row.state != State::Open {
        return Err(CaseError::Conflict("breach"));
    }
    if row.ascertained_at.is_none() || row.counted_at.is_none() {
        return Err(refuse("text", "not_ready"));
    }
    content.told = checked("text", text, LONGEST)?;
    note(desk, staff, &mut content, "told", String::new());
    row.state = State::Telling;
    row.told_at = Some(desk.now().as_microsecond());
    let task = Task::new(TELL, format!("{TELL}:{id}"), &id);
    finish(desk, staff, row, content, Some(task)).await
}

/// Notes that the office itself told everybody whom no message reaches, and how.
///
/// # Errors
/// [`CaseError::Input`] without a word on how; [`CaseError::Conflict`] before the platform has told who it reaches;
/// [`CaseError::Refused`]; the store's.
#[boxed]
pub async fn told_otherwise(desk: &Desk, staff: &Staff, id: Uuid, revision: i64, how: &str) -> Result<(), CaseError> {
    let (row, mut content) = held(desk, staff, id, revision).await?;
    if row.state != State::Told {
        return Err(CaseError::Conflict("breach"));
    }
    let how = checked("letters", how, LONGEST)?;
    note(desk, staff, &mut content, "told_otherwise", how);
    let used = entry(desk, staff, None, &["breach"], 1);
    let seal = desk.store.seal().clone();
    let at = desk.now().as_microsecond();
    desk.store
        .write(move |tx| {
            Box::pin(async move {
                breach_person::told_otherwise(tx, id, at).await?;
                write(tx, &seal, row, &content).await?;
                ledger::append(tx, used).await?;
                Ok::<_, CaseError>(())
            })
        })
        .await
}

/// Closes it, with what was done so that it does not happen again.
///
/// # Errors
/// [`CaseError::Input`] without measures, before it was reported (a drill is not) or while somebody is still to be told;
/// [`CaseError::Conflict`]; [`CaseError::Refused`]; the store's.
#[boxed]
pub async fn close(desk: &Desk, staff: &Staff, id: Uuid, revision: i64, measures: &str) -> Result<(), CaseError> {
    let (mut row, mut content) = held(desk, staff, id, revision).await?;
    if row.ascertained_at.is_none() || row.counted_at.is_none() {
        return Err(refuse("measures", "not_ready"));
    }
    if row.reported_at.is_none() && !row.drill {
        return Err(refuse("measures", "not_reported"));
    }
    let counts = breach_person::counts(desk.store.read(), id).await?;
    let waits = |how: &breach_person::Told| matches!(how, breach_person::Told::No | breach_person::Told::Page);
    if counts.iter().any(|(how, _)| waits(how)) || row.state == State::Telling {
        return Err(refuse("measures", "not_told"));
    }
    content.measures = checked("measures", measures, LONGEST)?;
    note(desk, staff, &mut content, "closed", String::new());
    row.state = State::Closed;
    row.closed_at = Some(desk.now().as_microsecond());
    finish(desk, staff, row, content, None).await
}
