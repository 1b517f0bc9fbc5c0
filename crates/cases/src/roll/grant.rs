//! The decision on a whole roll (核定), by somebody else than who drew it up.

use crate::boxed;
use std::time::Instant;

use jiff::SignedDuration;
use store::outbox::{Outcome, Task};
use store::tables::roll_entry::Standing;
use store::tables::{roll as table, roll_entry};
use uuid::Uuid;

use super::tell::OPEN;
use super::{RollState, begun, find, refuse, step};
use crate::change::Change;
use crate::guard::{self, Action, Who};
use crate::jobs::{CHUNK, SITTING};
use crate::notify::letter;
use crate::record;
use crate::staff::{self, Staff};
use crate::transition::{Act, State};
use crate::{CaseError, Desk};

/// Kind of the work that decides every line of a roll.
pub(crate) const GRANT: &str = "roll.grant";

/// Grants the roll: every line that still stands is approved. Lines whose person objects are decided one by one.
///
/// # Errors
/// [`CaseError::Input`] before the persons were told and their time is over; [`CaseError::Refused`] for who drew it up;
/// [`CaseError::Conflict`]; the store's.
#[boxed]
pub async fn grant(desk: &Desk, staff: &Staff, service: &str, roll: &str, revision: i64) -> Result<(), CaseError> {
    let service = desk.service(service)?;
    let (rolls, roll) = find(service, roll)?;
    let mut row = begun(desk, service, &roll.id).await?;
    guard::grant(desk, staff, service, &row)?;
    let ready = match (rolls.object_days, &rolls.confirm) {
        (0, None) => row.state == RollState::Drawn,
        (0, Some(_)) => row.state == RollState::Confirmed,
        _ => row.state == RollState::Told,
    };
    if !ready {
        return Err(refuse("not_ready"));
    }
    let over = row
        .object_until
        .as_ref()
        .is_none_or(|until| *until < desk.today().to_string());
    if !over {
        return Err(refuse("still_open"));
    }
    if row.revision != revision {
        return Err(CaseError::Conflict("roll"));
    }
    row.state = RollState::Granting;
    row.granted_by = Some(staff.id.uuid());
    let id = row.id;
    desk.store
        .write(move |tx| {
            Box::pin(async move { step(tx, row, Some(Task::new(GRANT, format!("{GRANT}:{id}"), &id))).await })
        })
        .await
}

/// The work of granting, from where it stopped.
///
/// # Errors
/// The store's.
pub(crate) async fn decide(desk: &Desk, id: Uuid) -> Result<Outcome, CaseError> {
    let Some(mut roll) = table::by_id(desk.store.read(), id).await? else {
        return Ok(Outcome::Done);
    };
    if roll.state != RollState::Granting {
        return Ok(Outcome::Done);
    }
    let by = match roll.granted_by {
        Some(by) => staff::all(desk).await?.into_iter().find(|one| one.id.uuid() == by),
        None => None,
    };
    let who = by.map_or(Who::System, |staff| staff.who());
    let (mut after, started) = (None, Instant::now());
    loop {
        let lines = roll_entry::page(desk.store.read(), id, &OPEN, after, CHUNK as u64).await?;
        let Some(last) = lines.last() else { break };
        after = Some(last.id);
        chunk(desk, &who, lines).await?;
        if started.elapsed() > SITTING {
            return Ok(Outcome::Later(SignedDuration::ZERO));
        }
    }
    roll.state = RollState::Granted;
    roll.granted_at = Some(desk.now().as_microsecond());
    desk.store
        .write(move |tx| Box::pin(async move { step(tx, roll, None).await }))
        .await?;
    Ok(Outcome::Done)
}

async fn chunk(desk: &Desk, who: &Who, lines: Vec<roll_entry::Model>) -> Result<(), CaseError> {
    let at = desk.now().as_microsecond();
    let due = desk.now().checked_add(desk.city.grace).unwrap_or(desk.now());
    let mut changes = Vec::with_capacity(lines.len());
    for line in lines {
        let Some(application) = line.application_id else {
            continue;
        };
        let row = record::row(desk, application.into()).await?;
        if row.state != State::Submitted {
            // declined or taken up by an officer in this moment
            continue;
        }
        let service = desk.service(&row.service)?;
        let mut change = Change::act(desk, who, &row, Act::Grant)?;
        change.row.decided_at = Some(at);
        change.row.outcome = Some("approved".to_owned());
        let task = Task::new(letter::DECISION, letter::key(row.id, at), &(row.id, at));
        change.tasks.push(task.due(due));
        change.entries.push(guard::entry(
            desk,
            who,
            Action::Decide,
            application.into(),
            service,
            line.subject.clone().try_into().ok(),
            &["granted"],
        ));
        changes.push((line, change));
    }
    desk.store
        .write(move |tx| {
            Box::pin(async move {
                for (line, change) in changes {
                    if !roll_entry::step(tx, line.id, line.standing, Standing::Granted, None).await? {
                        return Err(CaseError::Conflict("roll"));
                    }
                    change.write(tx).await?;
                }
                Ok(())
            })
        })
        .await
}
