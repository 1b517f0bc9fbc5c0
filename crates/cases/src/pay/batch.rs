//! A batch (撥款清冊): made by one cashier, released by another, an ISO 20022 file in between.

use std::sync::Arc;

use civic::Money;
use civic::ids::{BatchId, FileId, PaymentId};
use exchange::iso20022::{self, Order};
use sha2::{Digest as _, Sha256};
use store::ledger;
use store::seal::Place;
use store::tables::payment::{self, State};
use store::tables::payment_batch::{self, State as BatchState};
use store::tables::{entitlement, payment_report};

use super::{Account, BatchRow, PaymentRow, batch_row, payment_rows};
use crate::guard::{self, Action};
use crate::staff::{self, Staff};
use crate::{CaseError, Desk, Month, record, wanted};

/// Most payments of one batch.
const MOST: u64 = 20_000;
/// Category purpose of ISO 20022 for social benefits.
const PURPOSE: &str = "SSBE";

/// A batch with its payments.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BatchView {
    /// The batch.
    pub row: BatchRow,
    /// Its payments.
    pub payments: Vec<PaymentRow>,
    /// Reports imported for it: accepted and refused of each.
    pub reports: Vec<(String, i32, i32)>,
}

/// A payment that goes into the batch, with what has to be written for it.
struct Item {
    id: PaymentId,
    account: Vec<u8>,
    entry: ledger::Entry,
}

/// Puts the due payments of a service and month into a batch and writes its pain.001 file. Payments whose account the
/// bank refused stay out until the person has given another.
///
/// # Errors
/// [`CaseError::Input`] when nothing is due; [`CaseError::Conflict`] when a colleague was faster; [`CaseError::Refused`];
/// [`CaseError::Outside`] when the bank's format can't hold a payment; the store's.
pub async fn make(desk: &Desk, staff: &Staff, service: &str, month: Month) -> Result<BatchId, CaseError> {
    guard::office(desk, staff, Action::Pay)?;
    let service = Arc::clone(desk.service(service)?);
    if !guard::is_own(desk, staff, &service.id) {
        return Err(CaseError::NoService(service.id.clone()));
    }
    let period = month.to_string();
    let due = payment::in_state(desk.store.read(), Some(&service.id), State::Due, Some(&period), MOST).await?;
    let mut items = Vec::with_capacity(due.len());
    let mut payments = Vec::with_capacity(due.len());
    for row in due {
        let entitlements = entitlement::of_application(desk.store.read(), row.application_id).await?;
        let Some(entitlement) = entitlements
            .into_iter()
            .find(|one| one.purpose == row.purpose && !one.account_refused)
        else {
            continue;
        };
        let Some(sealed) = &entitlement.account else { continue };
        let application = record::row(desk, row.application_id.into()).await?;
        let record = record::open(desk, &staff.who(), Action::Pay, application).await?;
        let key = record.row.key_id.into();
        let account: Account = record::unseal(
            desk,
            &record.grant,
            key,
            Place::new("entitlement", "account", &entitlement.id),
            sealed,
        )
        .await?;
        let subject = guard::subject(desk, &record).await?;
        items.push(Item {
            id: PaymentId::from_uuid(row.id),
            account: record::seal(
                desk,
                desk.store.read(),
                key,
                Place::new("payment", "account", &row.id),
                &account,
            )
            .await?,
            entry: guard::entry(
                desk,
                &staff.who(),
                Action::Pay,
                record.id(),
                &record.service,
                subject,
                &["name", "account", "amount"],
            ),
        });
        payments.push(iso20022::Payment {
            id: PaymentId::from_uuid(row.id),
            amount: Money(row.amount),
            creditor: iso20022::Account {
                name: wanted::profile(&record.service.form, &record.answers, "name").unwrap_or_default(),
                bank: account.bank,
                number: account.account,
            },
            remittance: format!(
                "{}{}年{}月",
                service.meta.name.get(civic::Language::ZhTw),
                month.roc_year(),
                month.number()
            ),
        });
    }
    if items.is_empty() {
        return Err(CaseError::Input {
            field: "month",
            problem: "nothing_due",
        });
    }
    let id = BatchId::generate(desk.clock.as_ref());
    let pay_on = desk.calendar.add_working_days(desk.today(), 1);
    let city = &desk.city.account;
    let order = Order {
        batch: id,
        created: desk.now(),
        execute_on: pay_on,
        debtor: iso20022::Account {
            name: city.name.clone(),
            bank: city.bank.clone(),
            number: city.number.clone(),
        },
        purpose: PURPOSE.to_owned(),
        payments,
    };
    let bank = |error: iso20022::OrderError| CaseError::Outside {
        party: "bank",
        problem: error.to_string(),
    };
    let xml = order.to_xml().map_err(bank)?;
    let total = order.sum().map_err(bank)?;
    let key = desk.store.write({
        let seal = desk.store.seal().clone();
        move |tx| Box::pin(async move { Ok::<_, CaseError>(seal.system_key(tx, "payments").await?) })
    });
    let key = key.await?;
    let file = desk.store.files().put(&desk.store, key, xml.as_bytes()).await?;
    let batch = payment_batch::Model {
        id: id.uuid(),
        number: id.uuid().simple().to_string(),
        service: service.id.clone(),
        period,
        state: BatchState::Made,
        count: i32::try_from(items.len()).unwrap_or(i32::MAX),
        total: total.0,
        pay_on: pay_on.to_string(),
        key_id: key.uuid(),
        file_id: file.uuid(),
        digest: hex::encode(Sha256::digest(xml.as_bytes())),
        made_by: staff.id.uuid(),
        made_at: desk.now().as_microsecond(),
        released_by: None,
        released_at: None,
    };
    desk.store
        .write(move |tx| {
            Box::pin(async move {
                let at = tx.now().as_microsecond();
                payment_batch::insert(tx, batch).await?;
                for item in items {
                    if !payment::put_in_batch(tx, item.id.uuid(), id.uuid(), item.account, at).await? {
                        return Err(CaseError::Conflict("payment"));
                    }
                    ledger::append(tx, item.entry).await?;
                }
                Ok(id)
            })
        })
        .await
}

/// A batch of the own office; another office's is not found.
async fn row(desk: &Desk, staff: &Staff, id: BatchId) -> Result<payment_batch::Model, CaseError> {
    payment_batch::by_id(desk.store.read(), id.uuid())
        .await?
        .filter(|batch| guard::is_own(desk, staff, &batch.service))
        .ok_or(CaseError::NotFound("batch"))
}

/// A batch with its payments.
///
/// # Errors
/// [`CaseError::NotFound`]; [`CaseError::Refused`]; the store's.
pub async fn view(desk: &Desk, staff: &Staff, id: BatchId) -> Result<BatchView, CaseError> {
    guard::office(desk, staff, Action::Pay)?;
    let names = staff::all(desk).await?;
    let payments = payment::of_batch(desk.store.read(), id.uuid()).await?;
    let reports = payment_report::of_batch(desk.store.read(), id.uuid()).await?;
    Ok(BatchView {
        row: batch_row(desk, &names, staff, row(desk, staff, id).await?),
        payments: payment_rows(desk, payments).await?,
        reports: reports
            .into_iter()
            .map(|report| (report.message, report.accepted, report.rejected))
            .collect(),
    })
}

/// Releases a batch to the bank (放行): never by the one who made it.
///
/// # Errors
/// [`CaseError::Refused`] for the maker; [`CaseError::Conflict`] when it is not waiting any more; the store's.
pub async fn release(desk: &Desk, staff: &Staff, id: BatchId) -> Result<(), CaseError> {
    let batch = row(desk, staff, id).await?;
    guard::release(desk, staff, &batch)?;
    let by = staff.id.uuid();
    step(
        desk,
        id,
        BatchState::Made,
        BatchState::Released,
        Some(by),
        State::Batched,
        State::Released,
    )
    .await
}

/// Dissolves a batch before its release; its payments are due again.
///
/// # Errors
/// [`CaseError::Conflict`] when it was released meanwhile; [`CaseError::Refused`]; the store's.
pub async fn cancel(desk: &Desk, staff: &Staff, id: BatchId) -> Result<(), CaseError> {
    guard::office(desk, staff, Action::Pay)?;
    row(desk, staff, id).await?;
    step(
        desk,
        id,
        BatchState::Made,
        BatchState::Dissolved,
        None,
        State::Batched,
        State::Due,
    )
    .await
}

async fn step(
    desk: &Desk,
    id: BatchId,
    from: BatchState,
    to: BatchState,
    by: Option<uuid::Uuid>,
    was: State,
    becomes: State,
) -> Result<(), CaseError> {
    desk.store
        .write(move |tx| {
            Box::pin(async move {
                let at = tx.now().as_microsecond();
                if !payment_batch::step(tx, id.uuid(), from, to, by, at).await? {
                    return Err(CaseError::Conflict("batch"));
                }
                payment::step_batch(tx, id.uuid(), was, becomes, at).await?;
                Ok(())
            })
        })
        .await
}

/// The pain.001 file for the bank; only of a released batch.
///
/// # Errors
/// [`CaseError::Input`] before the release; [`CaseError::NotFound`]; [`CaseError::Refused`]; the store's.
pub async fn file(desk: &Desk, staff: &Staff, id: BatchId) -> Result<Vec<u8>, CaseError> {
    guard::office(desk, staff, Action::Pay)?;
    let batch = row(desk, staff, id).await?;
    if !matches!(batch.state, BatchState::Released | BatchState::Answered) {
        return Err(CaseError::Input {
            field: "batch",
            problem: "not_released",
        });
    }
    let bytes = desk
        .store
        .files()
        .get_own(&desk.store, FileId::from_uuid(batch.file_id))
        .await?;
    if hex::encode(Sha256::digest(&bytes)) != batch.digest {
        return Err(CaseError::Corrupt {
            what: "payment file",
            why: "its digest does not fit".to_owned(),
        });
    }
    Ok(bytes.to_vec())
}
