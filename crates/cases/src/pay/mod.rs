//! Pay (撥款): from what a case is entitled to, over a batch that two people see, to what the bank says became of it.

pub mod batch;
pub mod compare;
pub(crate) mod departed;
mod due;
pub mod hold;
mod late;
mod part;
pub mod report;
pub mod returns;
pub mod run;
pub mod stop;

use crate::boxed;
use civic::ids::{ApplicationId, BatchId, PaymentId};
use civic::{Money, Text};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use store::ledger;
use store::seal::Place;
use store::tables::payment::{self, State};
use store::tables::{application, entitlement, payment_batch, payment_compare, payment_hold};

use crate::agents::Hold;
use crate::change::Change;
use crate::guard::{self, Action};
use crate::history::time;
use crate::people::Person;
use crate::record;
use crate::staff::{self, Staff};
use crate::wanted;
use crate::{CaseError, Desk, Month, identity};

/// Most rows a page of the cashier shows of each kind.
const SHOWN: u64 = 500;

/// An account to pay to, as the form takes it, with its holder: a cashier pays without opening the family's answers.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Account {
    pub(crate) bank: String,
    pub(crate) account: String,
    /// Name of the holder. Accounts sealed before it was kept have none; then the answers tell it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) name: Option<String>,
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
    /// What is paid, as the rules call it.
    pub title: Text,
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

/// The due payments of one service and month.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DueSum {
    /// Folder name of the service.
    pub service_id: String,
    /// Service.
    pub service: Text,
    /// Month paid for.
    pub period: String,
    /// How many.
    pub count: u64,
    /// Sum.
    pub sum: Money,
    /// Of them those that may not leave: they wait for another account, the case was opened again, or its person is left out.
    pub waiting: u64,
}

/// What the cashier's first page shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Overview {
    /// Services that pay.
    pub services: Vec<(String, Text)>,
    /// To be paid with the next batch.
    pub due: Vec<DueSum>,
    /// Runs, newest first.
    pub runs: Vec<run::RunRow>,
    /// Cases whose payments are held.
    pub holds: Vec<hold::HoldRow>,
    /// Refused or returned by the bank, with no new attempt yet.
    pub rejected: Vec<PaymentRow>,
    /// Batches, newest first.
    pub batches: Vec<BatchRow>,
}

fn service_name(desk: &Desk, id: &str) -> Text {
    desk.catalogue
        .get(id)
        .map_or_else(|| Text::chinese(id), |service| service.meta.name.clone())
}

/// Rows of payments with the numbers of their cases, by two queries.
async fn payment_rows(desk: &Desk, rows: Vec<payment::Model>) -> Result<Vec<PaymentRow>, CaseError> {
    let db = desk.store.read();
    let ids: Vec<_> = rows.iter().map(|row| row.application_id).collect();
    let applications = application::by_ids(db, ids.clone()).await?;
    let entitlements = entitlement::of_applications(db, ids).await?;
    let view = |row: payment::Model| PaymentRow {
        id: PaymentId::from_uuid(row.id),
        application: row.application_id.into(),
        number: applications
            .iter()
            .find(|one| one.id == row.application_id)
            .and_then(|one| one.number.clone())
            .unwrap_or_default(),
        service: service_name(desk, &row.service),
        title: compare::title(desk, &row.service, &row.purpose),
        waits_for_account: row.state == State::Rejected
            && entitlements.iter().any(|one| {
                one.application_id == row.application_id && one.purpose == row.purpose && one.account_refused
            }),
        period: row.period,
        amount: Money(row.amount),
        attempt: row.attempt,
        state: row.state,
        reason: row.reason,
    };
    Ok(rows.into_iter().map(view).collect())
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

/// Folder names of the services of a member of staff's own office.
fn own_services(desk: &Desk, staff: &Staff) -> Vec<String> {
    desk.catalogue
        .all()
        .filter(|service| guard::is_own(desk, staff, &service.id))
        .map(|service| service.id.clone())
        .collect()
}

/// What there is to pay, what came back, and the batches.
///
/// # Errors
/// [`CaseError::Refused`]; the store's.
#[boxed]
pub async fn overview(desk: &Desk, staff: &Staff) -> Result<Overview, CaseError> {
    guard::office(desk, staff, Action::Pay)?;
    let db = desk.store.read();
    let names = staff::all(desk).await?;
    let own = |service: &str| guard::is_own(desk, staff, service);
    let services = own_services(desk, staff);
    let due = payment_compare::due(db, &services, &desk.today().to_string()).await?;
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
        due: due
            .into_iter()
            .map(|row| DueSum {
                service: service_name(desk, &row.service),
                service_id: row.service,
                period: row.period,
                count: u64::try_from(row.count).unwrap_or_default(),
                sum: Money(row.total),
                waiting: u64::try_from(row.waiting).unwrap_or_default(),
            })
            .collect(),
        runs: run::newest(desk, staff).await?,
        holds: hold::list(desk, staff).await?,
        rejected: payment_rows(desk, rejected).await?,
        batches: batches
            .into_iter()
            .map(|row| batch_row(desk, &names, staff, row))
            .collect(),
    })
}

/// Whether a payment takes the place of a refused one: a later attempt, or one that stands.
fn follows(other: &payment::Model, row: &payment::Model) -> bool {
    other.period == row.period
        && other.purpose == row.purpose
        && (other.attempt > row.attempt || other.state != State::Rejected)
}

/// Refused payments that no other takes the place of.
async fn open_rejections(desk: &Desk, rows: Vec<payment::Model>) -> Result<Vec<payment::Model>, CaseError> {
    let mut open = Vec::new();
    for row in rows {
        let siblings = payment::of_application(desk.store.read(), row.application_id).await?;
        let followed = siblings.iter().any(|one| follows(one, &row));
        if !followed {
            open.push(row);
        }
    }
    Ok(open)
}

/// A service of the own office and a month that has begun.
fn payable(desk: &Desk, staff: &Staff, service: &str, month: Month) -> Result<(), CaseError> {
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
    Ok(())
}

/// Makes the payments of a month from what cases are entitled to, page by page. Doing it again makes only what is missing.
///
/// # Errors
/// [`CaseError::Refused`]; [`CaseError::Input`] for a month that has not begun; the store's.
#[boxed]
pub async fn prepare(desk: &Desk, staff: &Staff, service: &str, month: Month) -> Result<u64, CaseError> {
    payable(desk, staff, service, month)?;
    let (period, today) = (month.to_string(), desk.today().to_string());
    let (mut made, mut after) = (0, None);
    loop {
        let (clock, service) = (desk.clock.clone(), service.to_owned());
        let (period, today) = (period.clone(), today.clone());
        let page = desk
            .store
            .write(move |tx| {
                Box::pin(async move { due::page(tx, clock.as_ref(), &service, &period, &today, after).await })
            })
            .await?;
        made += page.made.count;
        match page.last {
            Some(last) => after = Some(last),
            None => return Ok(made),
        }
    }
}

/// The next attempt of a payment: the same amount for the same month, held while the case is on hold.
fn next_attempt(row: &payment::Model, id: PaymentId, held: bool, at: i64) -> payment::Model {
    payment::Model {
        id: id.uuid(),
        attempt: row.attempt.saturating_add(1),
        end_to_end: id.uuid().simple().to_string(),
        state: if held { State::Held } else { State::Due },
        part_id: None,
        batch_id: None,
        account: None,
        reason: None,
        made_at: at,
        changed_at: at,
        paid_at: None,
        ..row.clone()
    }
}

/// Tries a refused payment again with the account there is: for refusals that were not the account's fault.
///
/// # Errors
/// [`CaseError::Input`] while the person has still to give another account; [`CaseError::Conflict`] when it was tried
/// again already; [`CaseError::Refused`]; the store's.
#[boxed]
pub async fn retry(desk: &Desk, staff: &Staff, id: PaymentId) -> Result<(), CaseError> {
    guard::office(desk, staff, Action::Pay)?;
    let row = payment::by_id(desk.store.read(), id.uuid())
        .await?
        .filter(|row| guard::is_own(desk, staff, &row.service))
        .ok_or(CaseError::NotFound("payment"))?;
    if row.state != State::Rejected {
        return Err(CaseError::Conflict("payment"));
    }
    let mut spans = entitlement::of_application(desk.store.read(), row.application_id).await?;
    spans.retain(|one| one.covers(&row.purpose, &row.period));
    if spans.is_empty() {
        // the case is not paid for that month any more
        return Err(CaseError::Conflict("payment"));
    }
    if spans.iter().any(|one| one.account_refused) {
        return Err(CaseError::Input {
            field: "account",
            problem: "waits_for_person",
        });
    }
    let next = PaymentId::generate(desk.clock.as_ref());
    let done = desk
        .store
        .write(move |tx| {
            Box::pin(async move {
                let held = on_hold(tx, row.application_id).await?;
                payment::insert(tx, vec![next_attempt(&row, next, held, tx.now().as_microsecond())]).await?;
                Ok::<_, CaseError>(())
            })
        })
        .await;
    once(done)
}

/// Whether the payments of a case are held, read inside the one writer.
async fn on_hold(tx: &store::Tx, application: uuid::Uuid) -> Result<bool, CaseError> {
    Ok(!payment_hold::open_among(tx, vec![application]).await?.is_empty())
}

/// The unique indexes know that the next attempt is there.
fn once(done: Result<(), CaseError>) -> Result<(), CaseError> {
    match done {
        Err(CaseError::Store(error)) if error.is_duplicate() => Err(CaseError::Conflict("payment")),
        other => other,
    }
}

/// The person gives another account after the bank refused the first; refused payments are tried again with it, all in one
/// transaction.
///
/// # Errors
/// [`CaseError::Invalid`] for an account that can't be one; [`CaseError::NotFound`]; [`CaseError::Conflict`]; the store's.
#[boxed]
pub async fn new_account(
    desk: &Desk,
    person: &Person,
    id: ApplicationId,
    raw: services::form::Raw,
    language: civic::Language,
) -> Result<(), CaseError> {
    let mut record = record::own(desk, person, id, Action::Account).await?;
    identity::enough(desk, person, &record.service)?;
    let key = wanted::account_key(&record.service.form).ok_or(CaseError::NotFound("account"))?;
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
    let account = wanted::payee(&record.service.form, &record.answers).ok_or(CaseError::NotFound("account"))?;
    let payments = payment::of_application(desk.store.read(), id.uuid()).await?;
    let mut spans = Vec::new();
    for entitlement in entitlement::of_application(desk.store.read(), id.uuid()).await? {
        let place = Place::new("entitlement", "account", &entitlement.id);
        let sealed = record::seal(desk, desk.store.read(), record.row.key_id.into(), place, &account).await?;
        spans.push((entitlement.id, entitlement.revision, sealed));
    }
    let refused: Vec<(payment::Model, PaymentId)> = payments
        .iter()
        .filter(|row| row.state == State::Rejected && !payments.iter().any(|one| follows(one, row)))
        .map(|row| (row.clone(), PaymentId::generate(desk.clock.as_ref())))
        .collect();
    let mut change = Change::note(desk, &person.who(), &record.row, "account_changed");
    change.prove(desk, person).await?;
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
    let hold = Hold::of(desk, &person.who());
    let done = desk
        .store
        .write(move |tx| {
            Box::pin(async move {
                hold.check(tx).await?;
                let at = tx.now().as_microsecond();
                for (span, revision, sealed) in spans {
                    if !entitlement::set_account(tx, span, revision, sealed).await? {
                        return Err(CaseError::Conflict("account"));
                    }
                }
                let held = on_hold(tx, id.uuid()).await?;
                let next: Vec<_> = refused
                    .iter()
                    .map(|(row, next)| next_attempt(row, *next, held, at))
                    .collect();
                if !next.is_empty() {
                    payment::insert(tx, next).await?;
                }
                crate::roll::payable(tx, &change.row).await?;
                change.write(tx).await?;
                ledger::append(tx, entry).await?;
                Ok(())
            })
        })
        .await;
    once(done)
}
