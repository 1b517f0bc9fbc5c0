//! Identifiers, calendar, numerals and addresses against published rules and worked examples.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod address;
mod calendar;
mod identifier;
mod numerals;
