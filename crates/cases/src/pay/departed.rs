//! Who is paid and left the register: when a new register of residents (居民底冊) no longer has a person who stood in the one before,
//! the payments of their cases are held until an officer has found out whether they died, moved away or were left out by mistake.
//!
//! The register does not say why somebody is missing, so nothing is ended; and nobody is held who never stood in it, because some
//! services are open to persons who live elsewhere.

use std::collections::HashSet;

use civic::ids::HoldId;
use store::outbox::{Outcome, Task};
use store::sea_orm::ConnectionTrait;
use store::tables::{application, payment_hold, payment_part, receiving};
use uuid::Uuid;

use super::hold;
use crate::change::Change;
use crate::guard::Who;
use crate::{CaseError, Desk, Month};

/// Kind of the work that holds the payments of a case.
pub(crate) const HOLD: &str = "payments.departed";

/// Who is paid now or later: the case, and the keyed hash of the national id.
pub(crate) async fn paid(desk: &Desk, db: &impl ConnectionTrait) -> Result<Vec<(Uuid, Vec<u8>)>, CaseError> {
    let month = Month::of(desk.today()).to_string();
    Ok(receiving::paid(db, &month).await?)
}

/// The work that holds the payments of each of these cases, for a register of this identifier.
pub(crate) fn tasks(cases: &HashSet<Uuid>, register: Uuid) -> Vec<Task> {
    let mut cases: Vec<&Uuid> = cases.iter().collect();
    cases.sort();
    let task = |case: &Uuid| Task::new(HOLD, format!("{HOLD}:{register}:{case}"), case);
    cases.into_iter().map(task).collect()
}

/// Holds the payments of a case, unless they are held or there are none to hold.
///
/// # Errors
/// The store's, after which the work is tried again.
pub(crate) async fn hold_case(desk: &Desk, case: Uuid) -> Result<Outcome, CaseError> {
    let Some(row) = application::by_id(desk.store.read(), case).await? else {
        return Ok(Outcome::Done);
    };
    let held = payment_hold::open_among(desk.store.read(), vec![case]).await?;
    if hold::approved(&row).is_err() || !held.is_empty() {
        return Ok(Outcome::Done);
    }
    let change = Change::note(desk, &Who::System, &row, "payments_held");
    let new = payment_hold::Model {
        id: HoldId::generate(desk.clock.as_ref()).uuid(),
        application_id: case,
        service: row.service,
        reason: None,
        until: None,
        made_by: None,
        made_at: desk.now().as_microsecond(),
        ended_by: None,
        ended_at: None,
    };
    let done = desk
        .store
        .write(move |tx| {
            Box::pin(async move {
                change.write(tx).await?;
                payment_hold::insert(tx, new).await?;
                payment_part::hold(tx, case, tx.now().as_microsecond()).await?;
                Ok::<_, CaseError>(())
            })
        })
        .await;
    match done {
        // an officer held them in this moment
        Err(CaseError::Store(error)) if error.is_duplicate() => Ok(Outcome::Done),
        Err(error) => Err(error),
        Ok(()) => Ok(Outcome::Done),
    }
}
