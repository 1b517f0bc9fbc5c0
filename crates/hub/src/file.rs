//! Parquet files of a dataset, encrypted where it has personal columns.

use std::fs::File;
use std::io::{self, Write};
use std::path::Path;
use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use bytes::Bytes;
use parquet::arrow::arrow_reader::{ArrowReaderOptions, ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder};
use parquet::arrow::{ArrowWriter, ProjectionMask};
use parquet::basic::{Compression, ZstdLevel};
use parquet::encryption::decrypt::FileDecryptionProperties;
use parquet::encryption::encrypt::FileEncryptionProperties;
use parquet::errors::ParquetError;
use parquet::file::properties::WriterProperties;
use sha2::{Digest, Sha256};

use crate::error::HubError;

/// Rows of a batch that is read.
pub(crate) const ROWS: usize = 16_384;

/// The key of a dataset's files (Parquet modular encryption, AES-GCM, footer and all columns under one key).
#[derive(Clone, Default)]
pub(crate) struct Crypt {
    key: Option<Arc<[u8]>>,
}

impl Crypt {
    pub fn new(key: Option<&[u8]>) -> Crypt {
        Crypt {
            key: key.map(Arc::from),
        }
    }

    pub fn key(&self) -> Option<&[u8]> {
        self.key.as_deref()
    }

    fn writing(&self) -> Result<WriterProperties, ParquetError> {
        let mut properties = WriterProperties::builder()
            .set_compression(Compression::ZSTD(ZstdLevel::try_new(1)?))
            .set_created_by("tongban".to_owned());
        if let Some(key) = &self.key {
            properties =
                properties.with_file_encryption_properties(FileEncryptionProperties::builder(key.to_vec()).build()?);
        }
        Ok(properties.build())
    }

    fn reading(&self) -> Result<ArrowReaderOptions, ParquetError> {
        let options = ArrowReaderOptions::new();
        Ok(match &self.key {
            Some(key) => {
                options.with_file_decryption_properties(FileDecryptionProperties::builder(key.to_vec()).build()?)
            }
            None => options,
        })
    }

    /// A file that is written batch by batch.
    pub fn create(&self, path: &Path, schema: SchemaRef) -> Result<Writing, HubError> {
        let fail = |error: ParquetError| HubError::file(path)(io::Error::other(error));
        let out = Digesting {
            inner: File::create(path).map_err(HubError::file(path))?,
            digest: Sha256::new(),
            bytes: 0,
        };
        let writer = ArrowWriter::try_new(out, schema, Some(self.writing().map_err(fail)?)).map_err(fail)?;
        Ok(Writing {
            path: path.to_path_buf(),
            writer,
        })
    }

    /// The batches of a file; `columns` are the places of those wanted, all where it is not said.
    pub fn batches(&self, bytes: Bytes, columns: Option<&[usize]>) -> Result<ParquetRecordBatchReader, ParquetError> {
        let builder = ParquetRecordBatchReaderBuilder::try_new_with_options(bytes, self.reading()?)?;
        let mask = columns.map(|columns| ProjectionMask::roots(builder.parquet_schema(), columns.iter().copied()));
        let builder = builder.with_batch_size(ROWS);
        match mask {
            Some(mask) => builder.with_projection(mask).build(),
            None => builder.build(),
        }
    }
}

/// A file while it is written.
pub(crate) struct Writing {
    path: std::path::PathBuf,
    writer: ArrowWriter<Digesting<File>>,
}

/// A file that was written and is on disk.
#[derive(Clone, Debug)]
pub(crate) struct Written {
    pub digest: String,
    pub bytes: u64,
}

impl Writing {
    pub fn write(&mut self, batch: &RecordBatch) -> Result<(), HubError> {
        self.writer
            .write(batch)
            .map_err(|error| HubError::file(&self.path)(io::Error::other(error)))
    }

    pub fn close(self) -> Result<Written, HubError> {
        let path = self.path;
        let out = self
            .writer
            .into_inner()
            .map_err(|error| HubError::file(&path)(io::Error::other(error)))?;
        out.inner.sync_all().map_err(HubError::file(&path))?;
        Ok(Written {
            digest: hex::encode(out.digest.finalize()),
            bytes: out.bytes,
        })
    }
}

/// Counts and digests what passes.
struct Digesting<W> {
    inner: W,
    digest: Sha256,
    bytes: u64,
}

impl<W: Write> Write for Digesting<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let count = self.inner.write(bytes)?;
        self.digest.update(bytes.get(..count).unwrap_or_default());
        self.bytes += u64::try_from(count).unwrap_or_default();
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

/// SHA-256 of a file, in hexadecimal; nothing where it can't be read.
pub(crate) fn digest(path: &Path) -> Option<String> {
    let mut file = File::open(path).ok()?;
    let mut digest = Digesting {
        inner: io::sink(),
        digest: Sha256::new(),
        bytes: 0,
    };
    io::copy(&mut file, &mut digest).ok()?;
    Some(hex::encode(digest.digest.finalize()))
}
