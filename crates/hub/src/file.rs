//! Parquet files of a dataset, encrypted where it has personal columns.

use std::fs::File;
use std::io::{self, Write};
use std::path::Path;
use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use bytes::Bytes;
use parquet::arrow::arrow_reader::{
    ArrowReaderMetadata, ArrowReaderOptions, ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder, RowSelection,
};
use parquet::arrow::{ArrowWriter, ProjectionMask};
use parquet::basic::{Compression, ZstdLevel};
use parquet::encryption::decrypt::FileDecryptionProperties;
use parquet::encryption::encrypt::FileEncryptionProperties;
use parquet::errors::ParquetError;
use parquet::file::metadata::PageIndexPolicy;
use parquet::file::properties::{EnabledStatistics, WriterProperties, WriterPropertiesBuilder};
use sha2::{Digest, Sha256};

use crate::error::HubError;

/// Rows of a batch that is read.
pub(crate) const ROWS: usize = 16_384;
/// Rows of a group of a sorted file.
pub(crate) const SORTED_GROUP: usize = 16_384;
/// Rows of a page of a sorted file: what is read for one of them.
const SORTED_PAGE: usize = 128;

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

    fn writing(&self, properties: WriterPropertiesBuilder) -> Result<WriterProperties, ParquetError> {
        let mut properties = properties
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
        self.open(path, schema, WriterProperties::builder())
    }

    /// A file in which one row is found: its pages are small, and none needs a dictionary.
    pub fn create_sorted(&self, path: &Path, schema: SchemaRef) -> Result<Writing, HubError> {
        let properties = WriterProperties::builder()
            .set_dictionary_enabled(false)
            .set_statistics_enabled(EnabledStatistics::None)
            .set_max_row_group_row_count(Some(SORTED_GROUP))
            .set_data_page_row_count_limit(SORTED_PAGE)
            .set_write_batch_size(SORTED_PAGE);
        self.open(path, schema, properties)
    }

    fn open(&self, path: &Path, schema: SchemaRef, properties: WriterPropertiesBuilder) -> Result<Writing, HubError> {
        let fail = |error: ParquetError| HubError::file(path)(io::Error::other(error));
        let out = Digesting {
            inner: File::create(path).map_err(HubError::file(path))?,
            digest: Sha256::new(),
            bytes: 0,
        };
        let writer = ArrowWriter::try_new(out, schema, Some(self.writing(properties).map_err(fail)?)).map_err(fail)?;
        Ok(Writing {
            path: path.to_path_buf(),
            writer,
        })
    }

    /// The batches of a file; `columns` are the names of those wanted, all where it is not said. What a file does not have is not
    /// in its batches: files keep the columns of their day.
    pub fn batches(&self, bytes: Bytes, columns: Option<&[&str]>) -> Result<ParquetRecordBatchReader, ParquetError> {
        let builder =
            ParquetRecordBatchReaderBuilder::try_new_with_options(bytes, self.reading()?).map_err(other_key)?;
        let mask = columns.map(|columns| {
            let fields = builder.schema().fields().iter().enumerate();
            let wanted = fields.filter(|(_, field)| columns.contains(&field.name().as_str()));
            ProjectionMask::roots(builder.parquet_schema(), wanted.map(|(at, _)| at))
        });
        let builder = builder.with_batch_size(ROWS);
        match mask {
            Some(mask) => builder.with_projection(mask).build(),
            None => builder.build(),
        }
    }
}

/// Says that a key is another one, which the crate says in a text about footers.
fn other_key(error: ParquetError) -> ParquetError {
    if error.to_string().contains("unable to decrypt") {
        ParquetError::General("it was written with another key; hand in that one".to_owned())
    } else {
        error
    }
}

impl Crypt {
    /// What a sorted file says of its rows, read once for many lookups.
    pub fn metadata(&self, file: &File) -> Result<ArrowReaderMetadata, ParquetError> {
        let options = self.reading()?.with_offset_index_policy(PageIndexPolicy::Required);
        ArrowReaderMetadata::load(file, options)
    }

    /// Some rows of some groups of a sorted file.
    pub fn selected(
        &self,
        file: File,
        metadata: ArrowReaderMetadata,
        columns: &[usize],
        groups: Vec<usize>,
        rows: RowSelection,
    ) -> Result<ParquetRecordBatchReader, ParquetError> {
        let builder = ParquetRecordBatchReaderBuilder::new_with_metadata(file, metadata);
        let mask = ProjectionMask::roots(builder.parquet_schema(), columns.iter().copied());
        builder
            .with_projection(mask)
            .with_row_groups(groups)
            .with_row_selection(rows)
            .build()
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

    /// Ends the group of rows when more bytes than these wait.
    pub fn flush_above(&mut self, bytes: usize) -> Result<(), HubError> {
        if self.writer.in_progress_size() <= bytes {
            return Ok(());
        }
        self.writer
            .flush()
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
