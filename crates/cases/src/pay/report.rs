//! The bank's report (pain.002): what was paid, and what comes back as work.

use crate::boxed;
use std::collections::BTreeMap;
use std::sync::Arc;

use civic::Clock;
use civic::ids::{BatchId, PaymentId};
use exchange::iso20022::{Report, Status};
use sha2::{Digest as _, Sha256};
use store::Tx;
use store::seal::Seal;
use store::tables::payment::{self, State};
use store::tables::payment_batch::{self, State as BatchState};
use store::tables::{entitlement, payment_part, payment_report, payment_return, security_event};
use uuid::Uuid;

use super::late;
use crate::guard::{self, Action, Who};
use crate::staff::Staff;
use crate::{CaseError, Desk, notify, record};

/// Payments of one transaction.
const PAGE: u64 = 1_000;

/// What a report changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Imported {
    /// The batch it answers.
    pub batch: BatchId,
    /// Payments it says are paid.
    pub paid: u64,
    /// Payments it refuses.
    pub rejected: u64,
    /// Payments it says nothing final of.
    pub pending: u64,
    /// Payments of which it says the opposite of an earlier report; each is a warning, and nothing of it is counted above.
    pub contradicted: u64,
    /// Whether it was imported before; then nothing changed.
    pub repeated: bool,
}

/// Reason codes (ISO 20022 ExternalStatusReason1Code) for which the person has to give another account.
const ACCOUNT_AT_FAULT: [&str; 8] = ["AC01", "AC03", "AC04", "AC06", "AC13", "AC14", "BE01", "RC01"];

/// Imports a report. The same file again changes nothing; what is paid stays paid whatever a later report says. What was refused
/// and is paid after all is seen to: nobody is paid by the next attempt too, or it is claimed back.
///
/// # Errors
/// [`CaseError::Outside`] for a file that is no report of ours; [`CaseError::Input`] for a batch that was never
/// released; [`CaseError::Conflict`] when a case it holds was changed at the same moment; [`CaseError::Refused`]; the store's.
#[boxed]
pub async fn import(desk: &Desk, staff: &Staff, bytes: &[u8]) -> Result<Imported, CaseError> {
    guard::office(desk, staff, Action::Pay)?;
    let report = Report::read(bytes).map_err(|error| CaseError::Outside {
        party: "bank",
        problem: error.to_string(),
    })?;
    let batch = payment_batch::by_id(desk.store.read(), report.batch.uuid())
        .await?
        .filter(|batch| guard::is_own(desk, staff, &batch.service))
        .ok_or(CaseError::NotFound("batch"))?;
    let digest = hex::encode(Sha256::digest(bytes));
    let mut imported = Imported {
        batch: report.batch,
        paid: 0,
        rejected: 0,
        pending: 0,
        contradicted: 0,
        repeated: false,
    };
    if payment_report::by_digest(desk.store.read(), &digest).await?.is_some() {
        imported.repeated = true;
        return Ok(imported);
    }
    if !matches!(batch.state, BatchState::Released | BatchState::Answered) {
        return Err(CaseError::Input {
            field: "batch",
            problem: "not_released",
        });
    }
    let mut after = None;
    loop {
        let page = payment_part::page_of_batch(desk.store.read(), batch.id, after, PAGE).await?;
        let Some(last) = page.last() else { break };
        after = Some(last.id);
        let steps = steps(desk, staff, &report, page, &mut imported).await?;
        let (seal, clock) = (desk.store.seal().clone(), Arc::clone(&desk.clock));
        // a page is a transaction of its own: each step is taken once, so a crash between two pages loses nothing
        desk.store
            .write(move |tx| Box::pin(async move { steps.write(tx, &seal, clock.as_ref()).await }))
            .await?;
    }
    let kept = payment_report::Model {
        digest,
        message: report.id.clone(),
        batch_id: batch.id,
        accepted: i32::try_from(imported.paid).unwrap_or(i32::MAX),
        rejected: i32::try_from(imported.rejected).unwrap_or(i32::MAX),
        imported_by: staff.id.uuid(),
        imported_at: desk.now().as_microsecond(),
    };
    desk.store
        .write(move |tx| {
            Box::pin(async move {
                if !payment_report::insert(tx, kept).await? {
                    return Ok(Imported {
                        paid: 0,
                        rejected: 0,
                        pending: 0,
                        contradicted: 0,
                        repeated: true,
                        ..imported
                    });
                }
                if imported.pending == 0 {
                    // Already answered by an earlier report: nothing to move.
                    let at = tx.now().as_microsecond();
                    payment_batch::step(tx, batch.id, BatchState::Released, BatchState::Answered, None, at).await?;
                }
                Ok::<_, CaseError>(imported)
            })
        })
        .await
}

/// A message to the person, with the number of the case.
pub(super) type Letter = (String, notify::Draft);

/// What a report changes of a page of payments.
struct Steps {
    paid: Vec<Uuid>,
    refused: Vec<(payment::Model, String, Option<Letter>)>,
    /// Refused by an earlier report and paid by this one, each with its warning.
    late: Vec<(payment::Model, security_event::Model)>,
    /// The holds of their cases, for where they are needed.
    holds: BTreeMap<Uuid, Option<late::Hold>>,
    /// Paid by an earlier report and refused by this one.
    warnings: Vec<security_event::Model>,
}

async fn steps(
    desk: &Desk,
    staff: &Staff,
    report: &Report,
    page: Vec<payment::Model>,
    imported: &mut Imported,
) -> Result<Steps, CaseError> {
    let mut steps = Steps {
        paid: Vec::new(),
        refused: Vec::new(),
        late: Vec::new(),
        holds: BTreeMap::new(),
        warnings: Vec::new(),
    };
    for row in page {
        match report.of(PaymentId::from_uuid(row.id)) {
            Some((Status::Settled, _)) => {
                if row.state != State::Rejected || has_come_back(desk, row.id).await? {
                    imported.paid += 1;
                    if row.state == State::Released {
                        steps.paid.push(row.id);
                    }
                    continue;
                }
                imported.contradicted += 1;
                if late::is_late(&row) {
                    continue;
                }
                let case = row.application_id;
                let is_prepared = steps.holds.contains_key(&case);
                if !is_prepared {
                    let hold = late::Hold::new(desk, staff, case).await?;
                    steps.holds.insert(case, Some(hold));
                }
                let warning = late::warning(desk, case, "the bank has paid what it had refused before");
                steps.late.push((row, warning));
            }
            Some((status, _)) if status.is_refusal() && row.state == State::Paid => {
                imported.contradicted += 1;
                let what = "the bank refuses what it said it had paid; ask it whether the money has moved";
                steps.warnings.push(late::warning(desk, row.application_id, what));
            }
            Some((status, reasons)) if status.is_refusal() => {
                imported.rejected += 1;
                let reason = reasons
                    .first()
                    .map(|reason| reason.code.clone())
                    // the bank's word for what is settled is no reason of a refusal
                    .filter(|code| code != late::LATE)
                    .unwrap_or_else(|| "RJCT".to_owned());
                if row.state == State::Released {
                    let letter = refused(desk, &row, &reason).await?;
                    steps.refused.push((row, reason, letter));
                }
            }
            _ => imported.pending += 1,
        }
    }
    Ok(steps)
}

/// Whether the bank had paid it and got the money back, so that an older report says nothing new.
async fn has_come_back(desk: &Desk, id: Uuid) -> Result<bool, CaseError> {
    Ok(payment_return::by_payment(desk.store.read(), id).await?.is_some())
}

impl Steps {
    /// Only what is out at the bank moves: a paid payment is never turned back by a later report.
    async fn write(mut self, tx: &Tx, seal: &Seal, clock: &dyn Clock) -> Result<(), CaseError> {
        let at = tx.now().as_microsecond();
        if !self.paid.is_empty() {
            payment_part::pay(tx, self.paid, at).await?;
        }
        for (row, reason, letter) in self.refused {
            if !payment::step(tx, row.id, State::Released, State::Rejected, Some(&reason), at).await? {
                continue;
            }
            late::alone(tx, row.application_id).await?;
            if let Some((number, draft)) = letter {
                entitlement::refuse_account(tx, row.application_id, &row.purpose).await?;
                notify::Draft::seal(draft, tx, seal, &number).await?.write(tx).await?;
            }
        }
        for (row, warning) in self.late {
            let hold = self.holds.entry(row.application_id).or_default();
            if late::settled(tx, clock, row.id, hold).await? {
                security_event::insert(tx, warning).await?;
            }
        }
        for warning in self.warnings {
            security_event::insert(tx, warning).await?;
        }
        Ok(())
    }
}

/// The message to a person whose account the bank refused; none where the account is not at fault.
pub(super) async fn refused(desk: &Desk, row: &payment::Model, reason: &str) -> Result<Option<Letter>, CaseError> {
    if !ACCOUNT_AT_FAULT.contains(&reason) {
        return Ok(None);
    }
    let application = record::row(desk, row.application_id.into()).await?;
    let number = application.number.clone().unwrap_or_default();
    let record = record::open(desk, &Who::System, Action::Notify, application).await?;
    let words = BTreeMap::from([
        ("period".to_owned(), row.period.clone()),
        ("reason".to_owned(), reason.to_owned()),
    ]);
    Ok(Some((
        number,
        notify::Draft::new(desk, &record, "account", words).keyed(row.id),
    )))
}
