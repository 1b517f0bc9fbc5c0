//! The operational store: tables, migrations, the one writer, sealing, the usage ledger, the access
//! decision, files, the outbox and backups. Written once for SQLite and PostgreSQL; where the engines must
//! differ, the difference stands in [`engine`].

pub mod access;
pub mod backup;
pub mod engine;
pub mod error;
pub mod files;
pub mod ledger;
pub mod migrations;
mod open;
pub mod outbox;
pub mod seal;
pub mod session;
pub mod tables;
#[cfg(feature = "testing")]
pub mod testing;
mod write;

pub use error::StoreError;
pub use open::{Store, StoreConfig};
pub use sea_orm;
pub use write::Tx;
