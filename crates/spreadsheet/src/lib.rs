//! Spreadsheets from outside, `.xlsx` and `.ods`: looked at before anything of them is used, then read cell by cell.

mod cells;
mod guard;

pub use cells::{Cell, each_cell};
pub use guard::{Kind, Limits, Refusal, look};
