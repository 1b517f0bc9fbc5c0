//! The parts pages are made of. Each is a struct and a template of the same name; in a page it stands as
//! `{{ part|safe }}`, because its own template has escaped what came from outside.

mod field;
mod list;
mod notice;
mod qr;
mod reasons;
mod table;

pub use field::{Choice, Control, Entry, Field, Known, Typed};
pub use list::{Event, Row, SummaryList, Task, TaskList, Timeline};
pub use notice::{Banner, Colour, ErrorSummary, Tag};
pub use qr::Qr;
pub use reasons::{Finding, Mark, Outcome, Reason, Reasons};
pub use table::{Cell, Head, Pagination, Table};
