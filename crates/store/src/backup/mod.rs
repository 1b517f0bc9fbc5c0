//! Backups (備份): made while the platform works, read whole to be verified, restored into an empty place.
//!
//! A backup is a folder: the database as of one moment (`database.sqlite` by SQLite's `VACUUM INTO`, `database.dump` by
//! PostgreSQL's own `pg_dump`), the sealed files, and a manifest that says what each file and each table must be and what
//! the ledger's root is. It holds no key unless it was asked for, so that who finds it can read nothing sealed.
//!
//! The database is taken first and the files after it: a file is on the disk before a row names it, so every file the
//! database names is there, unless it was deleted since with the data it belonged to.

mod create;
mod manifest;
mod postgres;
mod restore;
mod verify;

pub use create::create;
pub use manifest::{Engine, Manifest, Stored};
pub use restore::{Restored, Target, restore};
pub use verify::verify;

use std::path::{Path, PathBuf};

use crate::StoreError;

/// What is wrong with a backup, or keeps one from being made or restored.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// A file of the backup is not there.
    #[error("backup: `{0}` is missing; the backup can't be restored, take another")]
    Missing(String),
    /// A file of the backup is not what the manifest says.
    #[error("backup: `{0}` was changed or cut off; the backup can't be restored, take another")]
    Changed(String),
    /// A file that the manifest does not name.
    #[error("backup: `{0}` does not belong to it; take the file away, or take another backup")]
    Stranger(String),
    /// There is no manifest: it is written last.
    #[error("backup: {} has no manifest; it was not finished, or is no backup", .0.display())]
    Unfinished(PathBuf),
    /// The manifest can't be understood.
    #[error("backup: its manifest can't be read: {0}")]
    Manifest(String),
    /// A backup of another form.
    #[error("backup: it has form {found}, this program reads form {known}; use the program that made it")]
    Form {
        /// What it says.
        found: u64,
        /// What is known.
        known: u64,
    },
    /// A backup of the other engine.
    #[error(
        "backup: it is of a database on {found}, the target is on {wanted}; restore it where the engine is the same"
    )]
    OtherEngine {
        /// Of the backup.
        found: Engine,
        /// Of the target.
        wanted: Engine,
    },
    /// The place is in use.
    #[error("{0} is not empty; a backup is made and restored into an empty place only")]
    NotEmpty(String),
    /// What is in the database is not what the manifest says.
    #[error("backup: table `{table}` has {found} rows, the manifest says {stated}; the backup can't be trusted")]
    Rows {
        /// Table.
        table: String,
        /// Rows the manifest says.
        stated: u64,
        /// Rows there are.
        found: u64,
    },
    /// The register is older than the backup.
    #[error(
        "the register of destroyed keys {}: {missing} keys that were destroyed before the backup are not in it; name the newest copy of the register",
        path.display()
    )]
    StaleRegister {
        /// The file.
        path: PathBuf,
        /// How many it lacks.
        missing: u64,
    },
    /// There is no register.
    #[error(
        "there is no register of destroyed keys at {}; put its newest copy there: without it data that was destroyed since the backup could be read again",
        .0.display()
    )]
    NoRegister(PathBuf),
    /// A key that is needed is not there.
    #[error("there is no key at {} and none in the backup; put it there from where it is kept safe, then restore", .0.display())]
    NoKey(PathBuf),
    /// A program of PostgreSQL failed.
    #[error("`{program}` failed: {why}")]
    Program {
        /// Which.
        program: &'static str,
        /// What it said.
        why: String,
    },
    /// A file can't be read or written.
    #[error("{}: {why}", path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        why: std::io::Error,
    },
    /// The store's.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<sea_orm::DbErr> for BackupError {
    fn from(error: sea_orm::DbErr) -> BackupError {
        BackupError::Store(error.into())
    }
}

fn failed(path: &Path) -> impl Fn(std::io::Error) -> BackupError + '_ {
    |why| BackupError::File {
        path: path.to_owned(),
        why,
    }
}

/// Runs what blocks on a thread of its own.
async fn aside<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, BackupError> + Send + 'static,
) -> Result<T, BackupError> {
    match tokio::task::spawn_blocking(work).await {
        Ok(done) => done,
        Err(error) => Err(StoreError::Files(error.to_string()).into()),
    }
}

/// Whether nothing is in a folder; one that is not there is empty.
fn is_empty(folder: &Path) -> Result<bool, BackupError> {
    match std::fs::read_dir(folder) {
        Ok(mut entries) => Ok(entries.next().is_none()),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(true),
        Err(error) => Err(failed(folder)(error)),
    }
}
