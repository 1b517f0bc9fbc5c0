//! Holds (暫停給付): an officer keeps back the payments of a case, with a reason, until a day or until they are released again.
//! What is held is not lost: it becomes due again when the hold ends.

use crate::boxed;
use civic::ids::{ApplicationId, HoldId};
use civic::{Money, Text};
use jiff::Timestamp;
use jiff::civil::Date;
use store::seal::Place;
use store::tables::payment_hold::{self, Model};
use store::tables::{application, entitlement, payment_part};

use super::compare::title;
use super::{late, own_services, service_name};
use crate::change::{Change, same_revision};
use crate::guard::{self, Action, Who};
use crate::history::{self, PaymentView, time};
use crate::staff::{self, Staff};
use crate::transition::State;
use crate::{CaseError, Desk, record};

/// Longest reason, in characters.
const LONGEST: usize = 500;
/// Holds of one round, and on the cashier's page.
const ROUND: u64 = 200;

/// A hold as the cashier sees it: the case number and how long, nothing of the family.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HoldRow {
    /// The case.
    pub application: ApplicationId,
    /// Number of the case.
    pub number: String,
    /// Service.
    pub service: Text,
    /// Last legal day; nothing until somebody releases it.
    pub until: Option<Date>,
    /// Who made it; nobody where the platform did, because the person left the register of residents.
    pub made_by: Option<String>,
    /// When.
    pub made_at: Timestamp,
}

/// A hold as the officer sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HoldView {
    /// The reason as it was typed; nothing after disposal.
    pub reason: Option<String>,
    /// Last legal day; nothing until somebody releases it.
    pub until: Option<Date>,
    /// Who made it; nobody where the platform did, because the person left the register of residents.
    pub made_by: Option<String>,
    /// When.
    pub made_at: Timestamp,
    /// When it ended.
    pub ended_at: Option<Timestamp>,
}

/// An amount for each month of a span.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Span {
    /// What is paid, as the rules call it.
    pub title: Text,
    /// Each month.
    pub amount: Money,
    /// First month, `YYYY-MM`.
    pub first: String,
    /// Last month, `YYYY-MM`.
    pub last: String,
}

/// The payments of a case with its holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CasePayments {
    /// Number of the case.
    pub number: String,
    /// Service.
    pub service: Text,
    /// Revision to name in the next change.
    pub revision: i64,
    /// What the case is entitled to.
    pub spans: Vec<Span>,
    /// Payments, by month and attempt.
    pub payments: Vec<PaymentView>,
    /// Holds, newest first.
    pub holds: Vec<HoldView>,
}

impl CasePayments {
    /// The hold that has not ended.
    #[must_use]
    pub fn open(&self) -> Option<&HoldView> {
        self.holds.iter().find(|hold| hold.ended_at.is_none())
    }
}

/// The payments and holds of a case of the own office; leaves an entry in the usage ledger.
///
/// # Errors
/// [`CaseError::Refused`]; [`CaseError::NotFound`]; the store's.
#[boxed]
pub async fn view(desk: &Desk, staff: &Staff, id: ApplicationId) -> Result<CasePayments, CaseError> {
    let row = record::row(desk, id).await?;
    if matches!(row.state, State::Draft | State::Disposed) {
        return Err(CaseError::NotFound("application"));
    }
    let record = record::open(desk, &staff.who(), Action::Read, row).await?;
    let subject = guard::subject(desk, &record).await?;
    let entry = guard::entry(
        desk,
        &staff.who(),
        Action::Read,
        id,
        &record.service,
        subject,
        &["payments"],
    );
    desk.store
        .write(move |tx| {
            Box::pin(async move {
                store::ledger::append(tx, entry).await?;
                Ok::<_, CaseError>(())
            })
        })
        .await?;
    let names = staff::all(desk).await?;
    let mut holds = Vec::new();
    for hold in payment_hold::of_application(desk.store.read(), id.uuid()).await? {
        let reason = match &hold.reason {
            Some(sealed) => {
                let place = Place::new("payment_hold", "reason", &hold.id);
                Some(record::unseal(desk, &record.grant, record.row.key_id.into(), place, sealed).await?)
            }
            None => None,
        };
        holds.push(HoldView {
            reason,
            until: until(&hold),
            made_by: name(&names, &hold),
            made_at: time(hold.made_at),
            ended_at: hold.ended_at.map(time),
        });
    }
    Ok(CasePayments {
        number: record.row.number.clone().unwrap_or_default(),
        service: record.service.meta.name.clone(),
        revision: record.row.revision,
        spans: entitlement::of_application(desk.store.read(), id.uuid())
            .await?
            .into_iter()
            .map(|span| Span {
                title: title(desk, &span.service, &span.purpose),
                amount: Money(span.amount),
                first: span.first_month,
                last: span.last_month,
            })
            .collect(),
        payments: history::payments(desk, id.uuid()).await?,
        holds,
    })
}

fn until(hold: &Model) -> Option<Date> {
    hold.until.as_deref().and_then(|day| day.parse().ok())
}

fn name(names: &[Staff], hold: &Model) -> Option<String> {
    let made_by = hold.made_by?;
    let found = names.iter().find(|staff| staff.id.uuid() == made_by);
    Some(found.map(|staff| staff.name.clone()).unwrap_or_default())
}

/// The holds of the own office's cases that have not ended, for the cashier.
///
/// # Errors
/// [`CaseError::Refused`]; the store's.
#[boxed]
pub async fn list(desk: &Desk, staff: &Staff) -> Result<Vec<HoldRow>, CaseError> {
    guard::office(desk, staff, Action::Pay)?;
    rows(desk, staff).await
}

/// The same for the officers who may end them.
///
/// # Errors
/// [`CaseError::Refused`]; the store's.
#[boxed]
pub async fn to_settle(desk: &Desk, staff: &Staff) -> Result<Vec<HoldRow>, CaseError> {
    guard::office(desk, staff, Action::Queue)?;
    rows(desk, staff).await
}

async fn rows(desk: &Desk, staff: &Staff) -> Result<Vec<HoldRow>, CaseError> {
    let own = own_services(desk, staff);
    let names = staff::all(desk).await?;
    let mut holds = payment_hold::open(desk.store.read(), ROUND).await?;
    holds.retain(|hold| own.contains(&hold.service));
    let ids = holds.iter().map(|hold| hold.application_id).collect();
    let cases = application::by_ids(desk.store.read(), ids).await?;
    Ok(holds
        .iter()
        .map(|hold| HoldRow {
            application: hold.application_id.into(),
            number: cases
                .iter()
                .find(|one| one.id == hold.application_id)
                .and_then(|one| one.number.clone())
                .unwrap_or_default(),
            service: service_name(desk, &hold.service),
            until: until(hold),
            made_by: name(&names, hold),
            made_at: time(hold.made_at),
        })
        .collect())
}

/// A reason as typed.
pub(super) fn checked(reason: &str) -> Result<&str, CaseError> {
    let reason = reason.trim();
    let problem = match reason.chars().count() {
        0 => "empty",
        count if count > LONGEST => "too_long",
        _ => return Ok(reason),
    };
    Err(CaseError::Input {
        field: "reason",
        problem,
    })
}

/// Only what stands as approved is paid.
pub(super) fn approved(row: &application::Model) -> Result<(), CaseError> {
    if row.state == State::Completed && row.outcome.as_deref() == Some("approved") {
        return Ok(());
    }
    Err(CaseError::Input {
        field: "case",
        problem: "not_approved",
    })
}

/// Holds the payments of a case, those there are and those to come. What is in a batch that has not been released keeps the
/// batch from being released.
///
/// # Errors
/// [`CaseError::Input`] without a reason, for a day that is past, or for a case that was never approved;
/// [`CaseError::Conflict`] when they are held already or the case was changed; [`CaseError::Refused`]; the store's.
#[boxed]
pub async fn hold(
    desk: &Desk,
    staff: &Staff,
    id: ApplicationId,
    revision: i64,
    reason: &str,
    until: Option<Date>,
) -> Result<(), CaseError> {
    let reason = checked(reason)?;
    if until.is_some_and(|day| day < desk.today()) {
        return Err(CaseError::Input {
            field: "until",
            problem: "past",
        });
    }
    let row = record::row(desk, id).await?;
    let record = record::open(desk, &staff.who(), Action::Decide, row).await?;
    same_revision(&record.row, revision)?;
    approved(&record.row)?;
    let hold = HoldId::generate(desk.clock.as_ref()).uuid();
    let place = Place::new("payment_hold", "reason", &hold);
    let sealed = record::seal(desk, desk.store.read(), record.row.key_id.into(), place, &reason).await?;
    let mut change = Change::note(desk, &staff.who(), &record.row, "payments_held");
    change.say(desk, reason).await?;
    let subject = guard::subject(desk, &record).await?;
    change.entries.push(guard::entry(
        desk,
        &staff.who(),
        Action::Decide,
        id,
        &record.service,
        subject,
        &["payments_held"],
    ));
    let row = Model {
        id: hold,
        application_id: id.uuid(),
        service: record.service.id.clone(),
        reason: Some(sealed),
        until: until.map(|day| day.to_string()),
        made_by: Some(staff.id.uuid()),
        made_at: desk.now().as_microsecond(),
        ended_by: None,
        ended_at: None,
    };
    let done = desk
        .store
        .write(move |tx| {
            Box::pin(async move {
                change.write(tx).await?;
                payment_hold::insert(tx, row).await?;
                payment_part::hold(tx, id.uuid(), tx.now().as_microsecond()).await?;
                Ok::<_, CaseError>(())
            })
        })
        .await;
    match done {
        Err(CaseError::Store(error)) if error.is_duplicate() => Err(CaseError::Conflict("hold")),
        other => other,
    }
}

/// Releases the payments of a case again. Where the bank says it has paid an attempt that it had refused, the one held in its
/// place is taken back.
///
/// # Errors
/// [`CaseError::Conflict`] when they are not held, the case was changed, or such an attempt is in a batch that has to be
/// dissolved first; [`CaseError::Refused`]; the store's.
#[boxed]
pub async fn resume(desk: &Desk, staff: &Staff, id: ApplicationId, revision: i64) -> Result<(), CaseError> {
    let row = record::row(desk, id).await?;
    let record = record::open(desk, &staff.who(), Action::Decide, row).await?;
    same_revision(&record.row, revision)?;
    let mut change = Change::note(desk, &staff.who(), &record.row, "payments_resumed");
    let subject = guard::subject(desk, &record).await?;
    change.entries.push(guard::entry(
        desk,
        &staff.who(),
        Action::Decide,
        id,
        &record.service,
        subject,
        &["payments_resumed"],
    ));
    end(desk, change, Some(staff)).await
}

async fn end(desk: &Desk, change: Change, by: Option<&Staff>) -> Result<(), CaseError> {
    let (id, by) = (change.row.id, by.map(|staff| staff.id.uuid()));
    let clock = desk.clock.clone();
    desk.store
        .write(move |tx| {
            Box::pin(async move {
                let at = tx.now().as_microsecond();
                if !payment_hold::end(tx, id, by, at).await? {
                    return Err(CaseError::Conflict("hold"));
                }
                late::resolve(tx, clock.as_ref(), id).await?;
                payment_part::resume(tx, id, at).await?;
                change.write(tx).await
            })
        })
        .await
}

/// Ends the holds whose last day is over; says how many.
///
/// # Errors
/// The store's; what ended before stays ended.
pub(crate) async fn lapse(desk: &Desk) -> Result<u64, CaseError> {
    let mut count = 0;
    for hold in payment_hold::over(desk.store.read(), &desk.today().to_string(), ROUND).await? {
        let row = record::row(desk, hold.application_id.into()).await?;
        let change = Change::note(desk, &Who::System, &row, "payments_resumed");
        match end(desk, change, None).await {
            // somebody was faster; the next round looks again
            Err(CaseError::Conflict(_)) => {}
            other => {
                other?;
                count += 1;
            }
        }
    }
    Ok(count)
}
