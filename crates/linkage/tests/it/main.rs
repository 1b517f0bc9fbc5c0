//! Tests of record linkage: cases as data, laws as properties, sets with known truth.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod bloom;
mod cluster;
mod evaluate;
mod files;
mod kit;
mod matching;
mod model;
mod normalise;
mod sets;
mod train;
