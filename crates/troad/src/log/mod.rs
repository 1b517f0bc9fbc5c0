//! The message log: one record an exchange, chained by hash, written in groups by one writer, stamped in batches, archived and
//! after its days destroyed.
//!
//! Files of the folder: `records-<day>.jsonl` (lines), `content-<day>.bin` (sealed content of interfaces that keep it),
//! `certificates/<sha256>.der` (of every signer that occurs), `archives/` (ZIP files and their `index.jsonl`).

mod aggregate;
mod archive;
mod chain;
mod disk;
pub mod merkle;
mod read;
pub mod record;
mod verify;
mod writer;

pub use aggregate::{Aggregates, Day, DayKey};
pub use archive::{Archived, Pruned};
pub use read::{Filter, Found, content, find};
pub use record::{Content, Entry, Line, Outcome, Part, Record, Side, Stamp};
pub use verify::{Verified, verify};
pub use writer::{Certificate, Log, Pending, Written};

use std::path::PathBuf;

/// Why the log can't be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LogError {
    /// A file or folder fails.
    #[error("the message log's `{path}` can't be used: {why}")]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        why: String,
    },
    /// A line is missing, was changed, or is none.
    #[error("the message log is not whole: {file}, line {line}: {what}")]
    Broken {
        /// The file.
        file: String,
        /// The line, from 1.
        line: u64,
        /// What is wrong.
        what: &'static str,
    },
    /// An archive is missing or was changed.
    #[error("the archive `{file}` of the message log is not whole: {what}")]
    Archive {
        /// The file.
        file: String,
        /// What is wrong.
        what: &'static str,
    },
    /// The writer has ended.
    #[error("the message log is closed after an earlier fault; see the program's log, mend the disk and start again")]
    Closed,
    /// The roots a check is given are none.
    #[error("the roots of the timestamp authority can't be used: {0}")]
    Roots(String),
    /// A timestamp in the log does not cover its records.
    #[error("the timestamp over records {first} to {last} does not cover what stands there")]
    Stamp {
        /// First record.
        first: u64,
        /// Last record.
        last: u64,
    },
}
