//! Which rows have the same key, found in bounded memory: sorted runs of hashes on disk, merged.
//!
//! A hash is the first half of an HMAC-SHA-256 under the dataset's key, so that a run tells nothing of who stands in it.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::fs::File;
use std::io::{BufReader, BufWriter, ErrorKind, Read as _, Write as _};
use std::path::{Path, PathBuf};

use arrow::array::{Array, ArrayRef, AsArray as _};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Date32Type, Decimal128Type, Int64Type, TimestampMicrosecondType};
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

use crate::error::HubError;

/// Most runs merged at once, so that no system runs out of open files.
const MOST_RUNS: usize = 200;
/// Bytes of a record.
const SIZE: usize = 41;

/// A row in a run. Records are ordered by key, then by time, then by their place in the source; the fields stand in that order, which
/// is the one of their bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Record {
    pub hash: [u8; 16],
    /// Time of the row; zero where the dataset has none.
    pub order: i64,
    /// Place in the source; zero for a row that is in the table already.
    pub place: u64,
    /// File the row stands in.
    pub file: u32,
    /// Row within the file.
    pub row: u32,
    /// The row says that what has its key is gone.
    pub delete: bool,
}

impl Record {
    fn bytes(&self) -> [u8; SIZE] {
        let mut out = [0; SIZE];
        // flipping the sign makes negative times come first
        let order = self.order.cast_unsigned() ^ (1 << 63);
        let (hash, rest) = out.split_at_mut(16);
        hash.copy_from_slice(&self.hash);
        let numbers = order
            .to_be_bytes()
            .into_iter()
            .chain(self.place.to_be_bytes())
            .chain(self.file.to_be_bytes())
            .chain(self.row.to_be_bytes())
            .chain([u8::from(self.delete)]);
        rest.iter_mut().zip(numbers).for_each(|(to, from)| *to = from);
        out
    }

    fn of(bytes: &[u8; SIZE]) -> Record {
        fn part<const N: usize>(bytes: &[u8; SIZE], at: usize) -> [u8; N] {
            let mut out = [0; N];
            out.iter_mut()
                .zip(bytes.iter().skip(at))
                .for_each(|(to, from)| *to = *from);
            out
        }
        Record {
            hash: part(bytes, 0),
            order: (u64::from_be_bytes(part(bytes, 16)) ^ (1 << 63)).cast_signed(),
            place: u64::from_be_bytes(part(bytes, 24)),
            file: u32::from_be_bytes(part(bytes, 32)),
            row: u32::from_be_bytes(part(bytes, 36)),
            delete: part::<1>(bytes, 40) == [1],
        }
    }
}

/// Hashes keys of rows.
#[derive(Clone)]
pub(crate) struct Hasher(Hmac<Sha256>);

impl Hasher {
    /// Under the key of a dataset; one without personal data has none.
    pub fn new(key: Option<&[u8]>) -> Result<Hasher, HubError> {
        // HMAC takes keys of every length
        Hmac::new_from_slice(key.unwrap_or_default())
            .map(Hasher)
            .map_err(|_| HubError::source("the key has no length"))
    }

    /// A hash for each row; none where one of the columns is empty.
    pub fn rows(&self, columns: &[ArrayRef], rows: usize) -> Vec<Option<[u8; 16]>> {
        let texts: Vec<ArrayRef> = columns
            .iter()
            .map(|column| cast(column, &DataType::Utf8).unwrap_or_else(|_| column.clone()))
            .collect();
        (0..rows)
            .map(|row| {
                let mut mac = self.0.clone();
                for column in &texts {
                    if column.is_null(row) {
                        return None;
                    }
                    let text = column.as_string_opt::<i32>()?.value(row);
                    mac.update(&u32::try_from(text.len()).unwrap_or(u32::MAX).to_le_bytes());
                    mac.update(text.as_bytes());
                }
                let full = mac.finalize().into_bytes();
                let mut hash = [0; 16];
                hash.iter_mut().zip(full).for_each(|(to, from)| *to = from);
                Some(hash)
            })
            .collect()
    }
}

/// The time of each row as a number that rises with it.
pub(crate) fn orders(column: Option<&ArrayRef>, rows: usize) -> Vec<i64> {
    let Some(column) = column else { return vec![0; rows] };
    let value = |row: usize| -> Option<i64> {
        if column.is_null(row) {
            return None;
        }
        if let Some(days) = column.as_primitive_opt::<Date32Type>() {
            return Some(i64::from(days.value(row)));
        }
        let whole = column.as_primitive_opt::<Int64Type>().map(|whole| whole.value(row));
        whole.or_else(|| {
            column
                .as_primitive_opt::<TimestampMicrosecondType>()
                .map(|at| at.value(row))
        })
    };
    (0..rows).map(|row| value(row).unwrap_or(i64::MIN)).collect()
}

/// A value of a number, day or instant in its column's own unit.
pub(crate) fn units(column: &ArrayRef, row: usize) -> Option<i128> {
    if column.is_null(row) {
        return None;
    }
    if let Some(days) = column.as_primitive_opt::<Date32Type>() {
        return Some(i128::from(days.value(row)));
    }
    if let Some(whole) = column.as_primitive_opt::<Int64Type>() {
        return Some(i128::from(whole.value(row)));
    }
    if let Some(at) = column.as_primitive_opt::<TimestampMicrosecondType>() {
        return Some(i128::from(at.value(row)));
    }
    column
        .as_primitive_opt::<Decimal128Type>()
        .map(|value| value.value(row))
}

/// Writes a run; records come in any order.
pub(crate) fn write(path: &Path, mut records: Vec<Record>) -> Result<(), HubError> {
    records.sort_unstable();
    let mut out = Run::create(path)?;
    for record in &records {
        out.put(record)?;
    }
    out.close()
}

struct Run {
    path: PathBuf,
    out: BufWriter<File>,
}

impl Run {
    fn create(path: &Path) -> Result<Run, HubError> {
        Ok(Run {
            path: path.to_path_buf(),
            out: BufWriter::with_capacity(1 << 18, File::create(path).map_err(HubError::file(path))?),
        })
    }

    fn put(&mut self, record: &Record) -> Result<(), HubError> {
        self.out.write_all(&record.bytes()).map_err(HubError::file(&self.path))
    }

    fn close(mut self) -> Result<(), HubError> {
        self.out.flush().map_err(HubError::file(&self.path))
    }
}

struct Reading {
    path: PathBuf,
    file: BufReader<File>,
}

impl Reading {
    fn next(&mut self) -> Result<Option<[u8; SIZE]>, HubError> {
        let mut bytes = [0; SIZE];
        match self.file.read_exact(&mut bytes) {
            Ok(()) => Ok(Some(bytes)),
            Err(error) if error.kind() == ErrorKind::UnexpectedEof => Ok(None),
            Err(error) => Err(HubError::file(&self.path)(error)),
        }
    }
}

/// Calls `each` with every record of the runs in order.
fn merged(runs: &[PathBuf], each: &mut dyn FnMut(Record) -> Result<(), HubError>) -> Result<(), HubError> {
    let mut readings = Vec::with_capacity(runs.len());
    let mut heads = BinaryHeap::new();
    for (at, path) in runs.iter().enumerate() {
        let file = File::open(path).map_err(HubError::file(path))?;
        let mut reading = Reading {
            path: path.clone(),
            file: BufReader::with_capacity(1 << 16, file),
        };
        if let Some(bytes) = reading.next()? {
            heads.push(Reverse((bytes, at)));
        }
        readings.push(reading);
    }
    while let Some(Reverse((bytes, at))) = heads.pop() {
        if let Some(next) = readings.get_mut(at).map(Reading::next).transpose()?.flatten() {
            heads.push(Reverse((next, at)));
        }
        each(Record::of(&bytes))?;
    }
    Ok(())
}

/// Calls `each` with every record in order and whether it is the last of its key. Many runs are first merged into fewer,
/// which are written to `scratch`.
pub(crate) fn grouped(
    runs: &[PathBuf],
    scratch: &Path,
    each: &mut dyn FnMut(Record, bool) -> Result<(), HubError>,
) -> Result<(), HubError> {
    let mut runs = runs.to_vec();
    let mut number = 0;
    while runs.len() > MOST_RUNS {
        let some: Vec<PathBuf> = runs.drain(..MOST_RUNS).collect();
        let path = scratch.join(format!("merged-{number}.run"));
        number += 1;
        let mut out = Run::create(&path)?;
        merged(&some, &mut |record| out.put(&record))?;
        out.close()?;
        runs.push(path);
    }
    let mut held: Option<Record> = None;
    merged(&runs, &mut |record| {
        if let Some(before) = held.replace(record) {
            each(before, before.hash != record.hash)?;
        }
        Ok(())
    })?;
    match held {
        Some(last) => each(last, true),
        None => Ok(()),
    }
}
