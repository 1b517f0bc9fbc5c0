//! Public lotteries (公開抽籤) for places that are fewer than their applicants.
//!
//! A draw has three moments, and a file for each that anyone may keep:
//!
//! 1. The **sealed list** is published: who takes part, as keyed hashes, with group, points and choices, and the rule by
//!    which the seed will come about. From then on nobody can change it unseen, for its digest goes into the draw.
//! 2. The **seed** is a public value that nobody could know when the list was sealed.
//! 3. The **draw** is list, seed and result. [`verify`] recomputes it from that file alone.
//!
//! Everything is made of integers and SHA-256, so the same list and seed give the same result on every machine.

mod draw;
mod list;
mod order;
mod place;
mod vacancy;
mod verify;

pub use draw::{Draw, PlaceResult, Seed, draw};
pub use list::{ListError, Place, SealedList, Seats, Ticket, Unfilled};
pub use order::{Order, order};
pub use place::{Held, place};
pub use vacancy::{Move, fill};
pub use verify::{Finding, verify};
