//! Claims (溢領追繳): what was paid too much. The accounts find it; an officer tells the person by a letter of its own
//! (行政程序法 §127 III); a cashier notes what comes back; a supervisor may waive the rest.

use crate::boxed;
use std::collections::BTreeMap;

use civic::ids::{ApplicationId, LetterId};
use civic::{Language, Money, Text, roc};
use jiff::Timestamp;
use jiff::civil::Date;
use serde_json::json;
use store::tables::claim::{self as table, Model};
use store::tables::{application, claim_entry, claim_line, letter};
use uuid::Uuid;

use crate::change::Change;
use crate::guard::{self, Action};
use crate::history::{month, time};
use crate::notify::{self, letter as press};
use crate::people::Person;
use crate::record::{self, Record};
use crate::staff::Staff;
use crate::{CaseError, Desk, decide};

pub use store::tables::claim::State;
pub use store::tables::claim_entry::Kind;

/// Claims shown.
const SHOWN: u64 = 300;
/// Longest text of an officer, in characters.
const LONGEST: usize = 2000;
/// Longest number of a receipt, in characters.
const LONGEST_REFERENCE: usize = 40;

/// A claim in a list: the number of the case, nothing of the family.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// Identifier.
    pub id: Uuid,
    /// The case.
    pub application: ApplicationId,
    /// Its number.
    pub number: String,
    /// Service.
    pub service: Text,
    /// How far it has come.
    pub state: State,
    /// What was paid too much.
    pub total: Money,
    /// What came back.
    pub recovered: Money,
    /// Last legal day to pay back.
    pub due: Option<Date>,
    /// When it was found.
    pub made_at: Timestamp,
    /// Revision to name in the next change.
    pub revision: i64,
}

impl Row {
    /// What is still to come back; nothing where the rest was waived.
    #[must_use]
    pub fn left(&self) -> Money {
        match self.state {
            State::Found | State::Told => Money(self.total.0.saturating_sub(self.recovered.0)),
            State::Settled | State::Waived => Money(0),
        }
    }
}

/// What became of a part of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// What it is.
    pub kind: Kind,
    /// How much.
    pub amount: Money,
    /// Legal day.
    pub day: Option<Date>,
    /// Number of the receipt.
    pub reference: Option<String>,
}

/// A claim with its months.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct View {
    /// The claim.
    pub row: Row,
    /// Months, each with what was paid too much.
    pub months: Vec<(civic::Month, Money)>,
    /// What became of it, oldest first.
    pub entries: Vec<Entry>,
}

fn input(field: &'static str, problem: &'static str) -> CaseError {
    CaseError::Input { field, problem }
}

fn row(desk: &Desk, number: Option<String>, row: &Model) -> Row {
    Row {
        id: row.id,
        application: row.application_id.into(),
        number: number.unwrap_or_default(),
        service: desk
            .catalogue
            .get(&row.service)
            .map_or_else(|| Text::chinese(&row.service), |service| service.meta.name.clone()),
        state: row.state,
        total: Money(row.total),
        recovered: Money(row.recovered),
        due: row.due.as_ref().and_then(|day| day.parse().ok()),
        made_at: time(row.made_at),
        revision: row.revision,
    }
}

async fn whole(desk: &Desk, number: Option<String>, claim: &Model) -> Result<View, CaseError> {
    let db = desk.store.read();
    let mut months = Vec::new();
    for line in claim_line::of_claim(db, claim.id).await? {
        months.push((month("claim_line", &line.period)?, Money(line.amount)));
    }
    let entries = claim_entry::of_claim(db, claim.id).await?;
    Ok(View {
        row: row(desk, number, claim),
        months,
        entries: entries
            .into_iter()
            .map(|entry| Entry {
                kind: entry.kind,
                amount: Money(entry.amount),
                day: entry.day.parse().ok(),
                reference: entry.reference,
            })
            .collect(),
    })
}

/// The claims of the own office, open ones only or those that are closed.
///
/// # Errors
/// [`CaseError::Refused`]; the store's.
#[boxed]
pub async fn list(desk: &Desk, staff: &Staff, open: bool) -> Result<Vec<Row>, CaseError> {
    guard::office(desk, staff, Action::Queue).or_else(|_| guard::office(desk, staff, Action::Pay))?;
    let own = desk
        .catalogue
        .all()
        .filter(|service| guard::is_own(desk, staff, &service.id));
    let own: Vec<String> = own.map(|service| service.id.clone()).collect();
    let states = if open {
        [State::Found, State::Told]
    } else {
        [State::Settled, State::Waived]
    };
    let claims = table::in_states(desk.store.read(), &own, &states, SHOWN).await?;
    let cases = application::by_ids(
        desk.store.read(),
        claims.iter().map(|claim| claim.application_id).collect(),
    )
    .await?;
    let number = |id| cases.iter().find(|one| one.id == id).and_then(|one| one.number.clone());
    Ok(claims
        .iter()
        .map(|claim| row(desk, number(claim.application_id), claim))
        .collect())
}

/// A claim of the own office; it names no person.
///
/// # Errors
/// [`CaseError::Refused`]; [`CaseError::NotFound`]; the store's.
#[boxed]
pub async fn view(desk: &Desk, staff: &Staff, id: Uuid) -> Result<View, CaseError> {
    guard::office(desk, staff, Action::Queue).or_else(|_| guard::office(desk, staff, Action::Pay))?;
    let claim = own(desk, staff, id).await?;
    let case = application::by_id(desk.store.read(), claim.application_id).await?;
    whole(desk, case.and_then(|case| case.number), &claim).await
}

async fn own(desk: &Desk, staff: &Staff, id: Uuid) -> Result<Model, CaseError> {
    let found = table::by_id(desk.store.read(), id).await?;
    found
        .filter(|claim| guard::is_own(desk, staff, &claim.service))
        .ok_or(CaseError::NotFound("claim"))
}

/// The claims of a case that its person was told of.
pub(crate) async fn of_case(desk: &Desk, record: &Record) -> Result<Vec<View>, CaseError> {
    let mut found = Vec::new();
    for claim in table::of_application(desk.store.read(), record.row.id).await? {
        if claim.state != State::Found && claim.told_by.is_some() {
            found.push(whole(desk, record.row.number.clone(), &claim).await?);
        }
    }
    Ok(found)
}

/// The claims of an own case.
///
/// # Errors
/// [`CaseError::NotFound`]; the store's.
#[boxed]
pub async fn mine(desk: &Desk, person: &Person, id: ApplicationId) -> Result<Vec<View>, CaseError> {
    let record = record::own(desk, person, id, Action::Payments).await?;
    of_case(desk, &record).await
}

/// Opens the case of a claim for an act of an officer.
async fn begin(
    desk: &Desk,
    staff: &Staff,
    (id, revision): (Uuid, i64),
    state: State,
    kind: &'static str,
) -> Result<(Model, Record, Change), CaseError> {
    let claim = own(desk, staff, id).await?;
    let case = record::row(desk, claim.application_id.into()).await?;
    let record = record::open(desk, &staff.who(), Action::Decide, case).await?;
    if claim.revision != revision || claim.state != state {
        return Err(CaseError::Conflict("claim"));
    }
    let mut change = Change::note(desk, &staff.who(), &record.row, kind);
    let subject = guard::subject(desk, &record).await?;
    change.entries.push(guard::entry(
        desk,
        &staff.who(),
        Action::Decide,
        record.id(),
        &record.service,
        subject,
        &[kind],
    ));
    Ok((claim, record, change))
}

fn checked(field: &'static str, text: &str) -> Result<String, CaseError> {
    let text = text.trim();
    match text.chars().count() {
        0 => Err(input(field, "empty")),
        count if count > LONGEST => Err(input(field, "too_long")),
        _ => Ok(text.to_owned()),
    }
}

/// Tells the person by a letter what was paid too much and by when it is paid back.
///
/// # Errors
/// [`CaseError::Input`] without a reason; [`CaseError::Conflict`] when somebody was faster; [`CaseError::NotFound`] where the
/// service claims nothing back; [`CaseError::Refused`]; the letter's and the store's.
#[boxed]
pub async fn tell(desk: &Desk, staff: &Staff, id: Uuid, revision: i64, reason: &str) -> Result<(), CaseError> {
    let reason = checked("reason", reason)?;
    let (mut claim, record, mut change) = begin(desk, staff, (id, revision), State::Found, "claim_told").await?;
    let recovery = record
        .service
        .meta
        .recovery
        .clone()
        .ok_or(CaseError::NotFound("recovery"))?;
    let due = desk.calendar.add_calendar_days(desk.today(), recovery.days);
    let view = whole(desk, record.row.number.clone(), &claim).await?;
    change.say(desk, &reason).await?;
    claim.state = State::Told;
    claim.due = Some(due.to_string());
    claim.told_by = Some(staff.id.uuid());
    claim.changed_at = desk.now().as_microsecond();

    let decision = match decide::latest(desk, &record).await? {
        Some(decision) => decision,
        None => decide::decide(
            &record.service,
            &record.answers,
            crate::collect::law_day(desk, &record.row),
        )?,
    };
    let number = record.row.number.clone().unwrap_or_default();
    let mut data = press::data(desk, &record, &decision, &number, &reason).await?;
    let months: Vec<_> = view
        .months
        .iter()
        .map(|(month, amount)| json!({ "month": press::month(*month), "amount": amount.to_string() }))
        .collect();
    data["months"] = months.into();
    data["total"] = view.row.total.to_string().into();
    data["due"] = roc::plain(due).into();
    data["law"] = recovery.law.clone().into();
    let pdf = press::pdf(&record, services::RECOVERY, data).await?;
    let made = press::letter(desk, &record, services::RECOVERY, &pdf, format!("recovery:{id}")).await?;
    let language: Language = record.row.language.parse().unwrap_or_default();
    let total = match language {
        Language::ZhTw => format!("{} 元", view.row.total.grouped()),
        _ => format!("NT${}", view.row.total.grouped()),
    };
    let words = BTreeMap::from([("total".to_owned(), total), ("due".to_owned(), roc::long(due))]);
    let draft = notify::Draft::new(desk, &record, "recovery", words).with(LetterId::from_uuid(made.id));
    let seal = desk.store.seal().clone();
    desk.store
        .write(move |tx| {
            Box::pin(async move {
                change.write(tx).await?;
                replace(tx, &claim).await?;
                let letter_id = made.id;
                letter::insert(tx, made).await?;
                letter::leave(tx, letter_id, tx.now().as_microsecond()).await?;
                draft.seal(tx, &seal, &number).await?.write(tx).await
            })
        })
        .await
}

async fn replace(tx: &store::Tx, claim: &Model) -> Result<(), CaseError> {
    if table::replace(tx, claim).await? {
        Ok(())
    } else {
        Err(CaseError::Conflict("claim"))
    }
}

/// Money that came back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Receipt {
    /// How much, in whole dollars.
    pub amount: i64,
    /// Legal day on which it came.
    pub day: Date,
    /// Number of the receipt or of the bank's slip; it counts once.
    pub reference: String,
}

/// A cashier notes money that came back; the claim is settled with the last dollar.
///
/// # Errors
/// [`CaseError::Input`] for an amount that is not more than zero or more than is left, a day to come, no number of the receipt,
/// or one that is noted already; [`CaseError::Conflict`]; [`CaseError::Refused`]; the store's.
#[boxed]
pub async fn receive(desk: &Desk, staff: &Staff, id: Uuid, revision: i64, receipt: &Receipt) -> Result<(), CaseError> {
    guard::office(desk, staff, Action::Pay)?;
    let mut claim = own(desk, staff, id).await?;
    let reference = receipt.reference.trim();
    if reference.is_empty() || reference.chars().count() > LONGEST_REFERENCE {
        return Err(input("reference", "missing"));
    }
    if receipt.day > desk.today() {
        return Err(input("day", "in_the_future"));
    }
    if claim.revision != revision || claim.state != State::Told {
        return Err(CaseError::Conflict("claim"));
    }
    let left = claim.total.saturating_sub(claim.recovered);
    if receipt.amount <= 0 || receipt.amount > left {
        return Err(input("amount", "not_within"));
    }
    let at = desk.now().as_microsecond();
    claim.recovered = claim.recovered.saturating_add(receipt.amount);
    claim.changed_at = at;
    if claim.recovered == claim.total {
        claim.state = State::Settled;
    }
    let entry = claim_entry::Model {
        id: Uuid::now_v7(),
        claim_id: id,
        kind: Kind::Received,
        amount: receipt.amount,
        day: receipt.day.to_string(),
        reference: Some(reference.to_owned()),
        made_by: Some(staff.id.uuid()),
        made_at: at,
    };
    let used = guard::plain_entry(
        desk,
        &staff.who(),
        Action::Pay,
        claim.application_id.into(),
        &claim.service,
    );
    let done = desk
        .store
        .write(move |tx| {
            Box::pin(async move {
                replace(tx, &claim).await?;
                claim_entry::insert(tx, entry).await?;
                store::ledger::append(tx, used).await?;
                Ok::<_, CaseError>(())
            })
        })
        .await;
    match done {
        Err(CaseError::Store(error)) if error.is_duplicate() => Err(input("reference", "known")),
        other => other,
    }
}

/// A supervisor waives what is left (免予追繳), with a reason that stands in the history of the case.
///
/// # Errors
/// [`CaseError::Input`] without a reason; [`CaseError::Conflict`]; [`CaseError::Refused`] for officers, and for who told the
/// person themself; the store's.
#[boxed]
pub async fn waive(desk: &Desk, staff: &Staff, id: Uuid, revision: i64, reason: &str) -> Result<(), CaseError> {
    let reason = checked("waive", reason)?;
    let known = own(desk, staff, id).await?;
    let case = record::row(desk, known.application_id.into()).await?;
    guard::case(desk, &staff.who(), Action::Assign, &case, desk.service(&known.service)?)?;
    if known.told_by == Some(staff.id.uuid()) {
        return Err(input("waive", "own"));
    }
    let state = known.state;
    if !matches!(state, State::Found | State::Told) {
        return Err(CaseError::Conflict("claim"));
    }
    let (mut claim, _, mut change) = begin(desk, staff, (id, revision), state, "claim_waived").await?;
    change.say(desk, &reason).await?;
    let at = desk.now().as_microsecond();
    let entry = claim_entry::Model {
        id: Uuid::now_v7(),
        claim_id: id,
        kind: Kind::Waived,
        amount: claim.total.saturating_sub(claim.recovered),
        day: desk.today().to_string(),
        reference: None,
        made_by: Some(staff.id.uuid()),
        made_at: at,
    };
    claim.state = State::Waived;
    claim.changed_at = at;
    desk.store
        .write(move |tx| {
            Box::pin(async move {
                change.write(tx).await?;
                replace(tx, &claim).await?;
                claim_entry::insert(tx, entry).await?;
                Ok(())
            })
        })
        .await
}
