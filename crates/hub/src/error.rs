use std::path::{Path, PathBuf};

use civic::Mistake;

/// Why something about a dataset could not be done. Never carries a value of a row: it may be a person's.
#[derive(Debug, thiserror::Error)]
pub enum HubError {
    /// The folder has mistakes.
    #[error("the dataset `{id}` has {count} mistakes, the first is {first}; see all with `tongban hub check`", count = .mistakes.len(), first = .mistakes.first().map(ToString::to_string).unwrap_or_default())]
    Dataset {
        /// Name of the folder.
        id: String,
        /// All of them.
        mistakes: Vec<Mistake>,
    },
    /// A file could not be read or written; the disk may be full.
    #[error("`{path}` can't be used: {error}; nothing was published, run the same load again when that is put right", path = .path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What the operating system says.
        error: std::io::Error,
    },
    /// The source is not what the folder says it is, so that no row of it can be read.
    #[error("the source can't be read{place}: {why}", place = .place.as_ref().map(|place| format!(" at {place}")).unwrap_or_default())]
    Source {
        /// Where, such as `line 7`.
        place: Option<String>,
        /// Why, and what to do.
        why: String,
    },
    /// A dataset with personal columns was opened without its key.
    #[error("the dataset `{0}` has personal columns, so its lake is encrypted; hand in its key of 16 or 32 bytes")]
    KeyMissing(String),
    /// Another process brings in the same dataset.
    #[error("another load of `{0}` is running; wait until it has ended")]
    Busy(String),
    /// Another load was published since this one began.
    #[error("another load of `{0}` was published meanwhile; run this one again")]
    Overtaken(String),
    /// The table or a file of it.
    #[error("the lake of `{id}` can't be used: {why}; nothing was published")]
    Lake {
        /// Name of the dataset.
        id: String,
        /// What went wrong.
        why: String,
    },
    /// There is no such version.
    #[error("the lake of `{0}` has nothing at that version or time; it keeps what `retention.history_days` says")]
    NoVersion(String),
    /// A row that is to be replayed was not rejected.
    #[error("row {place} of that load was not rejected, or is replayed already")]
    NotRejected {
        /// Place of the row in its source.
        place: u64,
    },
    /// A dataset whose folder does not offer it for lookups, or that the platform does not hold.
    #[error("the dataset `{0}` is not offered for lookups; write `[lookup]` into its folder")]
    NotOffered(String),
    /// A lookup may not ask for this column.
    #[error("lookups of `{id}` are not answered with `{column}`; write it into `columns` of its `[lookup]`")]
    NotAnswered {
        /// Name of the dataset.
        id: String,
        /// The column.
        column: String,
    },
    /// A lookup asked by something that can't be a key.
    #[error("`{id}` can't be asked by this value of `{column}`: {why}")]
    LookupKey {
        /// Name of the dataset.
        id: String,
        /// The column; empty where the number of values is wrong.
        column: String,
        /// Why, without the value.
        why: String,
    },
    /// A lookup in a dataset of which nothing was published yet.
    #[error("nothing of the dataset `{0}` was published yet; bring it in first")]
    NothingPublished(String),
    /// Whoever follows the load has ended it.
    #[error("the load was stopped; run it again to go on where it was")]
    Stopped,
}

impl HubError {
    pub(crate) fn file(path: &Path) -> impl FnOnce(std::io::Error) -> HubError + use<> {
        let path = path.to_path_buf();
        move |error| HubError::File { path, error }
    }

    pub(crate) fn source(why: impl Into<String>) -> HubError {
        HubError::Source {
            place: None,
            why: why.into(),
        }
    }

    pub(crate) fn at(place: impl Into<String>, why: impl Into<String>) -> HubError {
        HubError::Source {
            place: Some(place.into()),
            why: why.into(),
        }
    }

    pub(crate) fn lake(id: &str, why: impl std::fmt::Display) -> HubError {
        HubError::Lake {
            id: id.to_owned(),
            why: why.to_string(),
        }
    }
}
