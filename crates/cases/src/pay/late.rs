//! Contradictions of the bank (銀行前後回報不一致): a payment is refused first and reported as paid afterwards. Where nothing
//! took its place it is paid. Where the next attempt has not left, the payments of the case are held until an officer has asked
//! the bank; where it has left, the same month was paid twice and is claimed back.

use civic::Clock;
use civic::ids::{HoldId, SecurityEventId};
use store::Tx;
use store::seal::Place;
use store::tables::payment::{self, State};
use store::tables::{claim, claim_line, payment_hold, payment_part, payment_return, security_event};
use uuid::Uuid;

use crate::change::Change;
use crate::guard::{self, Action};
use crate::staff::Staff;
use crate::{CaseError, Desk, record, succession};

/// Reason of a refused payment that the bank afterwards says it has paid, while another attempt stands; the bank's own code of
/// a settled payment (ISO 20022).
pub(super) const LATE: &str = "ACSC";
/// Reason of the hold, for the officer who asks the bank.
const WHY: &str = "銀行先回報退匯，後來又回報已入帳，請向銀行查明。確實已入帳的，直接恢復給付，等待再次撥付的那一筆會自動取消；\
                   沒有入帳的，先匯入銀行的退匯檔，再恢復給付。那一筆如果在還沒放行的清冊裡，要先解散清冊。";

/// Whether the bank says that it has paid this refused payment, while another attempt stands.
pub(super) fn is_late(row: &payment::Model) -> bool {
    row.state == State::Rejected && row.reason.as_deref() == Some(LATE)
}

/// The warning to the administrator that the bank contradicts itself.
pub(super) fn warning(desk: &Desk, case: Uuid, detail: &str) -> security_event::Model {
    security_event::Model {
        id: SecurityEventId::generate(desk.clock.as_ref()).uuid(),
        at: desk.now().as_microsecond(),
        kind: "payment.contradicted".to_owned(),
        severity: "warning".to_owned(),
        application_id: Some(case),
        origin: None,
        detail: detail.to_owned(),
    }
}

/// A hold of a case with its place in the history, to be written where it is needed.
pub(super) struct Hold {
    change: Change,
    row: payment_hold::Model,
}

impl Hold {
    /// The hold of a case, made by who imports the report.
    pub(super) async fn new(desk: &Desk, staff: &Staff, case: Uuid) -> Result<Hold, CaseError> {
        let application = record::row(desk, case.into()).await?;
        let mut change = Change::note(desk, &staff.who(), &application, "payments_held");
        let id = HoldId::generate(desk.clock.as_ref()).uuid();
        // what was disposed of has no key any more
        let reason = if application.state == crate::State::Disposed {
            None
        } else {
            change.say(desk, WHY).await?;
            let place = Place::new("payment_hold", "reason", &id);
            Some(record::seal(desk, desk.store.read(), application.key_id.into(), place, &WHY).await?)
        };
        change.entries.push(guard::plain_entry(
            desk,
            &staff.who(),
            Action::Pay,
            case.into(),
            &application.service,
        ));
        Ok(Hold {
            row: payment_hold::Model {
                id,
                application_id: case,
                service: application.service,
                reason,
                until: None,
                made_by: Some(staff.id.uuid()),
                made_at: desk.now().as_microsecond(),
                ended_by: None,
                ended_at: None,
            },
            change,
        })
    }

    async fn write(self, tx: &Tx) -> Result<(), CaseError> {
        self.change.write(tx).await?;
        payment_hold::insert(tx, self.row).await?;
        Ok(())
    }
}

/// The payment of the same amount and month that the bank has not refused; there is at most one.
async fn standing(tx: &Tx, row: &payment::Model) -> Result<Option<payment::Model>, CaseError> {
    let rows = payment::of_application(tx, row.application_id).await?;
    let is_same = |one: &payment::Model| one.period == row.period && one.purpose == row.purpose;
    Ok(rows
        .into_iter()
        .find(|one| is_same(one) && one.state != State::Rejected))
}

async fn claim_back(tx: &Tx, clock: &dyn Clock, row: &payment::Model) -> Result<(), CaseError> {
    let lines = vec![(row.period.clone(), row.amount)];
    succession::claimed(tx, clock, row.application_id, &row.service, lines).await
}

/// Takes a claim back that nobody was told of, where it is of this payment alone.
async fn withdraw_claim(tx: &Tx, row: &payment::Model) -> Result<(), CaseError> {
    for found in claim::of_application(tx, row.application_id).await? {
        let lines = claim_line::of_claim(tx, found.id).await?;
        let is_of = matches!(lines.as_slice(), [line] if line.period == row.period && line.amount == row.amount);
        if found.state == claim::State::Found && is_of {
            claim::delete(tx, found.id).await?;
            break;
        }
    }
    Ok(())
}

/// The bank says that it has paid what it had refused; false where that is known, or where the money came back since. `hold` is
/// taken where it is needed.
///
/// # Errors
/// [`CaseError::Conflict`] when the case was changed since the hold was prepared; the store's.
pub(super) async fn settled(tx: &Tx, clock: &dyn Clock, id: Uuid, hold: &mut Option<Hold>) -> Result<bool, CaseError> {
    let Some(row) = payment::by_id(tx, id).await? else {
        return Ok(false);
    };
    if row.state != State::Rejected || is_late(&row) || payment_return::by_payment(tx, id).await?.is_some() {
        return Ok(false);
    }
    let at = tx.now().as_microsecond();
    let Some(other) = standing(tx, &row).await? else {
        payment::step(tx, id, State::Rejected, State::Paid, None, at).await?;
        return Ok(true);
    };
    payment::step(tx, id, State::Rejected, State::Rejected, Some(LATE), at).await?;
    if matches!(other.state, State::Released | State::Paid) {
        claim_back(tx, clock, &row).await?;
        return Ok(true);
    }
    let held = payment_hold::open_among(tx, vec![row.application_id]).await?;
    if held.is_empty()
        && let Some(hold) = hold.take()
    {
        hold.write(tx).await?;
    }
    payment_part::hold(tx, row.application_id, at).await?;
    Ok(true)
}

/// A hold ends: what the bank says it has paid stands as paid, and the attempt that waited in its place is taken out. Where the
/// money came back in the meantime the import of the return has said so, and that attempt goes out.
///
/// # Errors
/// [`CaseError::Conflict`] while that attempt is in a batch, which has to be dissolved first; the store's.
pub(super) async fn resolve(tx: &Tx, clock: &dyn Clock, case: Uuid) -> Result<(), CaseError> {
    let at = tx.now().as_microsecond();
    let mut rows = payment::of_application(tx, case).await?;
    rows.retain(is_late);
    let mut resolved: Vec<Uuid> = Vec::new();
    for row in rows {
        let Some(other) = standing(tx, &row).await? else {
            continue;
        };
        match other.state {
            State::Due | State::Held => {
                if !payment::take_out(tx, other.id).await? {
                    return Err(CaseError::Conflict("batch"));
                }
                payment::step(tx, row.id, State::Rejected, State::Paid, None, at).await?;
                resolved.push(row.id);
            }
            State::Batched => return Err(CaseError::Conflict("batch")),
            // two refused attempts of one month were paid after all
            State::Paid if resolved.contains(&other.id) => claim_back(tx, clock, &row).await?,
            // it had left when the bank said so, and is claimed back
            State::Released | State::Paid | State::Rejected => {}
        }
    }
    alone(tx, case).await
}

/// What the bank says it has paid stands as paid where no other attempt does any more, because that one was refused, came back
/// or is gone; and it is not claimed back.
///
/// # Errors
/// The store's.
pub(super) async fn alone(tx: &Tx, case: Uuid) -> Result<(), CaseError> {
    let mut rows = payment::of_application(tx, case).await?;
    rows.retain(is_late);
    for row in rows {
        if standing(tx, &row).await?.is_none() {
            let at = tx.now().as_microsecond();
            payment::step(tx, row.id, State::Rejected, State::Paid, None, at).await?;
            withdraw_claim(tx, &row).await?;
        }
    }
    Ok(())
}

/// Money came back of a payment that the bank had refused first and reported as paid afterwards: it is refused once more. False
/// where it is not such a payment.
///
/// # Errors
/// The store's.
pub(super) async fn came_back(tx: &Tx, id: Uuid, reason: Option<&str>) -> Result<bool, CaseError> {
    let Some(row) = payment::by_id(tx, id).await?.filter(is_late) else {
        return Ok(false);
    };
    let at = tx.now().as_microsecond();
    payment::step(tx, id, State::Rejected, State::Rejected, reason, at).await?;
    withdraw_claim(tx, &row).await?;
    Ok(true)
}
