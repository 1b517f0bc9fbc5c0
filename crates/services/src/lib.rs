//! A public service as a folder: form, rules, letters, notice and worked examples; read whole, checked whole.
//!
//! [`Catalogue::load`] reads all folders of a city: a broken one is withdrawn and says why. [`check`] says everything
//! that is wrong with one folder. The format of each file stands in `docs/reference/service-folder.md`.

pub mod card;
mod catalogue;
mod check;
pub mod confirm;
mod example;
mod folder;
pub mod form;
pub mod invite;
mod letter;
pub mod lookup;
pub mod messages;
mod meta;
mod mydata;
mod notice;
pub mod offered;
pub mod roll;
pub mod round;
mod service;
mod starter;
mod texts;
mod vocabulary;
pub mod wallet;

pub use catalogue::{Catalogue, Datasets, Withdrawn};
pub use check::{Report, check};
pub use example::worked;
pub use letter::{KINDS as LETTER_KINDS, Letter, LetterError, RECOVERY, Sheet, counter_sheet};
pub use meta::{Appeal, DayKind, Deadline, Every, Meta, Paused, Payment, Remind, Until};
pub use mydata::{FillError, Mapping};
pub use notice::{Block, Notice};
pub use rules::Mistake;
pub use service::Service;
pub use starter::{StartError, start};
pub use vocabulary::{Fact, Vocabulary};
