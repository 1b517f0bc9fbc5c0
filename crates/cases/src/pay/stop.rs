//! Stops (停止給付): an officer ends what a case is paid after a month, because the person died, moved away or is not entitled any
//! more. What was due for later months is gone; what was paid for them already is claimed back.

use crate::boxed;
use std::collections::BTreeMap;
use std::sync::Arc;

use civic::Language;
use civic::ids::ApplicationId;
use store::tables::{entitlement, payment_part};

use super::{hold, late};
use crate::change::{Change, same_revision};
use crate::guard::{self, Action};
use crate::staff::Staff;
use crate::{CaseError, Desk, Month, notify, record, succession};

/// Ends the payments of a case with those of the month `last`, and tells the person. What waits in a batch for a later month keeps
/// the batch from being released.
///
/// # Errors
/// [`CaseError::Input`] without a reason, where nothing reaches beyond the month, or for a case that is not approved;
/// [`CaseError::Conflict`] when the case was changed; [`CaseError::Refused`]; the store's.
#[boxed]
pub async fn stop(
    desk: &Desk,
    staff: &Staff,
    id: ApplicationId,
    revision: i64,
    reason: &str,
    last: Month,
) -> Result<(), CaseError> {
    let reason = hold::checked(reason)?;
    let row = record::row(desk, id).await?;
    let record = record::open(desk, &staff.who(), Action::Decide, row).await?;
    same_revision(&record.row, revision)?;
    hold::approved(&record.row)?;
    let end = last.to_string();
    let mut spans = entitlement::of_application(desk.store.read(), id.uuid()).await?;
    spans.retain(|span| span.last_month > end);
    if spans.is_empty() {
        return Err(CaseError::Input {
            field: "last",
            problem: "ended",
        });
    }
    let mut change = Change::note(desk, &staff.who(), &record.row, "payments_stopped");
    change.say(desk, reason).await?;
    let subject = guard::subject(desk, &record).await?;
    change.entries.push(guard::entry(
        desk,
        &staff.who(),
        Action::Decide,
        id,
        &record.service,
        subject,
        &["payments_stopped"],
    ));
    let language: Language = record.row.language.parse().unwrap_or_default();
    let named = if language == Language::ZhTw {
        format!("{}年{}月", last.roc_year(), last.number())
    } else {
        end.clone()
    };
    let message = notify::Draft::new(
        desk,
        &record,
        "stopped",
        BTreeMap::from([("last".to_owned(), named), ("reason".to_owned(), reason.to_owned())]),
    );
    let number = record.row.number.clone().unwrap_or_default();
    let (seal, clock) = (desk.store.seal().clone(), Arc::clone(&desk.clock));
    let service = record.service.id.clone();
    desk.store
        .write(move |tx| {
            Box::pin(async move {
                change.write(tx).await?;
                for span in spans {
                    if span.first_month > end {
                        entitlement::delete(tx, span.id).await?;
                    } else {
                        entitlement::amend(tx, span.id, span.amount, &span.first_month, &end).await?;
                    }
                }
                payment_part::drop_uncovered(tx, id.uuid()).await?;
                late::alone(tx, id.uuid()).await?;
                succession::overpaid(tx, clock.as_ref(), id.uuid(), &service, &end).await?;
                message.seal(tx, &seal, &number).await?.write(tx).await
            })
        })
        .await
}
