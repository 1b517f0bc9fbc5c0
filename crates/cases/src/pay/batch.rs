//! A batch (撥款清冊): made by one cashier, released by another, an ISO 20022 file in between.

use crate::boxed;
use std::sync::Arc;

use civic::ids::{BatchId, FileId};
use sha2::{Digest as _, Sha256};
use store::tables::payment::{self, State};
use store::tables::payment_batch::{self, State as BatchState};
use store::tables::{payment_part, payment_report};
use uuid::Uuid;

use super::part::{self, Maker};
use super::{BatchRow, PaymentRow, batch_row, payment_rows};
use crate::guard::{self, Action};
use crate::staff::{self, Staff};
use crate::{CaseError, Desk, Month};

/// Payments on one page of a batch.
pub const SHOWN: u64 = 200;

/// A batch with a page of its payments.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BatchView {
    /// The batch.
    pub row: BatchRow,
    /// Folder name of the service.
    pub service_id: String,
    /// Whether the reader pays: may dissolve the batch and take its file.
    pub is_cashier: bool,
    /// A page of its payments.
    pub payments: Vec<PaymentRow>,
    /// The last payment of the page, where another page follows.
    pub next: Option<Uuid>,
    /// Payments that may not go to the bank any more, because the case is on hold or its entitlement has ended.
    pub stopped: u64,
    /// Reports imported for it: accepted and refused of each.
    pub reports: Vec<(String, i32, i32)>,
}

/// Puts the due payments of a service and month into a batch, as many as the bank takes, and writes its pain.001 file.
/// Payments whose account the bank refused stay out until the person has given another.
///
/// # Errors
/// [`CaseError::Input`] when nothing is due; [`CaseError::Conflict`] when a colleague was faster; [`CaseError::Refused`];
/// [`CaseError::Outside`] when the bank's format can't hold the order; the store's.
#[boxed]
pub async fn make(desk: &Desk, staff: &Staff, service: &str, month: Month) -> Result<BatchId, CaseError> {
    guard::office(desk, staff, Action::Pay)?;
    let service = Arc::clone(desk.service(service)?);
    if !guard::is_own(desk, staff, &service.id) {
        return Err(CaseError::NoService(service.id.clone()));
    }
    let nothing = || CaseError::Input {
        field: "month",
        problem: "nothing_due",
    };
    let maker = Maker {
        desk,
        staff,
        service: &service,
        month,
    };
    let (part, most) = (Uuid::new_v4(), u64::from(desk.city.account.most));
    let (id, period, today) = (service.id.clone(), month.to_string(), desk.today().to_string());
    let found = desk
        .store
        .write(move |tx| {
            Box::pin(
                async move { Ok::<_, CaseError>(payment_part::take(tx, (&id, &period), &today, part, most).await?) },
            )
        })
        .await?;
    if found == 0 {
        return Err(nothing());
    }
    while let Some(sealed) = maker.seal_page(part).await? {
        let seal = desk.store.seal().clone();
        desk.store
            .write(move |tx| Box::pin(async move { sealed.write(tx, &seal, part).await }))
            .await?;
    }
    let batch = BatchId::generate(desk.clock.as_ref());
    let written = maker.write(part, batch).await?.ok_or_else(nothing)?;
    let row = maker.batch(batch, &written);
    desk.store
        .write(move |tx| Box::pin(async move { part::close(tx, part, row, written.sum.count).await }))
        .await?;
    Ok(batch)
}

/// A batch of the own office; another office's is not found.
async fn row(desk: &Desk, staff: &Staff, id: BatchId) -> Result<payment_batch::Model, CaseError> {
    payment_batch::by_id(desk.store.read(), id.uuid())
        .await?
        .filter(|batch| guard::is_own(desk, staff, &batch.service))
        .ok_or(CaseError::NotFound("batch"))
}

/// Batches of the own office, newest first, for who may release them.
///
/// # Errors
/// [`CaseError::Refused`]; the store's.
#[boxed]
pub async fn list(desk: &Desk, staff: &Staff) -> Result<Vec<BatchRow>, CaseError> {
    guard::office(desk, staff, Action::Release)?;
    let names = staff::all(desk).await?;
    let mut batches = payment_batch::newest(desk.store.read(), super::SHOWN).await?;
    batches.retain(|batch| guard::is_own(desk, staff, &batch.service));
    Ok(batches
        .into_iter()
        .map(|batch| batch_row(desk, &names, staff, batch))
        .collect())
}

/// A batch with a page of its payments, those after `after`.
///
/// # Errors
/// [`CaseError::NotFound`]; [`CaseError::Refused`]; the store's.
#[boxed]
pub async fn view(desk: &Desk, staff: &Staff, id: BatchId, after: Option<Uuid>) -> Result<BatchView, CaseError> {
    guard::office(desk, staff, Action::Release)?;
    let batch = row(desk, staff, id).await?;
    let names = staff::all(desk).await?;
    let db = desk.store.read();
    let payments = payment_part::page_of_batch(db, id.uuid(), after, SHOWN).await?;
    let reports = payment_report::of_batch(db, id.uuid()).await?;
    Ok(BatchView {
        service_id: batch.service.clone(),
        is_cashier: guard::office(desk, staff, Action::Pay).is_ok(),
        next: (payments.len() as u64 == SHOWN)
            .then(|| payments.last().map(|last| last.id))
            .flatten(),
        stopped: if batch.state == BatchState::Made {
            payment_part::stopped_in_batch(db, id.uuid(), &desk.today().to_string()).await?
        } else {
            0
        },
        row: batch_row(desk, &names, staff, batch),
        payments: payment_rows(desk, payments).await?,
        reports: reports
            .into_iter()
            .map(|report| (report.message, report.accepted, report.rejected))
            .collect(),
    })
}

/// Releases a batch to the bank (放行): never by the one who made it, and never with a payment that was stopped since.
///
/// # Errors
/// [`CaseError::Refused`] for the maker; [`CaseError::Input`] where payments were stopped: the batch is dissolved and made again; [`CaseError::Conflict`] when it is not waiting any more; the store's.
#[boxed]
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
#[boxed]
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
    let today = desk.today().to_string();
    desk.store
        .write(move |tx| {
            Box::pin(async move {
                let at = tx.now().as_microsecond();
                if to == BatchState::Released && payment_part::stopped_in_batch(tx, id.uuid(), &today).await? > 0 {
                    return Err(CaseError::Input {
                        field: "batch",
                        problem: "stopped",
                    });
                }
                if !payment_batch::step(tx, id.uuid(), from, to, by, at).await? {
                    return Err(CaseError::Conflict("batch"));
                }
                if to == BatchState::Dissolved {
                    payment_part::leave_batch(tx, id.uuid(), at).await?;
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
#[boxed]
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
