//! Settling (結算): what the decision of a later case gives takes the place of what earlier ones gave, from its month on. Months
//! that were paid already are compared: what was paid too little is paid now, what was paid too much is claimed back.

use std::collections::{BTreeMap, BTreeSet};

use civic::Clock;
use civic::ids::PaymentId;
use store::Tx;
use store::tables::payment::{self, State};
use store::tables::succession::{self as table, Model};
use store::tables::{adjustment, claim, claim_line, entitlement, payment_hold, payment_part};
use uuid::Uuid;

use crate::CaseError;
use crate::history::month;

/// A month of an amount: what is owed, and what was paid.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Owed {
    owed: i64,
    paid: i64,
}

/// What comes of the amounts of one month.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Outcome {
    /// What is paid now, by purpose.
    back_pay: Vec<(String, i64)>,
    /// What was paid too much in all.
    too_much: i64,
}

/// Compares one month: what was paid too much of one amount is first taken from what was paid too little of another.
fn compare(month: &BTreeMap<String, Owed>) -> Outcome {
    let mut left = month.values().fold(0_i64, |sum, one| {
        sum.saturating_add(one.paid.saturating_sub(one.owed).max(0))
    });
    let mut outcome = Outcome::default();
    for (purpose, one) in month {
        let missing = one.owed.saturating_sub(one.paid).max(0);
        let taken = missing.min(left);
        left -= taken;
        if missing > taken {
            outcome.back_pay.push((purpose.clone(), missing - taken));
        }
    }
    outcome.too_much = left;
    outcome
}

/// The month before one that is written as `YYYY-MM`.
fn before(text: &str) -> Result<String, CaseError> {
    Ok(month("succession", text)?.plus(-1).to_string())
}

/// Whether money of a payment has left, or may have.
fn has_left(row: &payment::Model) -> bool {
    matches!(row.state, State::Released | State::Paid)
}

/// Puts the decision of a later case into the place of the earlier ones; `new` is what it gives, nothing where it refuses.
///
/// # Errors
/// The store's.
pub(crate) async fn settle(
    tx: &Tx,
    clock: &dyn Clock,
    link: &Model,
    service: &str,
    new: Vec<entitlement::Model>,
) -> Result<(), CaseError> {
    let own = link.application_id;
    let links = table::of_root(tx, link.root).await?;
    // a decision that was made in the meantime for a later month stands from that month on
    let next = links
        .iter()
        .filter(|other| other.application_id != own && other.settled_at.is_some())
        .map(|other| other.from_month.clone())
        .filter(|from| *from > link.from_month)
        .min();
    let until = next.as_deref().map(before).transpose()?;
    let within = |month: &str| month >= link.from_month.as_str() && until.as_deref().is_none_or(|until| month <= until);

    let mut others = vec![link.root];
    others.extend(links.iter().map(|other| other.application_id).filter(|id| *id != own));
    withdraw(tx, own).await?;
    let last = before(&link.from_month)?;
    let mut months: BTreeMap<String, BTreeMap<String, Owed>> = BTreeMap::new();
    for other in &others {
        for span in entitlement::of_application(tx, *other).await? {
            if within(&span.first_month) {
                entitlement::delete(tx, span.id).await?;
            } else if span.first_month < link.from_month && span.last_month >= link.from_month {
                entitlement::amend(tx, span.id, span.amount, &span.first_month, &last).await?;
            }
        }
        payment_part::drop_uncovered(tx, *other).await?;
    }
    for case in others.iter().chain([&own]) {
        for row in payment::of_application(tx, *case).await? {
            if within(&row.period) && has_left(&row) {
                let one = months.entry(row.period).or_default().entry(row.purpose).or_default();
                one.paid = one.paid.saturating_add(row.amount);
            }
        }
    }
    let mut spans = Vec::with_capacity(new.len());
    for mut span in new {
        if let Some(until) = &until
            && span.last_month > *until
        {
            span.last_month.clone_from(until);
        }
        if span.first_month <= span.last_month {
            spans.push(span);
        }
    }
    for (period, amounts) in &mut months {
        for span in spans.iter().filter(|span| span.covers(&span.purpose, period)) {
            amounts.entry(span.purpose.clone()).or_default().owed = span.amount;
        }
    }
    for span in spans {
        entitlement::insert(tx, span).await?;
    }
    pay_back(tx, clock, own, service, &months).await?;
    table::settle(tx, own, tx.now().as_microsecond()).await?;
    Ok(())
}

/// Takes back what an earlier decision on the same case came to: a decision made anew settles everything again.
async fn withdraw(tx: &Tx, case: Uuid) -> Result<(), CaseError> {
    for span in entitlement::of_application(tx, case).await? {
        entitlement::delete(tx, span.id).await?;
    }
    payment_part::drop_uncovered(tx, case).await?;
    adjustment::delete_of(tx, case).await?;
    for mut row in claim::of_application(tx, case).await? {
        match row.state {
            claim::State::Found => claim::delete(tx, row.id).await?,
            claim::State::Told => {
                row.state = claim::State::Waived;
                row.changed_at = tx.now().as_microsecond();
                if !claim::replace(tx, &row).await? {
                    return Err(CaseError::Conflict("claim"));
                }
            }
            claim::State::Settled | claim::State::Waived => {}
        }
    }
    Ok(())
}

/// Notes the months that were paid before, pays what is missing and claims what was too much.
async fn pay_back(
    tx: &Tx,
    clock: &dyn Clock,
    case: Uuid,
    service: &str,
    months: &BTreeMap<String, BTreeMap<String, Owed>>,
) -> Result<(), CaseError> {
    let at = tx.now().as_microsecond();
    let held = !payment_hold::open_among(tx, vec![case]).await?.is_empty();
    // what this case itself was paid for a month stands; its difference can't go out under the same month again
    let own: BTreeSet<(String, String)> = payment::of_application(tx, case)
        .await?
        .into_iter()
        .filter(|row| row.state != State::Rejected)
        .map(|row| (row.period, row.purpose))
        .collect();
    let (mut rows, mut due, mut lines) = (Vec::new(), Vec::new(), Vec::new());
    for (period, amounts) in months {
        rows.extend(amounts.iter().map(|(purpose, one)| adjustment::Model {
            application_id: case,
            purpose: purpose.clone(),
            period: period.clone(),
            owed: one.owed,
            paid: one.paid,
        }));
        let outcome = compare(amounts);
        for (purpose, amount) in outcome.back_pay {
            if own.contains(&(period.clone(), purpose.clone())) {
                continue;
            }
            let id = PaymentId::generate(clock);
            due.push(payment::Model {
                id: id.uuid(),
                application_id: case,
                service: service.to_owned(),
                purpose,
                period: period.clone(),
                amount,
                attempt: 1,
                end_to_end: id.uuid().simple().to_string(),
                state: if held { State::Held } else { State::Due },
                part_id: None,
                batch_id: None,
                account: None,
                reason: None,
                made_at: at,
                changed_at: at,
                paid_at: None,
            });
        }
        if outcome.too_much > 0 {
            lines.push((period.clone(), outcome.too_much));
        }
    }
    adjustment::insert(tx, rows).await?;
    if !due.is_empty() {
        payment::insert(tx, due).await?;
    }
    claimed(tx, clock, case, service, lines).await
}

/// Claims back what a case was paid for months after `last`, once. Months of an earlier claim are left out.
///
/// # Errors
/// The store's.
pub(crate) async fn overpaid(
    tx: &Tx,
    clock: &dyn Clock,
    case: Uuid,
    service: &str,
    last: &str,
) -> Result<(), CaseError> {
    let mut known = BTreeSet::new();
    for earlier in claim::of_application(tx, case).await? {
        known.extend(
            claim_line::of_claim(tx, earlier.id)
                .await?
                .into_iter()
                .map(|line| line.period),
        );
    }
    let mut months: BTreeMap<String, i64> = BTreeMap::new();
    for row in payment::of_application(tx, case).await? {
        if row.period.as_str() > last && has_left(&row) && !known.contains(&row.period) {
            let sum = months.entry(row.period).or_default();
            *sum = sum.saturating_add(row.amount);
        }
    }
    claimed(tx, clock, case, service, months.into_iter().collect()).await
}

/// Opens a claim of a case over these months, each with what was paid too much; nothing where that is nothing.
///
/// # Errors
/// The store's.
pub(crate) async fn claimed(
    tx: &Tx,
    clock: &dyn Clock,
    case: Uuid,
    service: &str,
    lines: Vec<(String, i64)>,
) -> Result<(), CaseError> {
    let total = lines.iter().fold(0_i64, |sum, (_, amount)| sum.saturating_add(*amount));
    if total == 0 {
        return Ok(());
    }
    let (id, at) = (PaymentId::generate(clock).uuid(), tx.now().as_microsecond());
    let row = claim::Model {
        id,
        application_id: case,
        service: service.to_owned(),
        state: claim::State::Found,
        total,
        recovered: 0,
        due: None,
        made_at: at,
        told_by: None,
        changed_at: at,
        revision: 1,
    };
    claim::insert(tx, row).await?;
    let lines = lines.into_iter().map(|(period, amount)| claim_line::Model {
        claim_id: id,
        period,
        amount,
    });
    claim_line::insert(tx, lines.collect()).await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use proptest::prelude::*;

    use super::*;

    fn month(amounts: &[(&str, i64, i64)]) -> BTreeMap<String, Owed> {
        let one = |(name, owed, paid): &(&str, i64, i64)| {
            (
                (*name).to_owned(),
                Owed {
                    owed: *owed,
                    paid: *paid,
                },
            )
        };
        amounts.iter().map(one).collect()
    }

    #[test]
    fn what_is_missing_is_paid_and_what_is_too_much_is_claimed() {
        let outcome = compare(&month(&[("aid", 8_329, 4_164)]));
        assert_eq!(
            (outcome.back_pay, outcome.too_much),
            (vec![("aid".to_owned(), 4_165)], 0)
        );
        let outcome = compare(&month(&[("aid", 4_164, 8_329)]));
        assert_eq!((outcome.back_pay, outcome.too_much), (Vec::new(), 4_165));
        let outcome = compare(&month(&[("aid", 0, 8_329)]));
        assert_eq!(outcome.too_much, 8_329);
    }

    #[test]
    fn amounts_of_one_month_are_set_off_against_each_other() {
        // from family aid to child aid: only the difference moves
        let outcome = compare(&month(&[("child", 3_000, 0), ("family", 0, 7_000)]));
        assert_eq!((outcome.back_pay, outcome.too_much), (Vec::new(), 4_000));
        let outcome = compare(&month(&[("child", 9_000, 0), ("family", 0, 7_000)]));
        assert_eq!(
            (outcome.back_pay, outcome.too_much),
            (vec![("child".to_owned(), 2_000)], 0)
        );
    }

    proptest! {
        /// Nothing is lost: paid before, less what is claimed, and what is paid now come to what is owed.
        #[test]
        fn the_month_comes_to_what_is_owed(amounts in prop::collection::vec((0_i64..100_000, 0_i64..100_000), 0..6)) {
            let amounts: BTreeMap<String, Owed> = amounts
                .into_iter()
                .enumerate()
                .map(|(at, (owed, paid))| (at.to_string(), Owed { owed, paid }))
                .collect();
            let outcome = compare(&amounts);
            let sum = |of: fn(&Owed) -> i64| amounts.values().map(of).sum::<i64>();
            let now: i64 = outcome.back_pay.iter().map(|(_, amount)| amount).sum();
            prop_assert_eq!(sum(|one| one.paid) - outcome.too_much + now, sum(|one| one.owed));
            prop_assert!(outcome.too_much == 0 || now == 0);
            prop_assert!(outcome.back_pay.iter().all(|(_, amount)| *amount > 0));
        }
    }
}
