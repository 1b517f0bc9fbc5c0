//! Dispose (銷毀): when the purpose has ended, the key goes, and with it the data in every backup.

use crate::boxed;
use civic::ids::ApplicationId;
use store::tables::application;
use store::tables::{
    appeal, confirmation, consent, decision, delivery, entitlement, event, evidence, exclusion, letter, message,
    mydata_transaction, paper, payment, payment_hold, reuse, rights_request, roll_entry, round_entry, survey, ticket,
    visit, witness,
};

use crate::change::Change;
use crate::guard::{self, Action, Who};
use crate::transition::Act;
use crate::{CaseError, Desk};

/// How long it is kept who stood at which counter; the usage ledger keeps it longer.
const VISITS: jiff::SignedDuration = jiff::SignedDuration::from_hours(90 * 24);
/// How long an answered request about someone's data is kept: as long as the record of its use (個資法施行細則 §12 II ⑩).
const REQUESTS: jiff::SignedDuration = jiff::SignedDuration::from_hours(5 * 366 * 24);
/// Cases of one round.
const ROUND: u64 = 100;

/// Destroys the data of drafts nobody touched for 90 days and of closed cases past their retention; gives how many.
/// The measure, the books and the usage ledger stay.
///
/// # Errors
/// The store's; what was destroyed before stays destroyed.
#[boxed]
pub async fn run(desk: &Desk) -> Result<u64, CaseError> {
    let before = desk.now().checked_sub(VISITS).unwrap_or(jiff::Timestamp::MIN);
    let (before, today) = (before.as_microsecond(), desk.today().to_string());
    let requests = desk
        .now()
        .checked_sub(REQUESTS)
        .unwrap_or(jiff::Timestamp::MIN)
        .as_microsecond();
    desk.store
        .write(move |tx| {
            Box::pin(async move {
                visit::delete_before(tx, before).await?;
                exclusion::delete_ended(tx, &today).await?;
                rights_request::delete_answered(tx, requests).await?;
                Ok::<_, CaseError>(())
            })
        })
        .await?;
    let mut count = crate::find::follow::dispose(desk).await?;
    loop {
        let rows = application::disposable(
            desk.store.read(),
            desk.now().as_microsecond(),
            &desk.today().to_string(),
            ROUND,
        )
        .await?;
        let found = rows.len() as u64;
        for row in rows {
            match destroy(desk, row).await {
                // Somebody touched it in this moment; the next round looks again.
                Err(CaseError::Conflict(_)) => {}
                other => {
                    other?;
                    count += 1;
                }
            }
        }
        if found < ROUND {
            return Ok(count);
        }
    }
}

async fn destroy(desk: &Desk, row: application::Model) -> Result<(), CaseError> {
    let id = row.id;
    let mut change = Change::act(desk, &Who::System, &row, Act::Dispose)?;
    change.entries.push(guard::plain_entry(
        desk,
        &Who::System,
        Action::Dispose,
        ApplicationId::from_uuid(id),
        &row.service,
    ));
    change.row.answers = None;
    change.row.correction = None;
    change.row.person_id = None;
    change.row.measure_id = None;
    change.row.form_token = None;
    change.row.disposed_at = Some(desk.now().as_microsecond());
    desk.recent.forget(&id);
    let seal = desk.store.seal().clone();
    desk.store
        .write(move |tx| {
            Box::pin(async move {
                change.write(tx).await?;
                seal.destroy(tx, row.key_id.into(), "retention").await?;
                evidence::delete_of(tx, id).await?;
                mydata_transaction::delete_of(tx, id).await?;
                store::tables::wallet_request::delete_of(tx, id).await?;
                decision::delete_of(tx, id).await?;
                delivery::delete_of(tx, id).await?;
                message::delete_of(tx, id).await?;
                letter::delete_of(tx, id).await?;
                survey::delete_of(tx, id).await?;
                witness::delete_of(tx, id).await?;
                consent::delete_of(tx, id).await?;
                reuse::delete_of(tx, id).await?;
                store::tables::authorisation::case::delete_of(tx, id).await?;
                paper::delete_of(tx, id).await?;
                entitlement::delete_of(tx, id).await?;
                confirmation::delete_of(tx, id).await?;
                appeal::delete_of(tx, id).await?;
                // the amounts of adjustments and claims stay for the books, without the case's person
                store::tables::succession::delete_of(tx, id).await?;
                roll_entry::forget(tx, id).await?;
                ticket::delete_of(tx, id).await?;
                round_entry::delete_of(tx, id).await?;
                payment::forget(tx, id).await?;
                payment_hold::forget(tx, id).await?;
                event::forget(tx, id).await?;
                Ok(())
            })
        })
        .await
}
