//! The copy of a version that lookups read: its rows in the order of the keyed hash of what they are asked by, in files of a
//! part of the hashes each and pages of few rows, so that one row is found and read without the others.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray as _, RecordBatch, UInt32Array, UInt64Array};
use arrow::compute::{concat_batches, take_record_batch};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef, UInt64Type};
use arrow::error::ArrowError;
use jiff::Timestamp;
use parquet::arrow::arrow_reader::{ArrowReaderMetadata, RowSelection, RowSelector};
use parquet::errors::ParquetError;

use crate::dataset::{Dataset, Lookup};
use crate::error::HubError;
use crate::file::{Crypt, SORTED_GROUP};
use crate::ingest::blocking;
use crate::keys::Hasher;
use crate::lake::{Table, conform};

/// Rows of a file of the copy; making it takes memory for one of them.
const PART_ROWS: u64 = 1 << 18;
/// Most files of a copy; larger ones then hold more rows.
const MOST_PARTS: u64 = 256;
/// Bytes that wait in all files together while rows are dealt out.
const WAITING: usize = 64 << 20;
/// Columns before those of the dataset: the first half of the hash, and the place of the row in its version, from 0.
const HASH: &str = "_hash";
const ROW: &str = "_row";
const OWN: usize = 2;

/// A copy that is read. A lookup in flight may hold it while a later one takes its place.
pub(super) struct Copy {
    pub version: u64,
    /// When the rows were brought in.
    pub loaded: Timestamp,
    /// Columns of the dataset that it holds, in their order in the files.
    columns: Vec<usize>,
    parts: Vec<Part>,
    crypt: Crypt,
}

struct Part {
    path: PathBuf,
    metadata: ArrowReaderMetadata,
    /// Of every row, in order.
    hashes: Vec<u64>,
}

/// Rows of one hash.
pub(super) struct Rows {
    /// Places in the version.
    pub places: Vec<u64>,
    /// The columns that were asked for, in the order they were asked for.
    pub columns: Vec<ArrayRef>,
}

/// The columns of a dataset that lookups ask by or are answered with.
fn columns(lookup: &Lookup) -> Vec<usize> {
    let mut columns: Vec<usize> = lookup.by.iter().chain(&lookup.columns).copied().collect();
    columns.sort_unstable();
    columns.dedup();
    columns
}

/// The first half of a keyed hash; what it does not tell apart is compared by its values.
pub(super) fn half(hash: &[u8; 16]) -> u64 {
    hash.iter().take(8).fold(0, |sum, byte| (sum << 8) | u64::from(*byte))
}

/// The file of a hash: files are in the order of the hashes in them.
fn part_of(hash: u64, parts: u64) -> usize {
    let part = (u128::from(hash) * u128::from(parts)) >> 64;
    usize::try_from(part).unwrap_or(usize::MAX)
}

fn part_path(folder: &Path, part: usize) -> PathBuf {
    folder.join(format!("part-{part:05}.parquet"))
}

/// Opens the copy of a version, which is made first where there is none. `home` is the dataset's own folder; the copy of the
/// version before the last stays there for lookups in flight, older ones go.
pub(super) async fn open(
    table: &Table,
    dataset: &Arc<Dataset>,
    lookup: &Lookup,
    crypt: &Crypt,
    home: &Path,
    before: Option<u64>,
) -> Result<Copy, HubError> {
    fs::create_dir_all(home).map_err(HubError::file(home))?;
    let name = |version: u64| format!("{version:020}-{}", dataset.digest.get(..16).unwrap_or_default());
    let folder = home.join(name(table.version()));
    if !folder.is_dir() {
        let making = home.join("making");
        clear(&making)?;
        fs::create_dir_all(&making).map_err(HubError::file(&making))?;
        make(table, dataset, lookup, crypt, &making).await?;
        // whole as soon as it has its name
        fs::rename(&making, &folder).map_err(HubError::file(&folder))?;
    }
    let kept = [Some(name(table.version())), before.map(name)];
    for entry in fs::read_dir(home).map_err(HubError::file(home))?.flatten() {
        let found = entry.file_name().into_string().ok();
        if entry.path().is_dir() && !kept.contains(&found) {
            clear(&entry.path())?;
        }
    }
    let (version, loaded, columns, crypt) = (table.version(), table.loaded(), columns(lookup), crypt.clone());
    blocking(move || {
        let mut parts = Vec::new();
        for number in 0.. {
            let path = part_path(&folder, number);
            if !path.is_file() {
                break;
            }
            parts.push(Part::open(path, &crypt)?);
        }
        Ok(Copy {
            version,
            loaded,
            columns,
            parts,
            crypt,
        })
    })
    .await
}

fn clear(folder: &Path) -> Result<(), HubError> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(HubError::file(folder)(error)),
        _ => Ok(()),
    }
}

/// Deals the rows of a version out by their hashes, then sorts each part of them.
async fn make(
    table: &Table,
    dataset: &Arc<Dataset>,
    lookup: &Lookup,
    crypt: &Crypt,
    folder: &Path,
) -> Result<(), HubError> {
    let files = table.files()?;
    let rows: u64 = files.iter().map(|file| file.rows).sum();
    let parts = rows.div_ceil(PART_ROWS).clamp(1, MOST_PARTS);
    let whole = dataset.schema();
    let columns = columns(lookup);
    let fields = columns.iter().filter_map(|column| whole.fields().get(*column).cloned());
    let own = [HASH, ROW].map(|name| Arc::new(Field::new(name, DataType::UInt64, false)));
    let schema: SchemaRef = Arc::new(Schema::new(own.into_iter().chain(fields).collect::<Vec<_>>()));
    let hasher = Hasher::new(crypt.key())?;
    let dealt: Vec<PathBuf> = (0..parts).map(|part| folder.join(format!("dealt-{part}"))).collect();
    let mut outs = Vec::new();
    for path in &dealt {
        outs.push(crypt.create(path, Arc::clone(&schema))?);
    }
    let mut row = 0;
    for file in files {
        let bytes = table.read(&file.path).await?;
        let (crypt, dataset, hasher, schema, whole) = (
            crypt.clone(),
            Arc::clone(dataset),
            hasher.clone(),
            Arc::clone(&schema),
            Arc::clone(&whole),
        );
        let (by, columns) = (lookup.by.clone(), columns.clone());
        (outs, row) = blocking(move || {
            let fail = |error: &dyn std::fmt::Display| HubError::lake(&dataset.id, format!("`{}`: {error}", file.path));
            let most = WAITING / outs.len().max(1);
            for batch in crypt.batches(bytes, None).map_err(|error| fail(&error))? {
                let batch = batch.map_err(|error| fail(&error))?;
                let batch = conform(&batch, &whole).map_err(|error| fail(&error))?;
                let asked: Vec<ArrayRef> = by.iter().map(|column| Arc::clone(batch.column(*column))).collect();
                let hashes = hasher.rows(&asked, batch.num_rows());
                let hashes: Vec<Option<u64>> = hashes.iter().map(|hash| hash.as_ref().map(half)).collect();
                let places = (row..).take(batch.num_rows());
                let mut values: Vec<ArrayRef> = vec![
                    Arc::new(
                        hashes
                            .iter()
                            .map(|hash| hash.unwrap_or_default())
                            .collect::<UInt64Array>(),
                    ),
                    Arc::new(UInt64Array::from_iter_values(places)),
                ];
                values.extend(columns.iter().map(|column| Arc::clone(batch.column(*column))));
                row += batch.num_rows() as u64;
                let batch = RecordBatch::try_new(Arc::clone(&schema), values).map_err(|error| fail(&error))?;
                let mut of: Vec<Vec<u32>> = vec![Vec::new(); outs.len()];
                for (at, hash) in (0_u32..).zip(&hashes) {
                    // a row that lacks what it would be asked by is never found
                    let part = hash.and_then(|hash| of.get_mut(part_of(hash, parts)));
                    part.into_iter().for_each(|part| part.push(at));
                }
                for (out, rows) in outs.iter_mut().zip(of).filter(|(_, rows)| !rows.is_empty()) {
                    let some = take_record_batch(&batch, &UInt32Array::from(rows)).map_err(|error| fail(&error))?;
                    out.write(&some)?;
                    out.flush_above(most)?;
                }
            }
            Ok((outs, row))
        })
        .await?;
    }
    let (crypt, folder, id) = (crypt.clone(), folder.to_path_buf(), dataset.id.clone());
    blocking(move || {
        for (number, (out, from)) in outs.into_iter().zip(&dealt).enumerate() {
            out.close()?;
            let bytes = fs::read(from).map_err(HubError::file(from))?;
            fs::remove_file(from).map_err(HubError::file(from))?;
            let fail = |error: &dyn std::fmt::Display| HubError::lake(&id, format!("the copy for lookups: {error}"));
            let batches = crypt.batches(bytes.into(), None).map_err(|error| fail(&error))?;
            let batches: Vec<RecordBatch> = batches.collect::<Result<_, _>>().map_err(|error| fail(&error))?;
            let sorted = sorted(&schema, &batches).map_err(|error| fail(&error))?;
            let mut out = crypt.create_sorted(&part_path(&folder, number), Arc::clone(&schema))?;
            out.write(&sorted)?;
            out.close()?;
        }
        Ok(())
    })
    .await
}

/// All rows in the order of their hashes, those of one hash in the order of the version.
fn sorted(schema: &SchemaRef, batches: &[RecordBatch]) -> Result<RecordBatch, ArrowError> {
    let whole = concat_batches(schema, batches)?;
    let numbers = |column: usize| -> &[u64] { whole.column(column).as_primitive::<UInt64Type>().values() };
    let (hashes, rows) = (numbers(0), numbers(1));
    let mut order: Vec<(u64, u64, u32)> = (0..)
        .zip(hashes.iter().zip(rows))
        .map(|(at, (hash, row))| (*hash, *row, at))
        .collect();
    order.sort_unstable();
    take_record_batch(&whole, &order.iter().map(|(_, _, at)| *at).collect::<UInt32Array>())
}

impl Part {
    fn open(path: PathBuf, crypt: &Crypt) -> Result<Part, HubError> {
        let fail = |error: ParquetError| HubError::file(&path)(std::io::Error::other(error));
        let metadata = crypt
            .metadata(&fs::File::open(&path).map_err(HubError::file(&path))?)
            .map_err(fail)?;
        let bytes = fs::read(&path).map_err(HubError::file(&path))?;
        let mut hashes = Vec::new();
        for batch in crypt.batches(bytes.into(), Some(&[HASH])).map_err(fail)? {
            let batch = batch.map_err(|error| fail(error.into()))?;
            hashes.extend_from_slice(batch.column(0).as_primitive::<UInt64Type>().values());
        }
        Ok(Part { path, metadata, hashes })
    }
}

impl Copy {
    /// The rows of a hash, at most so many, with these columns of the dataset.
    pub fn rows(&self, hash: u64, wanted: &[usize], most: usize) -> Result<Option<Rows>, HubError> {
        let parts = u64::try_from(self.parts.len()).unwrap_or(u64::MAX);
        let Some(part) = self.parts.get(part_of(hash, parts)) else {
            return Ok(None);
        };
        let begin = part.hashes.partition_point(|other| *other < hash);
        let same = part.hashes.iter().skip(begin).take_while(|other| **other == hash);
        let count = same.take(most).count();
        if count == 0 {
            return Ok(None);
        }
        let fail = |error: ParquetError| HubError::file(&part.path)(std::io::Error::other(error));
        // a file of its own each time: readers of one would share the place they read at
        let file = fs::File::open(&part.path).map_err(HubError::file(&part.path))?;
        let places: Vec<usize> = wanted
            .iter()
            .filter_map(|column| self.columns.iter().position(|held| held == column))
            .collect();
        let mut read: Vec<usize> = places.iter().map(|place| place + OWN).collect();
        read.push(1);
        read.sort_unstable();
        read.dedup();
        let groups = (begin / SORTED_GROUP..=(begin + count - 1) / SORTED_GROUP).collect();
        let selection = RowSelection::from(vec![
            RowSelector::skip(begin % SORTED_GROUP),
            RowSelector::select(count),
        ]);
        let batches = self
            .crypt
            .selected(file, part.metadata.clone(), &read, groups, selection)
            .map_err(fail)?;
        let batches: Vec<RecordBatch> = batches.collect::<Result<_, _>>().map_err(|error| fail(error.into()))?;
        let Some(schema) = batches.first().map(RecordBatch::schema) else {
            return Ok(None);
        };
        let whole = concat_batches(&schema, &batches).map_err(|error| fail(error.into()))?;
        let column = |place: usize| {
            read.iter()
                .position(|other| *other == place)
                .map(|at| Arc::clone(whole.column(at)))
        };
        let rows = column(1).map(|rows| rows.as_primitive::<UInt64Type>().values().to_vec());
        Ok(Some(Rows {
            places: rows.unwrap_or_default(),
            columns: places.iter().filter_map(|place| column(place + OWN)).collect(),
        }))
    }
}
