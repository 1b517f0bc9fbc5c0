//! The city's gateway to T-Road (政府資料傳輸平臺): signed, logged and time-stamped exchanges between agencies.
//!
//! As consumer it takes calls of the own systems, as provider those of other members' gateways. Every call is gated by an
//! agreement on both sides, signed on both sides, and stands in a hash-chained log that a timestamp authority covers; one
//! exchange can be taken out as an ASiC-E container that anybody's tools verify.
//!
//! T-Road's own interface is not public. X-Road's REST message protocol r1 is assumed; what differs is a value of
//! [`dialect::Dialect`]. `docs/reference/t-road.md` says what is assumed and how the transport is made simpler.

mod asn1;
mod body;
mod canonical;
pub mod command;
pub mod config;
mod connect;
mod consumer;
pub mod dialect;
pub mod directory;
pub mod evidence;
mod exchange;
pub mod fault;
mod gateway;
pub mod ids;
pub mod log;
pub mod outside;
mod patience;
mod provider;
pub mod registry;
mod replay;
mod serve;
mod signature;
mod spool;
mod statement;
mod target;
mod timestamp;
mod tls;

pub use consumer::{Answer, Call, CallError};
pub use gateway::{Gateway, Seal};
pub use serve::Running;
pub use timestamp::StampError;
