//! The lottery from outside.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod fairness;
mod kit;
mod placing;
mod vacancy;
mod verification;
