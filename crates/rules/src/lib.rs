//! Rules as data: the compiler of `rules.toml` to DataFusion's physical expressions.

mod bind;
mod calendar;
mod error;
mod expr;
mod file;
mod functions;
mod lookup;
mod mistake;
mod model;
mod names;
mod order;
mod parameters;
mod plan;
mod rules;
mod symbols;
mod table;

pub use error::RuleError;
pub use mistake::Mistake;
pub use model::{Entity, Input, InputRef, StepInfo, Type};
pub use parameters::{Parameter, ParameterRow};
