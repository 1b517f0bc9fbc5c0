//! What time does to authorisations: they end on their last day, offers lapse, and in the end the names are destroyed.

use jiff::{SignedDuration, Timestamp};
use store::tables::{authorisation, notice};

use super::take;
use crate::{CaseError, Desk};

/// Authorisations of one round.
const ROUND: u64 = 100;

/// Ends what is overdue and destroys the names of what is past its retention; gives how many.
///
/// # Errors
/// The store's; what was done before stays done.
pub(crate) async fn tidy(desk: &Desk) -> Result<u64, CaseError> {
    let (now, today) = (desk.now(), desk.today().to_string());
    let before = |length: SignedDuration| now.checked_sub(length).unwrap_or(Timestamp::MIN).as_microsecond();
    let offer = before(SignedDuration::from_hours(desk.agents.accept_days.saturating_mul(24)));
    let mut count = 0;
    for (state, offered_before) in [("offered", offer), ("accepted", i64::MIN)] {
        loop {
            let rows = authorisation::overdue(desk.store.read(), state, &today, offered_before, ROUND).await?;
            let found = rows.len();
            count += end(desk, rows).await?;
            if found < usize::try_from(ROUND).unwrap_or(usize::MAX) {
                break;
            }
        }
    }
    let idle = authorisation::idle(desk.store.read(), before(desk.agents.idle()), ROUND).await?;
    count += end(desk, idle).await?;
    loop {
        let rows = authorisation::disposable(desk.store.read(), &today, ROUND).await?;
        let found = rows.len();
        for row in rows {
            count += u64::from(destroy(desk, row).await?);
        }
        if found < usize::try_from(ROUND).unwrap_or(usize::MAX) {
            return Ok(count);
        }
    }
}

async fn end(desk: &Desk, rows: Vec<authorisation::Model>) -> Result<u64, CaseError> {
    let mut count = 0;
    for row in rows {
        match take::end(desk, row, "time", None).await {
            // Ended in this very moment.
            Err(CaseError::Conflict(_)) => {}
            other => {
                other?;
                count += 1;
            }
        }
    }
    Ok(count)
}

/// Destroys the key, and with it the names and the notices in every backup. When and for which services stays.
async fn destroy(desk: &Desk, row: authorisation::Model) -> Result<bool, CaseError> {
    let seal = desk.store.seal().clone();
    let key = row.key_id;
    let mut next = row;
    next.state = "disposed".to_owned();
    next.principal_id = None;
    next.agent_lookup = None;
    next.agent_id = None;
    next.sealed = None;
    next.password = None;
    let done = desk
        .store
        .write(move |tx| {
            Box::pin(async move {
                if !authorisation::replace(tx, &next).await? {
                    return Err(CaseError::Conflict("authorisation"));
                }
                notice::delete_of(tx, next.id).await?;
                authorisation::case::forget(tx, next.id).await?;
                seal.destroy(tx, key.into(), "retention").await?;
                Ok(())
            })
        })
        .await;
    match done {
        Err(CaseError::Conflict(_)) => Ok(false),
        other => other.map(|()| true),
    }
}
