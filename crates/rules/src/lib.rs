//! Rules as data: the compiler of `rules.toml` to DataFusion's physical expressions.

mod bind;
mod calendar;
mod decide;
mod error;
mod explain;
mod expr;
mod file;
mod frame;
mod functions;
mod input;
mod lookup;
mod mistake;
mod model;
mod names;
mod order;
mod parameters;
mod plan;
mod rules;
mod set;
mod sweep;
mod symbols;
mod table;

pub use decide::{Decision, StepValue};
pub use error::RuleError;
pub use input::{CaseInput, Person, Values};
pub use mistake::Mistake;
pub use model::{Entity, Input, InputRef, StepInfo, Type};
pub use parameters::{Parameter, ParameterRow};
pub use set::RuleSet;
pub use sweep::{Population, Swept};
