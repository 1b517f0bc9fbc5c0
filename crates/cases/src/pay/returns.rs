//! Returns (退匯): the bank had paid, and the money came back. The payment becomes work again: the person gives another account,
//! and the same amount for the same month is tried once more.

use crate::boxed;
use std::collections::BTreeMap;

use civic::Money;
use civic::ids::PaymentId;
use exchange::iso20022::returns::{self, Return};
use sha2::{Digest as _, Sha256};
use store::Tx;
use store::seal::Seal;
use store::tables::payment::{self, State};
use store::tables::{entitlement, payment_part, payment_return};
use uuid::Uuid;

use super::{late, report};
use crate::guard::{self, Action};
use crate::staff::Staff;
use crate::{CaseError, Desk, notify};

/// Returns of one transaction.
const PAGE: usize = 500;
/// The reason under which a person is asked for another account where the bank's own says nothing of the account.
const OTHER_ACCOUNT: &str = "AC01";

/// What a file of returns changed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Imported {
    /// Payments that are work again.
    pub returned: u64,
    /// Their sum.
    pub sum: Money,
    /// Returns that were known.
    pub known: u64,
    /// Returns that fit no payment of ours: unknown, not paid, or of another amount. They are to be settled with the bank.
    pub unfit: u64,
}

/// Imports a file of returns. The same return again changes nothing.
///
/// # Errors
/// [`CaseError::Outside`] for a file that is none; [`CaseError::Refused`]; the store's.
#[boxed]
pub async fn import(desk: &Desk, staff: &Staff, bytes: &[u8]) -> Result<Imported, CaseError> {
    guard::office(desk, staff, Action::Pay)?;
    let found = returns::read(bytes).map_err(|error| CaseError::Outside {
        party: "bank",
        problem: error.to_string(),
    })?;
    let digest = hex::encode(Sha256::digest(bytes));
    let mut imported = Imported::default();
    for page in found.chunks(PAGE) {
        let rows = payment_part::by_ids(desk.store.read(), page.iter().map(|one| one.payment.uuid()).collect()).await?;
        let rows: BTreeMap<Uuid, payment::Model> = rows
            .into_iter()
            .filter(|row| guard::is_own(desk, staff, &row.service))
            .map(|row| (row.id, row))
            .collect();
        let mut steps = Vec::new();
        for one in page {
            match rows.get(&one.payment.uuid()) {
                Some(row) if row.state == State::Paid && row.amount == one.amount.0 => {
                    steps.push(Step::new(desk, staff, row, one, &digest).await?);
                }
                Some(row) if late::is_late(row) && row.amount == one.amount.0 => {
                    steps.push(Step::of_late(desk, staff, row, one, &digest));
                }
                Some(row) if row.state == State::Rejected && was_returned(desk, one.payment).await? => {
                    imported.known += 1;
                }
                _ => imported.unfit += 1,
            }
        }
        let seal = desk.store.seal().clone();
        let done = desk
            .store
            .write(move |tx| {
                Box::pin(async move {
                    let (mut count, mut sum) = (0_u64, 0_i64);
                    for step in steps {
                        let amount = step.kept.amount;
                        if step.write(tx, &seal).await? {
                            count += 1;
                            sum = sum.saturating_add(amount);
                        }
                    }
                    Ok::<_, CaseError>((count, sum))
                })
            })
            .await?;
        imported.returned += done.0;
        imported.sum = Money(imported.sum.0.saturating_add(done.1));
    }
    Ok(imported)
}

async fn was_returned(desk: &Desk, id: PaymentId) -> Result<bool, CaseError> {
    Ok(payment_return::by_payment(desk.store.read(), id.uuid())
        .await?
        .is_some())
}

/// One return with what has to be written for it.
struct Step {
    row: payment::Model,
    kept: payment_return::Model,
    letter: Option<report::Letter>,
}

impl Step {
    async fn new(
        desk: &Desk,
        staff: &Staff,
        row: &payment::Model,
        one: &Return,
        digest: &str,
    ) -> Result<Step, CaseError> {
        let letter = match report::refused(desk, row, &one.reason).await? {
            Some(letter) => Some(letter),
            None => report::refused(desk, row, OTHER_ACCOUNT).await?,
        };
        Ok(Step {
            letter,
            ..Step::of_late(desk, staff, row, one, digest)
        })
    }

    /// The return of a payment in whose place another attempt stands already: nobody is asked for another account.
    fn of_late(desk: &Desk, staff: &Staff, row: &payment::Model, one: &Return, digest: &str) -> Step {
        Step {
            row: row.clone(),
            letter: None,
            kept: payment_return::Model {
                payment_id: row.id,
                amount: row.amount,
                reason: one.reason.clone(),
                returned_on: one.on.to_string(),
                digest: digest.to_owned(),
                imported_by: staff.id.uuid(),
                imported_at: desk.now().as_microsecond(),
                paid_at: row.paid_at,
            },
        }
    }

    /// False when somebody imported the same return meanwhile.
    async fn write(self, tx: &Tx, seal: &Seal) -> Result<bool, CaseError> {
        let at = tx.now().as_microsecond();
        // the bank's word for what is settled is no reason of a return
        let reason = Some(self.kept.reason.clone()).filter(|code| code != late::LATE);
        if late::is_late(&self.row) {
            let came_back = late::came_back(tx, self.row.id, reason.as_deref()).await?;
            if came_back {
                payment_return::insert(tx, self.kept).await?;
            }
            return Ok(came_back);
        }
        if !payment::step(tx, self.row.id, State::Paid, State::Rejected, reason.as_deref(), at).await? {
            return Ok(false);
        }
        payment_return::insert(tx, self.kept).await?;
        late::alone(tx, self.row.application_id).await?;
        entitlement::refuse_account(tx, self.row.application_id, &self.row.purpose).await?;
        if let Some((number, draft)) = self.letter {
            notify::Draft::seal(draft, tx, seal, &number).await?.write(tx).await?;
        }
        Ok(true)
    }
}
