//! The outside world from outside: each peer is spoken to over its socket, as a stranger would.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod bank;
mod bank_hostile;
mod issuer;
mod mail;
mod mydata_checks;
mod mydata_codes;
mod mydata_counter;
mod mydata_data_provider;
mod mydata_fetch;
mod mydata_package;
mod road;
mod support;
