//! Rolls (名冊): what the city gives of its own motion, to everybody entitled, without an application.
//!
//! A roll is drawn up from the register of residents: everybody for whom the rules say *entitled* gets a case of their own, filled from the
//! register, unless they stand on the list of exclusions. Where the service names another office, that office confirms every line. Then the
//! persons are told; each may decline, give another account or object. At last somebody who did not draw it up grants the roll as a whole, and
//! letters, payments, survey and measures follow as for every case. Drawing, telling and granting are work of the outbox: they go on
//! where they stopped, and no line is made, told or granted twice.

mod confirm;
mod draw;
mod exclude;
mod grant;
mod person;
mod tell;
mod view;

pub use confirm::{Denial, confirm};
pub(crate) use draw::{DRAW, Pen, draw};
pub use exclude::{Excluded, Exclusion, LineError, exclude, exclusions, leave_out, readmit};
pub use grant::grant;
pub(crate) use grant::{GRANT, decide as grant_lines};
pub use person::{MyLine, object};
pub(crate) use person::{declined, is_told, of_case, payable};
pub use tell::tell;
pub(crate) use tell::{TELL, spread as tell_lines};
pub use view::{Area, LineRow, RollRow, RollView, confirmation, lines, list, view};

pub use store::tables::roll::State as RollState;
pub use store::tables::roll_entry::Standing;

use crate::boxed;
use std::sync::Arc;

use jiff::civil::Date;
use services::Service;
use services::roll::{Of, Roll, Rolls};
use store::Tx;
use store::outbox::Task;
use store::tables::{roll as table, roll_entry};
use uuid::Uuid;

use crate::guard::{self, Action};
use crate::staff::Staff;
use crate::{CaseError, Desk};

/// Reasons why somebody is left out of a roll.
pub const REASONS: [&str; 5] = ["deceased", "moved_away", "imprisoned", "receives_elsewhere", "other"];

/// Why whoever applied themself is left out.
const APPLIED: &str = "applied";

/// Refuses an application of somebody who stands on the roll of these days: they are given the same thing already. Asked in
/// the transaction of the submission, so that no roll is drawn up in between.
///
/// # Errors
/// [`CaseError::OnRoll`]; the store's.
pub(crate) async fn not_listed(tx: &Tx, service: &Service, today: Date, subject: &[u8]) -> Result<(), CaseError> {
    let given = service.rolls.iter().filter(|rolls| rolls.of == Of::Entitled);
    let rolls = given.flat_map(|rolls| &rolls.rolls);
    let Some(spec) = rolls.filter(|roll| roll.from <= today).max_by_key(|roll| roll.from) else {
        return Ok(());
    };
    match table::find(tx, &service.id, &spec.id).await? {
        Some(roll) if roll_entry::stands(tx, roll.id, subject).await? => Err(CaseError::OnRoll),
        _ => Ok(()),
    }
}

/// The rolls of a service and one of them.
fn find<'a>(service: &'a Service, roll: &str) -> Result<(&'a Rolls, &'a Roll), CaseError> {
    let rolls = service.rolls.as_ref().ok_or(CaseError::NotFound("roll"))?;
    let roll = rolls.get(roll).ok_or(CaseError::NotFound("roll"))?;
    Ok((rolls, roll))
}

/// A roll that was begun.
async fn begun(desk: &Desk, service: &Service, roll: &str) -> Result<table::Model, CaseError> {
    table::find(desk.store.read(), &service.id, roll)
        .await?
        .ok_or(CaseError::NotFound("roll"))
}

fn refuse(problem: &'static str) -> CaseError {
    CaseError::Input { field: "roll", problem }
}

/// Name of the key that seals the lists of exclusions.
const EXCLUSIONS: &str = "exclusions";

/// Draws a roll up (造冊) from the register there is.
///
/// # Errors
/// [`CaseError::Input`] before its first day or without a register; [`CaseError::Conflict`] when it was begun before;
/// [`CaseError::Refused`]; the store's.
#[boxed]
pub async fn begin(desk: &Desk, staff: &Staff, service: &str, roll: &str) -> Result<(), CaseError> {
    let service = Arc::clone(desk.service(service)?);
    guard::office_of(desk, staff, Action::Roll, &service)?;
    let (_, roll) = find(&service, roll)?;
    if desk.today() < roll.from {
        return Err(refuse("too_early"));
    }
    let register = crate::register::summary(desk).await?.ok_or(refuse("no_register"))?;
    let id = Uuid::now_v7();
    let row = table::Model {
        id,
        service: service.id.clone(),
        roll: roll.id.clone(),
        state: RollState::Drawing,
        reference_date: roll.reference_date.to_string(),
        service_digest: service.digest.clone(),
        as_of: register.as_of.to_string(),
        differing: 0,
        made_at: desk.now().as_microsecond(),
        made_by: staff.id.uuid(),
        confirmed_at: None,
        confirmed_by: None,
        told_at: None,
        object_until: None,
        granted_at: None,
        granted_by: None,
        revision: 1,
    };
    let written = desk
        .store
        .write(move |tx| {
            Box::pin(async move {
                table::insert(tx, row).await?;
                store::outbox::put(tx, Task::new(DRAW, format!("{DRAW}:{id}"), &id)).await?;
                Ok::<_, CaseError>(())
            })
        })
        .await;
    match written {
        Err(CaseError::Store(error)) if error.is_duplicate() => Err(CaseError::Conflict("roll")),
        other => other,
    }
}

/// Writes a roll in its next state, with the work that follows.
pub(crate) async fn step(tx: &Tx, row: table::Model, task: Option<Task>) -> Result<(), CaseError> {
    if !table::replace(tx, &row).await? {
        return Err(CaseError::Conflict("roll"));
    }
    if let Some(task) = task {
        store::outbox::put(tx, task).await?;
    }
    Ok(())
}
