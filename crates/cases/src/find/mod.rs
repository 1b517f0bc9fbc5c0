//! Find what I may receive (我可以申請什麼): one questionnaire over all services.
//!
//! What is asked is computed from the rules alone: `look` decides every service on what is known, and the next question is
//! the one on which most of the outcomes still open hang. `docs/journeys/find.md` tells who walks through it, and how the
//! measure is counted.

mod apply;
mod count;
pub mod follow;
mod look;
mod state;

pub use apply::apply;
pub use count::{Found, count, counts};
pub use look::{Next, Open, Standing, View, field, look};
pub use state::{Asked, FAMILY, MOST, Member, Said, Screening};
