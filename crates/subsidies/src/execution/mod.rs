//! A funded plan is carried out and settled: what the government hands in, what the ministry answers, what is paid, what everybody
//! may read of it, and the audit file.
//!
//! Everything begins once the corrected plan is there. What the ministry and the public see of a filing is what was sent last, never
//! what is being written over it.

mod answer;
mod audit;
mod file;
mod look;
mod open;
mod settle;

pub use answer::{Answer, answer};
pub use audit::audit;
pub use file::{Filing, counted, file};
pub(crate) use look::undone;
pub use look::{Behind, Execution, Filed, Quarter, Settled, execution, progress};
pub use open::{Outcome, outcomes};
pub use settle::{pay, settle};
