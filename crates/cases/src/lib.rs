//! The way of a case: collect → verify → decide → review → notify → pay → measure → dispose.
//!
//! Each verb is one module with its entry functions; nothing jumps back except a correction. Every change of a case is
//! one transaction: the row, its history, its entry in the usage ledger and the work that follows from it.

pub mod agents;
pub mod appeal;
pub mod audit;
pub mod breach;
mod change;
pub mod channels;
pub mod claim;
pub mod collect;
pub mod confirm;
pub mod correct;
pub mod counter;
pub mod datasets;
pub mod decide;
pub mod deliveries;
mod desk;
pub mod dispose;
mod error;
pub mod find;
mod guard;
pub mod held;
pub mod history;
pub mod identity;
pub mod indicators;
pub mod jobs;
pub mod load;
pub mod measure;
pub mod mine;
mod notify;
pub mod outreach;
pub mod pay;
pub mod people;
pub mod platform;
pub mod provide;
mod recent;
mod record;
pub mod register;
pub mod remind;
pub mod review;
pub mod rights;
pub mod road;
pub mod roll;
pub mod round;
pub mod staff;
pub mod succession;
pub mod transition;
pub mod wallet;
mod wanted;

/// Has a verb compiled here, once. The code of an `async fn` is otherwise made anew in every crate that awaits it (`web`, the tests),
/// which was the largest part of their build; a box a call is nothing beside what a verb asks of the database.
pub(crate) use async_recursion::async_recursion as boxed;

pub use civic::{Month, MonthError};
pub use desk::{City, CityAccount, Desk};
pub use error::CaseError;
pub use guard::Who;
pub use people::Person;
pub use recent::Recent;
pub use services::Every;
pub use staff::{Role, Staff};
pub use transition::{Act, State};
