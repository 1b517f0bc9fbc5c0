//! Plans of two governments and a panel, on both databases.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod execution;
mod kit;
mod last_minute;
mod meeting;
mod plan;
mod remind;
mod review;
