//! What can be wrong with what is matched, each with its place and what to do next.

use std::fmt;
use std::path::{Path, PathBuf};
use thiserror::Error;

/// A mistake in a model file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mistake {
    /// The file as it was named.
    pub file: String,
    /// Line, from 1.
    pub line: usize,
    /// What is wrong.
    pub message: String,
    /// What to do, if it can be guessed.
    pub suggestion: Option<String>,
}

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.file, self.line, self.message)?;
        match &self.suggestion {
            Some(suggestion) => write!(f, "; {suggestion}"),
            None => Ok(()),
        }
    }
}

/// Why tables could not be matched. No variant carries a value of a record.
#[derive(Debug, Error)]
pub enum LinkError {
    /// The model file has mistakes; all that were found.
    #[error("{}", lines(.0))]
    Model(Vec<Mistake>),
    /// A file can't be read or written.
    #[error("{path}: {why}", path = path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// A table does not fit the model or is too large.
    #[error("table `{table}`: {why}")]
    Table {
        /// Its name.
        table: String,
        /// What is wrong, and what to do.
        why: String,
    },
    /// There is nothing to learn the weights from.
    #[error("{0}")]
    Training(String),
    /// More pairs than may be kept.
    #[error(
        "more than {most} pairs are above the floor of {floor} bits; raise `floor` in the model, or add columns to its blocks"
    )]
    TooMany {
        /// The most that are kept.
        most: usize,
        /// The floor in force.
        floor: f64,
    },
    /// A key, filter or setting of privacy-preserving matching is not usable.
    #[error("{0}")]
    Filter(String),
    /// A thread of the work ended early.
    #[error("a thread stopped; try again with more memory or fewer threads")]
    Thread,
}

impl LinkError {
    /// A file that the system did not let us open, read or write.
    pub(crate) fn file(path: &Path, error: &std::io::Error) -> LinkError {
        use std::io::ErrorKind::{InvalidData, IsADirectory, NotFound, PermissionDenied, StorageFull};
        let why = match error.kind() {
            NotFound => "the file or its folder is not there; check the name".to_owned(),
            PermissionDenied => "it can't be opened; check its permissions".to_owned(),
            StorageFull => "the disk is full; make room and run it again".to_owned(),
            IsADirectory => "it is a folder; name a file".to_owned(),
            InvalidData => "it is not UTF-8; save the file as UTF-8".to_owned(),
            _ => error.to_string(),
        };
        LinkError::File {
            path: path.to_path_buf(),
            why,
        }
    }
}

fn lines(mistakes: &[Mistake]) -> String {
    let lines: Vec<String> = mistakes.iter().map(ToString::to_string).collect();
    lines.join("\n")
}

/// The name that was probably meant, as a sentence.
pub(crate) fn did_you_mean<'a>(wrong: &str, names: impl IntoIterator<Item = &'a str>) -> Option<String> {
    let length = wrong.chars().count();
    let bound = (length / 3).max(1);
    names
        .into_iter()
        .map(|name| (rapidfuzz::distance::osa::distance(wrong.chars(), name.chars()), name))
        .filter(|(distance, _)| *distance <= bound && *distance < length)
        .min()
        .map(|(_, name)| format!("did you mean `{name}`?"))
}
