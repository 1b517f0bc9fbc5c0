//! The form of a service: pages of fields, what residents answered, and what is still to ask.
//!
//! A key names one answer: `account` for a field of the application, `members.p2.work_income` for the field
//! `work_income` of the item `p2` of the group `members`. The same keys are the names of the HTML inputs, with a part
//! behind them where a field has several boxes (`birth_date.year`).

pub mod answers;
mod ask;
pub mod condition;
mod enter;
mod file;
mod kinds;
mod model;
mod propose;
mod register;
mod renew;
mod show;
mod single;
mod words;

pub use answers::{Answer, Answers, Held, Offered, Source};
pub use ask::Question;
pub use condition::{Condition, ConditionError};
pub use enter::{FieldError, Invalid, Raw, SHOWN};
pub(crate) use file::{Known, entity_name, load};
pub(crate) use model::key;
pub use model::{Ask, Choice, Distinct, Field, FieldKind, Form, Group, InputName, Items, Page, Place, SourceKind};
pub use propose::Proposal;
pub use register::Listed;
pub use renew::Renewed;
pub use show::{FieldView, PageView};

/// The item of a person group that stands for the applicant.
pub const APPLICANT: &str = "p1";
