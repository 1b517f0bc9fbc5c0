//! The other office confirms what it knows of each line (會核).

use crate::boxed;
use std::collections::HashMap;

use store::tables::roll_entry::{self, Standing};

use super::exclude::{self, Out};
use super::{RollState, begun, find, refuse, step};
use crate::guard;
use crate::staff::Staff;
use crate::{CaseError, Desk};

/// A line with which the other office does not agree: the number of its case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Denial {
    /// Number of the case.
    pub number: String,
}

/// Most denials at once.
const MOST: usize = 5_000;

/// Confirms a roll but for some of its lines, which are left out. Either all of it counts or nothing.
///
/// # Errors
/// [`CaseError::Input`] while the roll is not drawn up, or for too many denials; [`CaseError::NotFound`] for a number that does
/// not stand on it; [`CaseError::Conflict`]; [`CaseError::Refused`] for everybody but the office named; the store's.
#[boxed]
pub async fn confirm(
    desk: &Desk,
    staff: &Staff,
    service: &str,
    roll: &str,
    revision: i64,
    denials: Vec<Denial>,
) -> Result<(), CaseError> {
    let service = desk.service(service)?.clone();
    let (rolls, spec) = find(&service, roll)?;
    let office = rolls.confirm.as_ref().ok_or(CaseError::NotFound("roll"))?;
    guard::confirm(desk, staff, office)?;
    let mut row = begun(desk, &service, &spec.id).await?;
    if row.state != RollState::Drawn {
        return Err(refuse("not_ready"));
    }
    if row.revision != revision {
        return Err(CaseError::Conflict("roll"));
    }
    if denials.len() > MOST {
        return Err(CaseError::Input {
            field: "denials",
            problem: "too_long",
        });
    }
    let mut out = HashMap::new();
    for denial in denials {
        let line = exclude::line(desk, &row, &denial.number).await?;
        if line.standing != Standing::Listed {
            return Err(CaseError::Conflict("roll"));
        }
        let id = line.id;
        let change = Out::new(desk, &staff.who(), &service, line, Standing::Denied, "denied").await?;
        out.insert(id, change);
    }
    row.state = RollState::Confirmed;
    row.confirmed_at = Some(desk.now().as_microsecond());
    row.confirmed_by = Some(staff.id.uuid());
    let id = row.id;
    desk.store
        .write(move |tx| {
            Box::pin(async move {
                for change in out.into_values() {
                    change.write(tx).await?;
                }
                roll_entry::step_all(tx, id, Standing::Listed, Standing::Confirmed).await?;
                step(tx, row, None).await
            })
        })
        .await
}
