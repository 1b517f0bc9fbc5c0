//! One file per table: its entity and its queries. Queries are written once, for both engines.
//!
//! Conventions: ids are `Uuid` columns (the typed id of [`civic::ids`] stands in the function
//! signatures), times are `i64` microseconds UTC, dates are `YYYY-MM-DD` text, money is `i64` NT
//! dollars, personal data is a sealed `Vec<u8>` (see [`crate::seal`]).

pub mod adjustment;
pub mod appeal;
pub mod application;
pub mod authorisation;
pub mod campaign;
pub mod channel;
pub mod claim;
pub mod claim_entry;
pub mod claim_line;
pub mod confirmation;
pub mod confirmation_upload;
pub mod consent;
pub mod data_key;
pub mod decision;
pub mod delivery;
pub mod entitlement;
pub mod event;
pub mod evidence;
pub mod exclusion;
pub mod follow_up;
pub mod invitation;
pub mod ledger;
pub mod ledger_word;
pub mod letter;
pub mod measure;
pub mod message;
pub mod mydata_transaction;
pub mod mydata_transfer;
pub mod notice;
pub mod organisation;
pub mod outbox;
pub mod outreach_area;
pub mod outreach_day;
pub mod paper;
pub mod payment;
pub mod payment_batch;
pub mod payment_compare;
mod payment_gate;
pub mod payment_hold;
pub mod payment_part;
pub mod payment_report;
pub mod payment_return;
pub mod payment_run;
pub mod person;
pub mod preference;
pub mod receiving;
pub mod register;
pub mod reuse;
pub mod road_agreement;
pub mod road_switch;
pub mod roll;
pub mod roll_entry;
pub mod round;
pub mod round_entry;
pub mod screening;
pub mod security_event;
pub mod session;
pub mod staff;
pub mod succession;
pub mod survey;
pub mod ticket;
pub mod visit;
pub mod witness;
