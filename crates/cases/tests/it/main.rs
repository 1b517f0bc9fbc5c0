//! The way of a case, on SQLite and, where a server is named, on PostgreSQL.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod agents;
mod agents_law;
mod appeal;
mod assisted;
mod breach;
mod channels;
mod counter;
mod counter_code;
mod datasets;
mod deliveries;
mod find;
mod held_and_returned;
mod identity;
mod journey;
mod month_end;
mod mydata;
mod outreach;
mod paid_once;
mod provide;
mod refused;
mod rights;
mod road;
mod rolls;
mod rounds;
mod school;
mod staff;
mod succession;
mod support;
mod throughput;
mod told_in_bulk;
mod wallet;
