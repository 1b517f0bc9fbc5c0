//! What an officer does to a case. Every act names the revision it was made on.

use crate::boxed;
use std::collections::BTreeMap;

use civic::ids::{ApplicationId, LetterId};
use civic::{legal_day, roc};
use jiff::SignedDuration;
use jiff::civil::Date;
use store::outbox::Task;
use store::seal::Place;
use store::tables::{letter, measure};

use super::CorrectionView;
use crate::change::{Change, same_revision};
use crate::guard::{self, Action};
use crate::history::time;
use crate::notify::{self, letter as press};
use crate::record::{self, Record};
use crate::staff::{self, Role, Staff};
use crate::transition::{self, Act};
use crate::{CaseError, Desk, collect, confirm, decide};

/// Longest text an officer may write, in characters.
const LONGEST: usize = 2000;

/// Opens the case for an act: allowed by the policies, in its place, on the newest revision.
async fn begin(
    desk: &Desk,
    staff: &Staff,
    id: ApplicationId,
    revision: i64,
    act: Act,
) -> Result<(Record, Change), CaseError> {
    let row = record::row(desk, id).await?;
    let record = record::open(desk, &staff.who(), Action::Decide, row).await?;
    transition::next(record.row.state, act)?;
    same_revision(&record.row, revision)?;
    let mut change = Change::act(desk, &staff.who(), &record.row, act)?;
    let subject = guard::subject(desk, &record).await?;
    change.entries.push(guard::entry(
        desk,
        &staff.who(),
        Action::Decide,
        id,
        &record.service,
        subject,
        &[act.event()],
    ));
    Ok((record, change))
}

async fn write(desk: &Desk, change: Change) -> Result<(), CaseError> {
    desk.store
        .write(move |tx| Box::pin(async move { change.write(tx).await }))
        .await
}

/// Only who holds a case decides it.
fn held(record: &Record, staff: &Staff) -> Result<(), CaseError> {
    if record.row.assigned_to == Some(staff.id.uuid()) {
        Ok(())
    } else {
        Err(CaseError::Input {
            field: "assigned",
            problem: "somebody else holds this case; take it first",
        })
    }
}

fn text(field: &'static str, text: &str, required: bool) -> Result<String, CaseError> {
    let text = text.trim();
    if required && text.is_empty() {
        return Err(CaseError::Input {
            field,
            problem: "empty",
        });
    }
    if text.chars().count() > LONGEST {
        return Err(CaseError::Input {
            field,
            problem: "too_long",
        });
    }
    Ok(text.to_owned())
}

/// Takes a case from the queue (分文).
///
/// # Errors
/// [`CaseError::Conflict`] when a colleague was faster; [`CaseError::Illegal`]; [`CaseError::Refused`]; the store's.
#[boxed]
pub async fn take(desk: &Desk, staff: &Staff, id: ApplicationId, revision: i64) -> Result<(), CaseError> {
    let (_, mut change) = begin(desk, staff, id, revision, Act::Take).await?;
    change.row.assigned_to = Some(staff.id.uuid());
    write(desk, change).await
}

/// Gives a case to a member of the office that decides it (改分).
///
/// # Errors
/// [`CaseError::Input`] for somebody who decides no cases of this office; as [`take`].
#[boxed]
pub async fn assign(
    desk: &Desk,
    staff: &Staff,
    id: ApplicationId,
    revision: i64,
    to: civic::ids::StaffId,
) -> Result<(), CaseError> {
    let row = record::row(desk, id).await?;
    let service = desk.service(&row.service)?;
    guard::case(desk, &staff.who(), Action::Assign, &row, service)?;
    let mut change = Change::act(desk, &staff.who(), &row, Act::Assign)?;
    same_revision(&row, revision)?;
    let colleague = colleagues(desk, service).await?;
    let colleague = colleague.into_iter().find(|one| one.id == to).ok_or(CaseError::Input {
        field: "colleague",
        problem: "decides no cases of this office",
    })?;
    change.row.assigned_to = Some(colleague.id.uuid());
    change.say(desk, &colleague.name).await?;
    let who = staff.who();
    change
        .entries
        .push(guard::plain_entry(desk, &who, Action::Assign, id, &row.service));
    write(desk, change).await
}

/// Who decides the cases of a service: officers and supervisors of its office whose accounts are open.
async fn colleagues(desk: &Desk, service: &services::Service) -> Result<Vec<Staff>, CaseError> {
    let office = service.meta.agency.get(civic::Language::ZhTw);
    let mut found = staff::active(desk).await?;
    found.retain(|one| one.agency == office && matches!(one.role, Role::Officer | Role::Supervisor));
    Ok(found)
}

/// Whom a member of staff may give a case to; nobody where the policies or the state of the case don't let them.
///
/// # Errors
/// The store's.
#[boxed]
pub async fn assignable(desk: &Desk, staff: &Staff, id: ApplicationId) -> Result<Vec<Staff>, CaseError> {
    let row = record::row(desk, id).await?;
    let service = desk.service(&row.service)?;
    let may = guard::case(desk, &staff.who(), Action::Assign, &row, service).is_ok();
    if !may || transition::next(row.state, Act::Assign).is_err() {
        return Ok(Vec::new());
    }
    let mut found = colleagues(desk, service).await?;
    found.retain(|one| row.assigned_to != Some(one.id.uuid()));
    Ok(found)
}

/// Puts a case back into the queue.
///
/// # Errors
/// As [`take`].
#[boxed]
pub async fn give_back(desk: &Desk, staff: &Staff, id: ApplicationId, revision: i64) -> Result<(), CaseError> {
    let (record, mut change) = begin(desk, staff, id, revision, Act::GiveBack).await?;
    held(&record, staff)?;
    change.row.assigned_to = None;
    write(desk, change).await
}

/// Approves (核准). The letter leaves after the time of grace.
///
/// # Errors
/// [`CaseError::Input`] where the rules don't say eligible; as [`take`].
#[boxed]
pub async fn approve(
    desk: &Desk,
    staff: &Staff,
    id: ApplicationId,
    revision: i64,
    note: &str,
) -> Result<(), CaseError> {
    let note = text("note", note, false)?;
    let (record, change) = begin(desk, staff, id, revision, Act::Approve).await?;
    held(&record, staff)?;
    confirm::settled(desk, id).await?;
    let decision = decide::decide(&record.service, &record.answers, collect::law_day(desk, &record.row))?;
    if decision.outcome != Some(true) {
        return Err(CaseError::Input {
            field: "outcome",
            problem: "not_eligible",
        });
    }
    settle(desk, record, change, "approved", decision, &note).await
}

/// Refuses (駁回), with the reasons that the letter gives beside the rules' own.
///
/// # Errors
/// [`CaseError::Input`] without reasons where the rules don't refuse; as [`take`].
#[boxed]
pub async fn refuse(
    desk: &Desk,
    staff: &Staff,
    id: ApplicationId,
    revision: i64,
    reasons: &str,
) -> Result<(), CaseError> {
    let reasons = text("reasons", reasons, false)?;
    let (record, change) = begin(desk, staff, id, revision, Act::Refuse).await?;
    held(&record, staff)?;
    confirm::settled(desk, id).await?;
    let decision = decide::decide(&record.service, &record.answers, collect::law_day(desk, &record.row))?;
    if decision.outcome != Some(false) && reasons.is_empty() {
        return Err(CaseError::Input {
            field: "reasons",
            problem: "empty",
        });
    }
    settle(desk, record, change, "refused", decision, &reasons).await
}

async fn settle(
    desk: &Desk,
    record: Record,
    mut change: Change,
    outcome: &str,
    decision: rules::Decision,
    text: &str,
) -> Result<(), CaseError> {
    let now = desk.now();
    let at = now.as_microsecond();
    change.row.decided_at = Some(at);
    change.row.outcome = Some(outcome.to_owned());
    if !text.is_empty() {
        change.say(desk, text).await?;
    }
    let due = now.checked_add(desk.city.grace).unwrap_or(now);
    change
        .tasks
        .push(Task::new(press::DECISION, press::key(record.row.id, at), &(record.row.id, at)).due(due));
    let kept = decide::row(desk, &record, &decision, "reviewed").await?;
    desk.store
        .write(move |tx| {
            Box::pin(async move {
                change.write(tx).await?;
                store::tables::decision::insert(tx, kept).await?;
                Ok(())
            })
        })
        .await
}

/// Takes the decision back (收回), as long as the letter has not left.
///
/// # Errors
/// [`CaseError::Illegal`] once the letter has left; as [`take`].
#[boxed]
pub async fn undo(desk: &Desk, staff: &Staff, id: ApplicationId, revision: i64) -> Result<(), CaseError> {
    let (record, mut change) = begin(desk, staff, id, revision, Act::Undo).await?;
    held(&record, staff)?;
    change.row.decided_at = None;
    change.row.outcome = None;
    write(desk, change).await
}

/// Asks the person to correct (通知補正). The legal clock stands still until they do.
///
/// # Errors
/// [`CaseError::Input`] without a message or with a day that is past or more than 90 days off; as [`take`].
#[boxed]
pub async fn request_correction(
    desk: &Desk,
    staff: &Staff,
    id: ApplicationId,
    revision: i64,
    message: &str,
    due: Date,
) -> Result<(), CaseError> {
    let message = text("message", message, true)?;
    let today = desk.today();
    let latest = legal_day(
        desk.now()
            .checked_add(SignedDuration::from_hours(90 * 24))
            .unwrap_or(desk.now()),
    );
    if due <= today || due > latest {
        return Err(CaseError::Input {
            field: "due",
            problem: "not_within_90_days",
        });
    }
    let (record, mut change) = begin(desk, staff, id, revision, Act::RequestCorrection).await?;
    held(&record, staff)?;
    let view = CorrectionView {
        message: message.clone(),
        due,
    };
    let place = Place::new("application", "correction", &record.row.id);
    change.row.correction = Some(record::seal(desk, desk.store.read(), record.row.key_id.into(), place, &view).await?);
    change.row.correction_due = Some(due.to_string());
    change.row.clock_stopped_at = Some(desk.now().as_microsecond());
    change.say(desk, &message).await?;
    let decision = decide::decide(&record.service, &record.answers, collect::law_day(desk, &record.row))?;
    let number = record.row.number.clone().unwrap_or_default();
    let mut data = press::data(desk, &record, &decision, &number, &message).await?;
    data["due"] = roc::plain(due).into();
    let pdf = press::pdf(&record, "correction", data).await?;
    let letter = press::letter(desk, &record, "correction", &pdf, format!("correction:{id}:{revision}")).await?;
    let words = BTreeMap::from([("message".to_owned(), message), ("due".to_owned(), roc::long(due))]);
    let draft = notify::Draft::new(desk, &record, "correction", words).with(LetterId::from_uuid(letter.id));
    let (seal, measure) = (desk.store.seal().clone(), record.row.measure_id);
    desk.store
        .write(move |tx| {
            Box::pin(async move {
                change.write(tx).await?;
                let letter_id = letter.id;
                letter::insert(tx, letter).await?;
                letter::leave(tx, letter_id, tx.now().as_microsecond()).await?;
                if let Some(measure) = measure {
                    measure::count_correction(tx, measure).await?;
                }
                draft.seal(tx, &seal, &number).await?.write(tx).await
            })
        })
        .await
}

/// Days the legal clock has stood still since it was stopped.
pub(crate) fn stood_still(desk: &Desk, stopped_at: i64) -> i32 {
    let since = legal_day(time(stopped_at));
    since.until(desk.today()).map_or(0, |span| span.get_days().max(0))
}
