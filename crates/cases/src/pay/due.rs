//! What a month owes: one page of payments made from entitlements, in one transaction of the one writer.

use civic::Clock;
use civic::ids::PaymentId;
use store::Tx;
use store::tables::payment::{self, State};
use store::tables::payment_part::Sum;
use store::tables::{entitlement, payment_hold};
use uuid::Uuid;

use crate::CaseError;

/// Entitlements of one transaction.
pub(super) const PAGE: u64 = 500;

/// What a page made.
pub(super) struct Page {
    /// Payments made and their sum.
    pub made: Sum,
    /// The last entitlement looked at; nothing when none was left.
    pub last: Option<Uuid>,
}

/// Makes the payments of a month for the next entitlements that have none, of cases that stand as approved on the legal day `today`.
/// Those of cases on hold are held.
pub(super) async fn page(
    tx: &Tx,
    clock: &dyn Clock,
    service: &str,
    period: &str,
    today: &str,
    after: Option<Uuid>,
) -> Result<Page, CaseError> {
    // read inside the one writer, so that two cashiers at once find nothing twice
    let owing = entitlement::without_payment(tx, service, period, today, after, PAGE).await?;
    let open = owing.rows;
    let held = payment_hold::open_among(tx, open.iter().map(|one| one.application_id).collect()).await?;
    let at = tx.now().as_microsecond();
    let mut made = Sum::default();
    let rows: Vec<payment::Model> = open
        .iter()
        .map(|one| {
            let state = if held.contains(&one.application_id) {
                State::Held
            } else {
                State::Due
            };
            let row = of(one, period, state, PaymentId::generate(clock), at);
            made.count += 1;
            made.total = made.total.saturating_add(row.amount);
            row
        })
        .collect();
    if !rows.is_empty() {
        payment::insert(tx, rows).await?;
    }
    Ok(Page { made, last: owing.last })
}

/// The payment of a month.
fn of(entitlement: &entitlement::Model, period: &str, state: State, id: PaymentId, at: i64) -> payment::Model {
    payment::Model {
        id: id.uuid(),
        application_id: entitlement.application_id,
        service: entitlement.service.clone(),
        purpose: entitlement.purpose.clone(),
        period: period.to_owned(),
        amount: entitlement.amount,
        attempt: 1,
        end_to_end: id.uuid().simple().to_string(),
        state,
        part_id: None,
        batch_id: None,
        account: None,
        reason: None,
        made_at: at,
        changed_at: at,
        paid_at: None,
    }
}
