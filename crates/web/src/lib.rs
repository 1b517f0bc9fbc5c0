//! Pages and API by role: the only crate that knows HTTP requests.
//!
//! A page is a struct and a template of the same name. Handlers read, call one verb of `cases`, and show; what a person
//! may do is decided there and in the store, not here.

mod acting;
mod address;
mod app;
pub mod assets;
pub mod base;
pub mod components;
mod counter;
mod disclosure;
pub mod frame;
mod guard;
mod office;
pub mod posted;
mod problem;
mod programme;
mod resident;
pub mod texts;
pub mod visit;
pub mod wallet;

pub use app::{App, app};
pub use frame::{Frame, Site, page, page_with};
pub use posted::Posted;
pub use problem::Problem;
