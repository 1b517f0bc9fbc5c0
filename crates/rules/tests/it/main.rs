//! Rules as data: what every expression gives, what is said of every mistake, and what holds of every rule set.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod bad;
mod checks;
mod city;
mod explanations;
mod expressions;
mod generated;
mod kit;
mod laws;
mod mistakes;
mod refusals;
mod services;
mod tables;
