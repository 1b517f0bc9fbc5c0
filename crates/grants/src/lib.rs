//! A subsidy programme (補助計畫) of a ministry for local governments, from the call to the settled account: everything of it
//! that is a pure function of the programme's folder and the plans.
//!
//! [`Programme::load`] reads `programmes/<id>/`, [`check`] says everything that is wrong with one and runs its worked cases. The
//! format stands in `docs/reference/programme-folder.md`. Nothing here reads a clock, keeps anything or knows who asks.

pub mod assessment;
mod case;
pub mod clock;
pub mod correction;
pub mod execution;
pub mod finding;
pub mod funding;
pub mod indicator;
mod layout;
mod mistake;
pub mod odt;
pub mod pdf;
pub mod plan;
pub mod programme;
pub mod review;
pub mod similarity;

pub use assessment::Assessment;
pub use civic::Mistake;
pub use finding::{Finding, Rule, Severity};
pub use plan::Plan;
pub use programme::{Programme, Report, check};
