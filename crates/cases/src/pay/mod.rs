//! Pay (撥款): from what a case is entitled to, over a batch that two people see, to what the bank says became of it.

pub mod batch;
pub mod report;

use civic::ids::{ApplicationId, BatchId, PaymentId};
use civic::{Money, Text};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use store::ledger;
use store::seal::Place;
use store::tables::payment::{self, State};
use store::tables::{application, entitlement, payment_batch};

use crate::agents::Hold;
use crate::change::Change;
use crate::guard::{self, Action};
use crate::history::time;
use crate::people::Person;
use crate::record;
use crate::staff::{self, Staff};
use crate::{CaseError, Desk, Month};

/// Most rows a page of the cashier shows of each kind.
const SHOWN: u64 = 500;

/// An account to pay to, as the form takes it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Account {
    pub(crate) bank: String,
    pub(crate) account: String,
}

/// A payment as the cashier sees it: the amount and the case number, nothing of the family.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PaymentRow {
    /// Identifier.
    pub id: PaymentId,
    /// The case.
    pub application: ApplicationId,
    /// Number of the case.
    pub number: String,
    /// Service.
    pub service: Text,
    /// Month paid for.
    pub period: String,
    /// Amount.
    pub amount: Money,
    /// 1 for the first try.
    pub attempt: i32,
    /// Where it stands.
    pub state: State,
    /// The bank's reason code.
    pub reason: Option<String>,
    /// Whether the person has still to give another account.
    pub waits_for_account: bool,
}

/// A batch as the list shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BatchRow {
    /// Identifier.
    pub id: BatchId,
    /// Name of the file's message (MsgId).
    pub number: String,
    /// Service.
    pub service: Text,
    /// Month paid for.
    pub period: String,
    /// Where it stands.
    pub state: payment_batch::State,
    /// Number of payments.
    pub count: i32,
    /// Sum.
    pub sum: Money,
    /// Day of payment.
    pub pay_on: String,
    /// Who made it.
    pub made_by: String,
    /// Who released it.
    pub released_by: Option<String>,
    /// When it was made.
    pub made_at: Timestamp,
    /// Whether the reader may release it: somebody else made it.
    pub releasable: bool,
}

/// What the cashier's first page shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Overview {
    /// Services that pay.
    pub services: Vec<(String, Text)>,
    /// To be paid with the next batch.
    pub due: Vec<PaymentRow>,
    /// Refused by the bank, with no new attempt yet.
    pub rejected: Vec<PaymentRow>,
    /// Batches, newest first.
    pub batches: Vec<BatchRow>,
}

fn service_name(desk: &Desk, id: &str) -> Text {
    desk.catalogue
        .get(id)
        .map_or_else(|| Text::chinese(id), |service| service.meta.name.clone())
}

async fn payment_row(desk: &Desk, row: payment::Model) -> Result<PaymentRow, CaseError> {
    let db = desk.store.read();
    let number = application::by_id(db, row.application_id)
        .await?
        .and_then(|application| application.number)
        .unwrap_or_default();
    let entitlements = entitlement::of_application(db, row.application_id).await?;
    let waits = row.state == State::Rejected
        && entitlements
            .iter()
            .any(|one| one.purpose == row.purpose && one.account_refused);
    Ok(PaymentRow {
        id: PaymentId::from_uuid(row.id),
        application: row.application_id.into(),
        number,
        service: service_name(desk, &row.service),
        period: row.period,
        amount: Money(row.amount),
        attempt: row.attempt,
        state: row.state,
        reason: row.reason,
        waits_for_account: waits,
    })
}

async fn payment_rows(desk: &Desk, rows: Vec<payment::Model>) -> Result<Vec<PaymentRow>, CaseError> {
    let mut views = Vec::with_capacity(rows.len());
    for row in rows {
        views.push(payment_row(desk, row).await?);
    }
    Ok(views)
}

fn batch_row(desk: &Desk, names: &[Staff], reader: &Staff, row: payment_batch::Model) -> BatchRow {
    let name = |id| {
        names
            .iter()
            .find(|staff| staff.id.uuid() == id)
            .map(|staff| staff.name.clone())
    };
    BatchRow {
        id: BatchId::from_uuid(row.id),
        service: service_name(desk, &row.service),
        number: row.number,
        period: row.period,
        releasable: row.state == payment_batch::State::Made && row.made_by != reader.id.uuid(),
        state: row.state,
        count: row.count,
        sum: Money(row.total),
        pay_on: row.pay_on,
        made_by: name(row.made_by).unwrap_or_default(),
        released_by: row.released_by.and_then(name),
        made_at: time(row.made_at),
    }
}

/// What there is to pay, what came back, and the batches.
///
/// # Errors
/// [`CaseError::Refused`]; the store's.
pub async fn overview(desk: &Desk, staff: &Staff) -> Result<Overview, CaseError> {
    guard::office(desk, staff, Action::Pay)?;
    let db = desk.store.read();
    let names = staff::all(desk).await?;
    let own = |service: &str| guard::is_own(desk, staff, service);
    let mut due = payment::in_state(db, None, State::Due, None, SHOWN).await?;
    due.retain(|row| own(&row.service));
    let mut rejected = payment::in_state(db, None, State::Rejected, None, SHOWN).await?;
    rejected.retain(|row| own(&row.service));
    let rejected = open_rejections(desk, rejected).await?;
    let mut batches = payment_batch::newest(db, SHOWN).await?;
    batches.retain(|row| own(&row.service));
    Ok(Overview {
        services: desk
            .catalogue
            .all()
            .filter(|service| own(&service.id) && service.meta.payment.every != services::Every::Never)
            .map(|service| (service.id.clone(), service.meta.name.clone()))
            .collect(),
        due: payment_rows(desk, due).await?,
        rejected: payment_rows(desk, rejected).await?,
        batches: batches
            .into_iter()
            .map(|row| batch_row(desk, &names, staff, row))
            .collect(),
    })
}

/// Refused payments that no later attempt follows.
async fn open_rejections(desk: &Desk, rows: Vec<payment::Model>) -> Result<Vec<payment::Model>, CaseError> {
    let mut open = Vec::new();
    for row in rows {
        let siblings = payment::of_application(desk.store.read(), row.application_id).await?;
        let followed = siblings
            .iter()
            .any(|one| one.period == row.period && one.purpose == row.purpose && one.attempt > row.attempt);
        if !followed {
            open.push(row);
        }
    }
    Ok(open)
}

/// Makes the payments of a month from what cases are entitled to. Doing it again makes only what is missing.
///
/// # Errors
/// [`CaseError::Refused`]; [`CaseError::Input`] for a month that has not begun; the store's.
pub async fn prepare(desk: &Desk, staff: &Staff, service: &str, month: Month) -> Result<u64, CaseError> {
    guard::office(desk, staff, Action::Pay)?;
    if !guard::is_own(desk, staff, desk.service(service)?.id.as_str()) {
        return Err(CaseError::NoService(service.to_owned()));
    }
    if month > Month::of(desk.today()) {
        return Err(CaseError::Input {
            field: "month",
            problem: "in_the_future",
        });
    }
    let (service, clock) = (service.to_owned(), desk.clock.clone());
    desk.store
        .write(move |tx| {
            Box::pin(async move {
                let period = month.to_string();
                // Read inside the one writer, so that two cashiers at once find nothing twice.
                let open = entitlement::without_payment(tx, &service, &period).await?;
                let at = tx.now().as_microsecond();
                let rows: Vec<payment::Model> = open
                    .into_iter()
                    .map(|one| due(&one, &period, 1, PaymentId::generate(clock.as_ref()), at))
                    .collect();
                let made = rows.len() as u64;
                if made > 0 {
                    payment::insert(tx, rows).await?;
                }
                Ok(made)
            })
        })
        .await
}

fn due(entitlement: &entitlement::Model, period: &str, attempt: i32, id: PaymentId, at: i64) -> payment::Model {
    payment::Model {
        id: id.uuid(),
        application_id: entitlement.application_id,
        service: entitlement.service.clone(),
        purpose: entitlement.purpose.clone(),
        period: period.to_owned(),
        amount: entitlement.amount,
        attempt,
        end_to_end: id.uuid().simple().to_string(),
        state: State::Due,
        batch_id: None,
        account: None,
        reason: None,
        made_at: at,
        changed_at: at,
        paid_at: None,
    }
}

/// Tries a refused payment again with the account there is: for refusals that were not the account's fault.
///
/// # Errors
/// [`CaseError::Input`] while the person has still to give another account; [`CaseError::Conflict`] when it was tried
/// again already; [`CaseError::Refused`]; the store's.
pub async fn retry(desk: &Desk, staff: &Staff, id: PaymentId) -> Result<(), CaseError> {
    guard::office(desk, staff, Action::Pay)?;
    let row = payment::by_id(desk.store.read(), id.uuid())
        .await?
        .filter(|row| guard::is_own(desk, staff, &row.service))
        .ok_or(CaseError::NotFound("payment"))?;
    if row.state != State::Rejected {
        return Err(CaseError::Conflict("payment"));
    }
    let entitlements = entitlement::of_application(desk.store.read(), row.application_id).await?;
    let entitlement = entitlements
        .into_iter()
        .find(|one| one.purpose == row.purpose)
        .ok_or(CaseError::NotFound("entitlement"))?;
    if entitlement.account_refused {
        return Err(CaseError::Input {
            field: "account",
            problem: "waits_for_person",
        });
    }
    again(desk, entitlement, vec![row], None, Hold::default()).await
}

/// Makes the next attempt of refused payments, in the transaction that notes the new account where there is one.
async fn again(
    desk: &Desk,
    entitlement: entitlement::Model,
    rows: Vec<payment::Model>,
    account: Option<Vec<u8>>,
    hold: Hold,
) -> Result<(), CaseError> {
    let clock = desk.clock.clone();
    let done = desk
        .store
        .write(move |tx| {
            Box::pin(async move {
                hold.check(tx).await?;
                let at = tx.now().as_microsecond();
                if let Some(account) = account
                    && !entitlement::set_account(tx, entitlement.id, entitlement.revision, account).await?
                {
                    return Err(CaseError::Conflict("account"));
                }
                let next: Vec<payment::Model> = rows
                    .iter()
                    .map(|row| {
                        due(
                            &entitlement,
                            &row.period,
                            row.attempt + 1,
                            PaymentId::generate(clock.as_ref()),
                            at,
                        )
                    })
                    .collect();
                if !next.is_empty() {
                    payment::insert(tx, next).await?;
                }
                Ok(())
            })
        })
        .await;
    match done {
        // The unique indexes know that the next attempt is there.
        Err(CaseError::Store(error)) if error.is_duplicate() => Err(CaseError::Conflict("payment")),
        other => other,
    }
}

/// The person gives another account after the bank refused the first; refused payments are tried again with it.
///
/// # Errors
/// [`CaseError::Invalid`] for an account that can't be one; [`CaseError::NotFound`]; [`CaseError::Conflict`]; the store's.
pub async fn new_account(
    desk: &Desk,
    person: &Person,
    id: ApplicationId,
    raw: services::form::Raw,
    language: civic::Language,
) -> Result<(), CaseError> {
    let mut record = record::own(desk, person, id, Action::Account).await?;
    let key = crate::wanted::account_key(&record.service.form).ok_or(CaseError::NotFound("account"))?;
    let address = record
        .service
        .form
        .places(&record.answers)
        .into_iter()
        .find(|place| place.page.fields.iter().any(|field| place.key(field) == key))
        .map(|place| place.address());
    let address = address.ok_or(CaseError::NotFound("account"))?;
    let mut raw = raw;
    raw.insert(services::form::SHOWN.to_owned(), vec![key.clone()]);
    record.answers = record
        .service
        .form
        .validate(&address, &raw, &record.answers, language, desk.now())
        .map_err(|invalid| CaseError::Invalid(Box::new(invalid)))?;
    let account: Value = record
        .answers
        .value(&key)
        .cloned()
        .ok_or(CaseError::NotFound("account"))?;
    let payments = payment::of_application(desk.store.read(), id.uuid()).await?;
    for entitlement in entitlement::of_application(desk.store.read(), id.uuid()).await? {
        let refused: Vec<payment::Model> = payments
            .iter()
            .filter(|row| row.state == State::Rejected && row.purpose == entitlement.purpose)
            .filter(|row| {
                !payments
                    .iter()
                    .any(|one| one.purpose == row.purpose && one.period == row.period && one.attempt > row.attempt)
            })
            .cloned()
            .collect();
        let place = Place::new("entitlement", "account", &entitlement.id);
        let sealed = record::seal(desk, desk.store.read(), record.row.key_id.into(), place, &account).await?;
        let hold = Hold::of(desk, &person.who());
        again(desk, entitlement, refused, Some(sealed), hold).await?;
    }
    let mut change = Change::note(desk, &person.who(), &record.row, "account_changed");
    change.answers(desk, &record).await?;
    let entry = guard::entry(
        desk,
        &person.who(),
        Action::Account,
        id,
        &record.service,
        Some(person.lookup),
        &["account"],
    );
    desk.store
        .write(move |tx| {
            Box::pin(async move {
                crate::roll::payable(tx, &change.row).await?;
                change.write(tx).await?;
                ledger::append(tx, entry).await?;
                Ok(())
            })
        })
        .await
}
