//! Datasets from folder to lake.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod bad;
mod encodings;
mod folders;
mod independent;
mod keeping;
mod kit;
mod lake;
mod laws;
mod log;
mod lookup;
mod mended;
mod mistakes;
mod resume;
mod sources;
