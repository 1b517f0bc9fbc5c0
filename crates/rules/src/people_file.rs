//! Where a population lies: a Parquet file, perhaps encrypted.

use std::path::{Path, PathBuf};

use parquet::arrow::arrow_reader::ArrowReaderOptions;
use parquet::encryption::decrypt::FileDecryptionProperties;

use crate::error::RuleError;
use crate::population::unreadable;

/// A Parquet file of a population.
#[derive(Clone)]
pub struct PeopleFile {
    pub(crate) path: PathBuf,
    options: ArrowReaderOptions,
}

impl PeopleFile {
    /// A file whose footer and columns are all encrypted under one key (Parquet Modular Encryption, AES-GCM).
    ///
    /// # Errors
    /// [`RuleError::Population`] for a key that is none of AES.
    pub fn encrypted(path: &Path, key: &[u8]) -> Result<PeopleFile, RuleError> {
        let how = FileDecryptionProperties::builder(key.to_vec())
            .build()
            .map_err(unreadable)?;
        Ok(PeopleFile {
            path: path.to_owned(),
            options: ArrowReaderOptions::new().with_file_decryption_properties(how),
        })
    }

    /// Where it lies.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// How it is read.
    #[must_use]
    pub fn options(&self) -> ArrowReaderOptions {
        self.options.clone()
    }
}

impl From<&Path> for PeopleFile {
    fn from(path: &Path) -> Self {
        PeopleFile {
            path: path.to_owned(),
            options: ArrowReaderOptions::new(),
        }
    }
}

impl From<&PathBuf> for PeopleFile {
    fn from(path: &PathBuf) -> Self {
        path.as_path().into()
    }
}

impl std::fmt::Debug for PeopleFile {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PeopleFile")
            .field("path", &self.path)
            .finish_non_exhaustive()
    }
}
