//! The data aggregation platform (資料彙集平臺): datasets as folders, loads that are published whole or not at all, and the
//! lake they are kept in.
//!
//! A [`Dataset`] is a folder; [`check`] says everything that is wrong with one. [`ingest`] brings a file in: each row is
//! held against the folder, what can't be taken is kept with its reasons until [`replay`] takes it in mended. [`Lake`]
//! keeps a Delta table a dataset, with every version of the time of history; [`compact`] and [`retain`] look after it.
//! [`Lookups`] answer what the latest version knows of one key.
//! Nothing here reads a clock, the environment or randomness of its own; time and keys come in with the [`Job`]. The format
//! of a folder stands in `docs/reference/dataset-folder.md`.

mod dataset;
mod encoding;
mod error;
mod file;
mod folder;
mod ingest;
mod keep;
mod keys;
mod lake;
mod log;
mod lookup;
mod profile;
mod publish;
mod read;
mod rejects;
mod replay;
mod runs;
mod source;
mod stage;
mod stats;
mod storage;
mod validate;
mod values;
mod versions;

pub use dataset::{
    Check, Column, Comparison, Dataset, DateFormat, Encoding, FILE, Format, Kind, Lookup, Mode, Operation, Period,
    Personal, Quality, Refresh, Report as FolderReport, Retention, Severity, Source, check,
};
pub use error::HubError;
pub use ingest::{Held, Job, Outcome, Report, ingest};
pub use keep::{Kept, compact, retain};
pub use lake::{At, Lake};
pub use lookup::{Found, FoundRow, Lookups, MOST_ROWS};
pub use profile::{ColumnProfile, Profile, profile};
pub use read::{each_batch, for_spreadsheet, standing, write_csv};
pub use rejects::{Reason, Reject};
pub use replay::{Mended, rejected, replay, waiting};
pub use runs::{Run, runs};
pub use stage::{Progress, Sizes};
pub use values::{Problem, begins_a_formula};
