//! What is done with an appeal: lodged, noted, taken back, set aside, forwarded; and what a decision made anew settles.

use crate::boxed;
use std::collections::BTreeMap;

use civic::ids::ApplicationId;
use civic::{Language, roc};
use jiff::civil::Date;
use store::Tx;
use store::seal::Place;
use store::tables::{appeal as table, entitlement, payment};
use uuid::Uuid;

use super::{Content, State, decision, open, rules};
use crate::change::Change;
use crate::guard::{self, Action};
use crate::people::Person;
use crate::record::{self, Record};
use crate::staff::Staff;
use crate::transition::Act;
use crate::{CaseError, Desk, collect, notify};

/// Longest text, in characters.
const LONGEST: usize = 4000;

fn checked(field: &'static str, text: &str) -> Result<String, CaseError> {
    let text = text.trim();
    let problem = match text.chars().count() {
        0 => "empty",
        n if n > LONGEST => "too_long",
        _ => return Ok(text.to_owned()),
    };
    Err(CaseError::Input { field, problem })
}

async fn close(desk: &Desk, record: &Record, id: &Uuid, content: &Content) -> Result<Vec<u8>, CaseError> {
    let place = Place::new("appeal", "sealed", id);
    record::seal(desk, desk.store.read(), record.row.key_id.into(), place, content).await
}

/// Lodges an appeal against the newest decision (提起訴願).
///
/// # Errors
/// [`CaseError::Input`] for a text that is empty or too long; [`CaseError::Conflict`] where there is no decision to appeal
/// against, or an appeal against it already; [`CaseError::NotFound`]; the store's.
#[boxed]
pub async fn lodge(desk: &Desk, person: &Person, id: ApplicationId, text: &str) -> Result<(), CaseError> {
    let text = checked("text", text)?;
    let record = record::own(desk, person, id, Action::Appeal).await?;
    let change = Change::note(desk, &person.who(), &record.row, "appeal_lodged");
    let (lodged, subject) = (desk.today(), Some(person.lookup));
    begin(
        desk,
        record,
        change,
        "online",
        (None, lodged),
        text,
        subject,
        &person.who(),
    )
    .await
}

/// Notes an appeal that came on paper, with the days of its delivery and its receipt.
///
/// # Errors
/// As [`lodge`]; [`CaseError::Input`] for a day that is in the future or before the decision.
#[boxed]
pub async fn record_paper(
    desk: &Desk,
    staff: &Staff,
    id: ApplicationId,
    delivered: Option<Date>,
    received: Date,
    text: &str,
) -> Result<(), CaseError> {
    let text = checked("text", text)?;
    let record = record::open(desk, &staff.who(), Action::Appeal, record::row(desk, id).await?).await?;
    let wrong = |field| CaseError::Input {
        field,
        problem: "not_a_day_of_the_appeal",
    };
    if received > desk.today() {
        return Err(wrong("received"));
    }
    if delivered.is_some_and(|day| day > received) {
        return Err(wrong("delivered"));
    }
    let change = Change::note(desk, &staff.who(), &record.row, "appeal_lodged");
    let subject = guard::subject(desk, &record).await?;
    begin(
        desk,
        record,
        change,
        "paper",
        (delivered, received),
        text,
        subject,
        &staff.who(),
    )
    .await
}

#[expect(clippy::too_many_arguments, reason = "the two ways to lodge differ in each of them")]
async fn begin(
    desk: &Desk,
    record: Record,
    mut change: Change,
    channel: &str,
    (delivered, lodged): (Option<Date>, Date),
    text: String,
    subject: Option<[u8; 32]>,
    who: &guard::Who,
) -> Result<(), CaseError> {
    let rules = rules(&record.service)?.clone();
    let (decided_at, left) = decision(desk, &record.row)
        .await?
        .ok_or(CaseError::Conflict("decision"))?;
    let delivered = delivered.unwrap_or(left);
    if lodged < left || delivered < left {
        return Err(CaseError::Input {
            field: "delivered",
            problem: "not_a_day_of_the_appeal",
        });
    }
    let id = Uuid::new_v4();
    let now = desk.now().as_microsecond();
    let due = desk.calendar.add_calendar_days(lodged, rules.answer_days);
    let row = table::Model {
        id,
        application_id: record.row.id,
        service: record.service.id.clone(),
        channel: channel.to_owned(),
        state: State::Lodged,
        delivered: delivered.to_string(),
        lodged: lodged.to_string(),
        late: lodged > desk.calendar.add_calendar_days(delivered, rules.days),
        due: due.to_string(),
        sealed: close(desk, &record, &id, &Content { text, answer: None }).await?,
        decided_at,
        made_at: now,
        changed_at: now,
        revision: 1,
    };
    // nothing is destroyed while an appeal is open
    change.row.dispose_after = None;
    change.entries.push(guard::entry(
        desk,
        who,
        Action::Appeal,
        record.id(),
        &record.service,
        subject,
        &["appeal"],
    ));
    let language: Language = record.row.language.parse().unwrap_or_default();
    let words = BTreeMap::from([
        ("due".to_owned(), roc::long(due)),
        ("body".to_owned(), rules.body.get(language).to_owned()),
    ]);
    let message = notify::Draft::new(desk, &record, "appeal_lodged", words);
    let written = write(desk, &record, change, message, move |tx| {
        Box::pin(async move { Ok(table::insert(tx, row).await?) })
    })
    .await;
    match written {
        Err(CaseError::Store(error)) if error.is_duplicate() => Err(CaseError::Conflict("appeal")),
        other => other,
    }
}

type Written<'a> = std::pin::Pin<Box<dyn Future<Output = Result<(), CaseError>> + Send + 'a>>;

/// The appeal's row, the case's history and the message, in one transaction.
async fn write(
    desk: &Desk,
    record: &Record,
    change: Change,
    message: notify::Draft,
    row: impl for<'a> FnOnce(&'a Tx) -> Written<'a> + Send + 'static,
) -> Result<(), CaseError> {
    let number = record.row.number.clone().unwrap_or_default();
    let seal = desk.store.seal().clone();
    desk.store
        .write(move |tx| {
            Box::pin(async move {
                row(tx).await?;
                change.write(tx).await?;
                message.seal(tx, &seal, &number).await?.write(tx).await
            })
        })
        .await
}

/// An open appeal as it was seen, of the case it is against.
async fn held(desk: &Desk, id: Uuid, revision: i64, state: State) -> Result<table::Model, CaseError> {
    let row = table::by_id(desk.store.read(), id)
        .await?
        .ok_or(CaseError::NotFound("appeal"))?;
    if row.revision == revision && row.state == state {
        Ok(row)
    } else {
        Err(CaseError::Conflict("appeal"))
    }
}

async fn replace(tx: &Tx, row: &table::Model) -> Result<(), CaseError> {
    if table::replace(tx, row).await? {
        Ok(())
    } else {
        Err(CaseError::Conflict("appeal"))
    }
}

/// Takes an appeal back (撤回訴願); only while the office still examines it.
///
/// # Errors
/// [`CaseError::Conflict`]; [`CaseError::NotFound`] for somebody else's; the store's.
#[boxed]
pub async fn withdraw(desk: &Desk, person: &Person, id: Uuid, revision: i64) -> Result<(), CaseError> {
    let found = table::by_id(desk.store.read(), id)
        .await?
        .ok_or(CaseError::NotFound("appeal"))?;
    let record = record::own(desk, person, found.application_id.into(), Action::Appeal).await?;
    let mut row = held(desk, id, revision, State::Lodged).await?;
    row.state = State::Withdrawn;
    row.changed_at = desk.now().as_microsecond();
    let mut change = Change::note(desk, &person.who(), &record.row, "appeal_withdrawn");
    collect::withdrawn_row(desk, &mut change.row, &record.service);
    let message = notify::Draft::new(desk, &record, "appeal_withdrawn", BTreeMap::new());
    write(desk, &record, change, message, move |tx| {
        Box::pin(async move { replace(tx, &row).await })
    })
    .await
}

/// Sets the decision aside (撤銷原處分): the case is open again and goes to whoever did so. Letters and decisions are kept.
///
/// # Errors
/// [`CaseError::Input`] without a reason; [`CaseError::Conflict`]; [`CaseError::Refused`]; the store's.
#[boxed]
pub async fn set_aside(desk: &Desk, staff: &Staff, id: Uuid, revision: i64, reason: &str) -> Result<(), CaseError> {
    let reason = checked("reason", reason)?;
    let (mut row, record) = office(desk, staff, id, revision).await?;
    let mut change = Change::act(desk, &staff.who(), &record.row, Act::Reopen)?;
    change.say(desk, &reason).await?;
    let deadline = record.service.meta.deadline.end(&desk.calendar, desk.today());
    change.row.deadline = Some(deadline.to_string());
    change.row.assigned_to = Some(staff.id.uuid());
    change.row.decided_at = None;
    change.row.outcome = None;
    change.row.completed_at = None;
    change.row.dispose_after = None;
    change.entries.push(entry(desk, staff, &record).await?);
    let mut content = open(desk, &record, &row).await?;
    content.answer = Some(reason);
    row.sealed = close(desk, &record, &row.id, &content).await?;
    row.state = State::SetAside;
    row.changed_at = desk.now().as_microsecond();
    let message = notify::Draft::new(desk, &record, "appeal_set_aside", BTreeMap::new());
    write(desk, &record, change, message, move |tx| {
        Box::pin(async move { replace(tx, &row).await })
    })
    .await
}

/// Keeps the decision: answers, and forwards the file to the appeal body (答辯並移送).
///
/// # Errors
/// As [`set_aside`].
#[boxed]
pub async fn forward(desk: &Desk, staff: &Staff, id: Uuid, revision: i64, answer: &str) -> Result<(), CaseError> {
    let answer = checked("answer", answer)?;
    let (mut row, record) = office(desk, staff, id, revision).await?;
    let mut change = Change::note(desk, &staff.who(), &record.row, "appeal_forwarded");
    change.say(desk, &answer).await?;
    collect::withdrawn_row(desk, &mut change.row, &record.service);
    change.entries.push(entry(desk, staff, &record).await?);
    let mut content = open(desk, &record, &row).await?;
    content.answer = Some(answer.clone());
    row.sealed = close(desk, &record, &row.id, &content).await?;
    row.state = State::Forwarded;
    row.changed_at = desk.now().as_microsecond();
    let language: Language = record.row.language.parse().unwrap_or_default();
    let body = rules(&record.service)?.body.get(language).to_owned();
    let words = BTreeMap::from([("body".to_owned(), body), ("message".to_owned(), answer)]);
    let message = notify::Draft::new(desk, &record, "appeal_forwarded", words);
    write(desk, &record, change, message, move |tx| {
        Box::pin(async move { replace(tx, &row).await })
    })
    .await
}

async fn entry(desk: &Desk, staff: &Staff, record: &Record) -> Result<store::ledger::Entry, CaseError> {
    let subject = guard::subject(desk, record).await?;
    let who = staff.who();
    Ok(guard::entry(
        desk,
        &who,
        Action::Appeal,
        record.id(),
        &record.service,
        subject,
        &["appeal", "decision"],
    ))
}

async fn office(desk: &Desk, staff: &Staff, id: Uuid, revision: i64) -> Result<(table::Model, Record), CaseError> {
    let found = table::by_id(desk.store.read(), id)
        .await?
        .ok_or(CaseError::NotFound("appeal"))?;
    let row = record::row(desk, found.application_id.into()).await?;
    let record = record::open(desk, &staff.who(), Action::Appeal, row).await?;
    Ok((held(desk, id, revision, State::Lodged).await?, record))
}

/// What the letter of a decision made anew settles.
pub(crate) struct Settled {
    row: table::Model,
    before: Vec<entitlement::Model>,
    /// Last month under which something was paid or is on its way to be.
    paid: Option<String>,
}

/// The appeal upon which a case is decided anew, with what the earlier decision gave.
pub(crate) async fn settled(desk: &Desk, application: Uuid) -> Result<Option<Settled>, CaseError> {
    let db = desk.store.read();
    let rows = table::of_application(db, application).await?;
    let Some(mut row) = rows.into_iter().find(|row| row.state == State::SetAside) else {
        return Ok(None);
    };
    row.state = State::Decided;
    row.changed_at = desk.now().as_microsecond();
    let payments = payment::of_application(db, application).await?;
    Ok(Some(Settled {
        row,
        before: entitlement::of_application(db, application).await?,
        paid: payments.into_iter().map(|payment| payment.period).max(),
    }))
}

impl Settled {
    /// Notes that the case is decided anew; what it gives is settled elsewhere.
    ///
    /// # Errors
    /// [`CaseError::Conflict`]; the store's.
    pub(crate) async fn close(self, tx: &Tx) -> Result<(), CaseError> {
        replace(tx, &self.row).await
    }

    /// Puts what the new decision gives in the place of what the earlier one gave. What was paid stays paid; an amount
    /// that is no longer given ends with the last month paid.
    ///
    /// # Errors
    /// [`CaseError::Conflict`]; the store's.
    pub(crate) async fn write(self, tx: &Tx, new: Vec<entitlement::Model>) -> Result<(), CaseError> {
        replace(tx, &self.row).await?;
        for old in &self.before {
            if new.iter().any(|row| row.purpose == old.purpose) {
                continue;
            }
            match &self.paid {
                Some(last) if *last >= old.first_month => {
                    let last = last.min(&old.last_month);
                    entitlement::amend(tx, old.id, old.amount, &old.first_month, last).await?;
                }
                _ => entitlement::delete(tx, old.id).await?,
            }
        }
        for row in new {
            match self.before.iter().find(|old| old.purpose == row.purpose) {
                Some(old) => entitlement::amend(tx, old.id, row.amount, &row.first_month, &row.last_month).await?,
                None => entitlement::insert(tx, row).await?,
            }
        }
        Ok(())
    }
}
