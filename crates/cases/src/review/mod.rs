//! Review (審查): the queue by legal deadline, the case file on one screen, and the officer's acts.

pub(crate) mod act;
mod file;

use crate::boxed;
use civic::Text;
use civic::ids::ApplicationId;
use jiff::Timestamp;
use jiff::civil::Date;
use store::tables::application;

use crate::guard::{self, Action};
use crate::history::time;
use crate::staff::{self, Staff};
use crate::transition::State;
use crate::{CaseError, Desk};

pub use act::{approve, assign, assignable, give_back, refuse, request_correction, take, undo};
pub use file::{CaseFile, CorrectionView, EARLIER, EvidenceView, SideBySide, case, letter, preview, services};
pub(crate) use file::{correction, side_by_side};
pub use store::tables::application::Filter;

/// A line of the queue. It names no person: who it is shows when the case is opened, which leaves an entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QueueRow {
    /// The application.
    pub id: ApplicationId,
    /// Its number.
    pub number: String,
    /// Its service.
    pub service: Text,
    /// Where it stands.
    pub state: State,
    /// When it was handed in.
    pub submitted: Timestamp,
    /// Legal day by which it is decided.
    pub deadline: Option<Date>,
    /// Working days left; negative when it is late.
    pub days_left: Option<i32>,
    /// Whether it is late, or will be within the days the service names.
    pub urgent: bool,
    /// Whether the legal clock stands still.
    pub stopped: bool,
    /// Who holds it.
    pub assigned: Option<String>,
    /// What the rules found: `eligible`, `ineligible`, `open`.
    pub finding: Option<String>,
    /// Revision to name in the next change.
    pub revision: i64,
}

/// A page of the queue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Queue {
    /// The nearest legal deadline first.
    pub rows: Vec<QueueRow>,
    /// All that match.
    pub total: u64,
    /// How many there are in each state, over all.
    pub counts: Vec<(State, i64)>,
}

/// A page of the queue.
///
/// # Errors
/// [`CaseError::Refused`] for roles that decide no cases; the store's.
#[boxed]
pub async fn queue(desk: &Desk, staff: &Staff, filter: &Filter, offset: u64, limit: u64) -> Result<Queue, CaseError> {
    guard::office(desk, staff, Action::Queue)?;
    let own: Vec<String> = services(desk, staff).into_keys().collect();
    let counted: Vec<String> = match &filter.service {
        Some(service) => own.iter().filter(|one| *one == service).cloned().collect(),
        None => own.clone(),
    };
    let filter = Filter {
        services: Some(own),
        ..filter.clone()
    };
    let (rows, total) = application::queue(desk.store.read(), &filter, offset, limit.min(200)).await?;
    let counts = application::counts(desk.store.read(), &counted).await?;
    let names = staff::all(desk).await?;
    let today = desk.today();
    let rows = rows.into_iter().map(|row| {
        let deadline: Option<Date> = row.deadline.as_ref().and_then(|day| day.parse().ok());
        QueueRow {
            id: ApplicationId::from_uuid(row.id),
            number: row.number.unwrap_or_default(),
            service: desk.catalogue.get(&row.service).map_or_else(
                || Text::chinese(row.service.clone()),
                |service| service.meta.name.clone(),
            ),
            state: row.state,
            submitted: time(row.submitted_at.unwrap_or(row.opened_at)),
            urgent: deadline.is_some_and(|day| {
                row.clock_stopped_at.is_none()
                    && matches!(row.state, State::Submitted | State::Review)
                    && desk.calendar.working_days_between(today, day) <= crate::remind::office_days(desk, &row.service)
            }),
            days_left: deadline.map(|day| desk.calendar.working_days_between(today, day)),
            deadline,
            stopped: row.clock_stopped_at.is_some(),
            assigned: names
                .iter()
                .find(|staff| Some(staff.id.uuid()) == row.assigned_to)
                .map(|staff| staff.name.clone()),
            finding: row.finding,
            revision: row.revision,
        }
    });
    Ok(Queue {
        rows: rows.collect(),
        total,
        counts,
    })
}
