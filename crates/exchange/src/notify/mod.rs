//! Short messages beside mail: text messages ([`sms`]), LINE ([`line`]) and the browser's own notifications ([`webpush`]).
//!
//! Each sending ends in one [`Delivery`]: it is there, it is to be tried again, or it never will be. Nothing here tries again by
//! itself; the caller's outbox does. An error says that the call can't be made at all.

mod delivery;
pub mod line;
pub mod sms;
pub mod webpush;

pub use delivery::{Delivery, NotifyError, Why};
