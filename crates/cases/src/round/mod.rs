//! Rounds (梯次): who takes part, the sealed list, the public draw, offers and the waiting list.
//!
//! An application enters the round whose window is open when it is handed in; each person takes part once. When the
//! letter of an approval leaves, the application gets a ticket for each set of places it chose. After the window the
//! tickets are sealed into a list that is published, then drawn by somebody else than who sealed it. From then on every
//! step of one ticket that frees a seat is one transaction with what the waiting list gains by it.

mod changed;
mod draw;
mod enter;
mod offer;
mod seal;
mod spec;
mod told;
mod view;

pub use changed::{Changed, ChangedRound, changes, changes_of};
pub use draw::draw;
pub(crate) use draw::{SPREAD, spread};
pub(crate) use enter::{Entry, entry};
pub(crate) use offer::lapse;
pub use offer::{accept, check_in, decline};
pub use seal::seal;
pub(crate) use spec::tickets;
pub(crate) use told::told;
pub(crate) use view::of_case;
pub use view::{ChoiceView, Line, MyTicket, Published, RoundView, SeatsView, TicketRow, list, published, view};

pub use store::tables::ticket::State as TicketState;

use services::Service;
use services::round::{Round, Rounds};

use crate::CaseError;

/// The rounds of a service and one of them.
fn find<'a>(service: &'a Service, round: &str) -> Result<(&'a Rounds, &'a Round), CaseError> {
    let rounds = service.rounds.as_ref().ok_or(CaseError::NotFound("round"))?;
    let round = rounds.round(round).ok_or(CaseError::NotFound("round"))?;
    Ok((rounds, round))
}
