//! What can go wrong in the store. No message carries personal data.

use sea_orm::{DbErr, RuntimeErr, SqlErr, sqlx};

/// An error of the store.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The database refused a statement.
    #[error("the database refused a statement: {0}")]
    Database(DbErr),
    /// No connection could be had, or it broke.
    #[error("the database cannot be reached: {0}; check that it runs, then try again")]
    Unreachable(String),
    /// COMMIT failed, so nobody can say whether the batch was stored.
    #[error("the commit was not confirmed: {0}; read the record back before trying again")]
    Unconfirmed(String),
    /// A neighbour in the same batch broke the transaction; nothing of it was stored.
    #[error("the transaction was given up before its commit: {0}; nothing was stored, try again")]
    GivenUp(String),
    /// Too many writes are waiting.
    #[error("{0} writes are waiting already; try again in a moment")]
    Overloaded(usize),
    /// The store is shutting down.
    #[error("the store is closed; nothing was stored")]
    Closed,
    /// A write took longer than a write may.
    #[error("a write took longer than {0} s and was undone; do only database work in a write")]
    TooSlow(u64),
    /// A write panicked; the message is in the panic's own report.
    #[error("a write panicked and was undone")]
    Panicked,
    /// The address of the database can't be used.
    #[error(
        "the database address is not usable: {0}; write sqlite://path/to/file or postgres://user:password@host/database"
    )]
    Address(String),
    /// A key file can't be used.
    #[error("the master key file is not usable: {0}")]
    KeyFile(String),
    /// The master key of this version isn't in the key file.
    #[error("master key version {0} is not in the key file; add it back, or restore the key file that had it")]
    NoMasterKey(i32),
    /// No such data key.
    #[error("data key {0} does not exist")]
    NoKey(uuid::Uuid),
    /// The data key was destroyed; what it sealed is gone for good.
    #[error("data key {0} was destroyed, so what it sealed cannot be read any more")]
    KeyDestroyed(uuid::Uuid),
    /// Sealed bytes don't open: altered, moved from another place, or another key.
    #[error("sealed value of `{table}.{column}` does not open; it was altered, moved, or sealed with another key")]
    Unsealable {
        /// Table of the value.
        table: &'static str,
        /// Column of the value.
        column: &'static str,
    },
    /// The grant doesn't cover the owner of the key.
    #[error("the grant does not cover the data sealed with key {0}")]
    NotGranted(uuid::Uuid),
    /// The access policies say no.
    #[error(transparent)]
    Refused(#[from] crate::access::Refused),
    /// The policies can't be read.
    #[error("the access policies are not usable: {0}")]
    Policies(String),
    /// The ledger doesn't verify.
    #[error(transparent)]
    Ledger(#[from] crate::ledger::Fault),
    /// Stored bytes can't be understood.
    #[error("stored `{what}` cannot be understood: {why}")]
    Corrupt {
        /// What was being read.
        what: &'static str,
        /// Why it failed.
        why: String,
    },
    /// A file is larger than allowed.
    #[error("the file has {size} bytes; at most {limit} are allowed")]
    FileTooLarge {
        /// Bytes offered.
        size: u64,
        /// Bytes allowed.
        limit: u64,
    },
    /// No such file.
    #[error("file {0} does not exist")]
    NoFile(uuid::Uuid),
    /// Reading or writing a file failed.
    #[error("file storage: {0}")]
    Files(String),
    /// The system gave no randomness.
    #[error("the system gave no randomness: {0}")]
    Randomness(String),
}

impl From<DbErr> for StoreError {
    fn from(error: DbErr) -> StoreError {
        if connection_lost(&error) {
            StoreError::Unreachable(error.to_string())
        } else {
            StoreError::Database(error)
        }
    }
}

impl StoreError {
    /// Whether a row with the same unique value exists already.
    #[must_use]
    pub fn is_duplicate(&self) -> bool {
        match self {
            StoreError::Database(error) => {
                matches!(error.sql_err(), Some(SqlErr::UniqueConstraintViolation(_)))
            }
            _ => false,
        }
    }

    /// Whether the same call may succeed a little later: the database is away or busy.
    #[must_use]
    pub fn is_temporary(&self) -> bool {
        matches!(
            self,
            StoreError::Unreachable(_)
                | StoreError::Unconfirmed(_)
                | StoreError::GivenUp(_)
                | StoreError::Overloaded(_)
        )
    }
}

/// Whether the connection is gone, as opposed to a statement being refused.
pub(crate) fn connection_lost(error: &DbErr) -> bool {
    let sqlx_error = match error {
        DbErr::Conn(RuntimeErr::SqlxError(e))
        | DbErr::Exec(RuntimeErr::SqlxError(e))
        | DbErr::Query(RuntimeErr::SqlxError(e)) => e,
        DbErr::ConnectionAcquire(_) | DbErr::Conn(_) => return true,
        _ => return false,
    };
    match sqlx_error.as_ref() {
        sqlx::Error::Io(_)
        | sqlx::Error::Tls(_)
        | sqlx::Error::PoolTimedOut
        | sqlx::Error::PoolClosed
        | sqlx::Error::WorkerCrashed => true,
        // Class 57P: PostgreSQL is shutting down or starting.
        sqlx::Error::Database(e) => e.code().is_some_and(|code| code.starts_with("57P")),
        _ => false,
    }
}
