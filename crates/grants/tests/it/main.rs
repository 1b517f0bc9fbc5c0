//! The programme from outside.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod folder;
mod kit;
mod laws;
mod odt;
mod office;
mod pdf;
mod similarity;
