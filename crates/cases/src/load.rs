//! Load (工作量): how many cases wait with whom and how old they are, for the supervisor. People are listed by name,
//! never ranked.

use crate::boxed;
use civic::ids::StaffId;
use jiff::civil::Date;
use store::sea_orm::{ColumnTrait as _, EntityTrait as _, QueryFilter as _, QuerySelect as _};
use store::tables::application::{Column, Entity, State};

use crate::guard::{self, Action};
use crate::history::time;
use crate::staff::{self, Role, Staff};
use crate::{CaseError, Desk};

/// Days since submission at which a band of ages begins.
pub const BANDS: [i32; 5] = [0, 8, 15, 31, 61];

/// What waits in one place: with one member of staff, or with nobody.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Pile {
    /// Who; nobody for what is still in the queue.
    pub holder: Option<StaffId>,
    /// Name of the holder.
    pub name: Option<String>,
    /// Cases an officer can work on.
    pub open: u64,
    /// Cases whose person is asked to correct; their clock stands still.
    pub correction: u64,
    /// Open cases past their legal deadline.
    pub late: u64,
    /// Open cases due within five working days.
    pub soon: u64,
    /// Open cases by age; see [`BANDS`].
    pub ages: [u64; 5],
    /// Days since the oldest open case was handed in.
    pub oldest: Option<i32>,
}

/// Holder, state, deadline, time of submission.
type Row = (Option<uuid::Uuid>, State, Option<String>, Option<i64>);

/// What waits, with nobody first, then by name.
///
/// # Errors
/// [`CaseError::Refused`] for everybody but supervisors and officers; the store's.
#[boxed]
pub async fn load(desk: &Desk, staff: &Staff) -> Result<Vec<Pile>, CaseError> {
    guard::office(desk, staff, Action::Queue)?;
    if staff.role != Role::Supervisor {
        return Err(store::access::Refused {
            action: "load".to_owned(),
        }
        .into());
    }
    let waiting = [State::Submitted, State::Review, State::Correction];
    let rows: Vec<Row> = Entity::find()
        .select_only()
        .columns([Column::AssignedTo, Column::State, Column::Deadline, Column::SubmittedAt])
        .filter(Column::State.is_in(waiting))
        .filter(store::tables::application::looked_at())
        .filter(Column::Service.is_in(crate::review::services(desk, staff).into_keys()))
        .into_tuple()
        .all(desk.store.read())
        .await?;
    let mut names: Vec<Staff> = staff::all(desk).await?;
    names.retain(|one| one.agency == staff.agency && matches!(one.role, Role::Officer | Role::Supervisor));
    names.sort_by(|one, other| one.name.cmp(&other.name));
    let mut piles = vec![Pile::default()];
    piles.extend(names.into_iter().map(|one| Pile {
        holder: Some(one.id),
        name: Some(one.name),
        ..Pile::default()
    }));
    let today = desk.today();
    for (holder, state, deadline, submitted) in rows {
        let Some(pile) = piles.iter_mut().find(|pile| pile.holder.map(StaffId::uuid) == holder) else {
            continue;
        };
        if state == State::Correction {
            pile.correction += 1;
            continue;
        }
        pile.open += 1;
        if let Some(day) = deadline.and_then(|day| day.parse::<Date>().ok()) {
            let left = desk.calendar.working_days_between(today, day);
            pile.late += u64::from(left < 0);
            pile.soon += u64::from((0..=5).contains(&left));
        }
        let age = submitted
            .and_then(|at| civic::legal_day(time(at)).until(today).ok())
            .map_or(0, |span| span.get_days().max(0));
        pile.oldest = pile.oldest.max(Some(age));
        let band = BANDS.iter().rposition(|begin| age >= *begin).unwrap_or(0);
        if let Some(count) = pile.ages.get_mut(band) {
            *count += 1;
        }
    }
    Ok(piles)
}
