//! The pages through HTTP, as a browser without script uses them.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod access;
mod counter;
mod html;
mod kindergarten;
mod kit;
mod office;
mod programme;
mod resident;
mod sound;
mod stages;
mod town;
