//! The store on SQLite and, where a server is named by `TONGBAN_TEST_POSTGRES`, on PostgreSQL.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod access;
mod agents;
mod backup;
mod ledger;
mod outbox;
mod rows;
mod schema;
mod sealing;
mod sessions;
mod support;
mod writer;
