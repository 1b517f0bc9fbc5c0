//! Sources: each kind of file gives the same thing, batches of text cells with the place of every row.

mod csv;
mod fixed;
mod json;
mod sheet;
mod xml;

use std::cell::Cell;
use std::collections::BTreeSet;
use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::Path;
use std::rc::Rc;
use std::sync::Arc;

use arrow::array::{Array as _, StringArray, StringBuilder};
use sha2::{Digest as _, Sha256};

use crate::dataset::{Dataset, Format};
use crate::encoding::{Decoded, Survey};
use crate::error::HubError;
use crate::values::Problem;

/// Largest row, in bytes.
pub(crate) const LARGEST_ROW: usize = 4 << 20;
/// Most unknown columns that are told.
const TOLD: usize = 50;

/// Rows of a source, as they are written there.
#[derive(Debug)]
pub(crate) struct Batch {
    /// Number of the batch within the source, from 0. The same source always gives the same batches.
    pub number: u32,
    /// Number of rows before it, broken ones too.
    pub before: u64,
    /// Columns of the source.
    pub names: Arc<[String]>,
    /// Where each row stands: its line, or its number.
    pub places: Vec<u64>,
    /// A column of cells for each name.
    pub cells: Vec<StringArray>,
    /// Rows that are none.
    pub broken: Vec<Broken>,
}

/// A row that does not fit its heading or can't be taken apart.
#[derive(Clone, Debug)]
pub(crate) struct Broken {
    pub place: u64,
    pub problem: Problem,
    pub cells: Vec<String>,
}

/// How the columns of a source differ from those the folder names.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Drift {
    /// Columns that the folder does not know.
    pub unknown: BTreeSet<String>,
    /// Columns that the folder names and the source does not have.
    pub missing: BTreeSet<String>,
}

impl Drift {
    pub fn is_none(&self) -> bool {
        self.unknown.is_empty() && self.missing.is_empty()
    }

    fn meet(&mut self, name: &str) {
        if self.unknown.len() < TOLD && !self.unknown.contains(name) {
            self.unknown.insert(name.chars().take(100).collect());
        }
    }
}

/// The word for the places of a kind of source.
pub(crate) fn place_word(format: Format) -> &'static str {
    match format {
        Format::Csv | Format::JsonLines | Format::Fixed => "line",
        Format::Xlsx | Format::Ods => "row",
        Format::Json | Format::Xml => "item",
    }
}

/// The columns of the source that the folder uses.
pub(crate) fn wanted(dataset: &Dataset) -> BTreeSet<&str> {
    let columns = dataset.columns.iter().flat_map(|column| &column.from);
    let operation = dataset.source.operation.iter().map(|operation| &operation.from);
    columns.chain(operation).map(String::as_str).collect()
}

/// Collects rows into batches.
pub(crate) struct Collector<'a> {
    rows: usize,
    bytes: usize,
    emit: &'a mut dyn FnMut(Batch) -> Result<(), HubError>,
    names: Arc<[String]>,
    cells: Vec<StringBuilder>,
    places: Vec<u64>,
    broken: Vec<Broken>,
    held: usize,
    number: u32,
    before: u64,
}

impl<'a> Collector<'a> {
    /// Batches of at most so many rows and about so many bytes go to `emit`.
    pub fn new(rows: usize, bytes: usize, emit: &'a mut dyn FnMut(Batch) -> Result<(), HubError>) -> Collector<'a> {
        Collector {
            rows,
            bytes,
            emit,
            names: Arc::default(),
            cells: Vec::new(),
            places: Vec::new(),
            broken: Vec::new(),
            held: 0,
            number: 0,
            before: 0,
        }
    }

    fn begin(&mut self, names: impl IntoIterator<Item = String>) {
        self.names = names.into_iter().collect();
        self.cells = self.names.iter().map(|_| StringBuilder::new()).collect();
    }

    /// A row with a cell for each name.
    fn row<'c>(&mut self, place: u64, cells: impl Iterator<Item = Option<&'c str>>) -> Result<(), HubError> {
        for (column, cell) in self.cells.iter_mut().zip(cells) {
            self.held += cell.map_or(1, str::len);
            column.append_option(cell);
        }
        self.places.push(place);
        self.full()
    }

    fn broken(&mut self, broken: Broken) -> Result<(), HubError> {
        self.held += broken.cells.iter().map(String::len).sum::<usize>() + 64;
        self.broken.push(broken);
        self.full()
    }

    fn full(&mut self) -> Result<(), HubError> {
        if self.places.len() + self.broken.len() >= self.rows || self.held >= self.bytes {
            self.give()?;
        }
        Ok(())
    }

    fn give(&mut self) -> Result<(), HubError> {
        let rows = self.places.len() + self.broken.len();
        if rows == 0 {
            return Ok(());
        }
        let batch = Batch {
            number: self.number,
            before: self.before,
            names: Arc::clone(&self.names),
            places: std::mem::take(&mut self.places),
            cells: self.cells.iter_mut().map(StringBuilder::finish).collect(),
            broken: std::mem::take(&mut self.broken),
        };
        self.number += 1;
        self.before += u64::try_from(rows).unwrap_or_default();
        self.held = 0;
        (self.emit)(batch)
    }
}

/// Reads a source from its beginning to its end. Where its columns differ from those of the folder, no row is given.
///
/// # Errors
/// [`HubError::Source`] when it can't be read on, and what the collector's `emit` says.
pub(crate) fn read(dataset: &Dataset, path: &Path, mut collector: Collector<'_>) -> Result<Drift, HubError> {
    let open = || File::open(path).map_err(HubError::file(path));
    let decoded = || Ok::<_, HubError>(Decoded::new(open()?, &dataset.source));
    let drift = match dataset.source.format {
        Format::Csv => csv::read(dataset, decoded()?, &mut collector)?,
        Format::Json => json::array(dataset, decoded()?, &mut collector)?,
        Format::JsonLines => json::lines(dataset, decoded()?, &mut collector)?,
        Format::Xml => xml::read(dataset, decoded()?, &mut collector)?,
        Format::Fixed => fixed::read(dataset, BufReader::with_capacity(1 << 16, open()?), &mut collector)?,
        Format::Xlsx | Format::Ods => sheet::read(dataset, path, &mut collector)?,
    };
    collector.give()?;
    Ok(drift)
}

/// What is known of a source before its rows are read.
pub(crate) struct Surveyed {
    /// SHA-256 of its bytes.
    pub digest: [u8; 32],
    /// Why it must wait for the steward.
    pub disagreement: Option<String>,
}

/// Reads a source once for its digest and its encoding.
pub(crate) fn survey(dataset: &Dataset, path: &Path) -> Result<Surveyed, HubError> {
    let mut file = File::open(path).map_err(HubError::file(path))?;
    let text = !matches!(dataset.source.format, Format::Xlsx | Format::Ods);
    let mut survey = text.then(|| Survey::new(dataset.source.encoding));
    let mut digest = Sha256::new();
    let mut buffer = vec![0; 1 << 18];
    loop {
        let read = file.read(&mut buffer).map_err(HubError::file(path))?;
        let Some(part) = buffer.get(..read).filter(|part| !part.is_empty()) else {
            break;
        };
        digest.update(part);
        if let Some(survey) = &mut survey {
            survey.look(part);
        }
    }
    Ok(Surveyed {
        digest: digest.finalize().into(),
        disagreement: survey.and_then(Survey::disagreement),
    })
}

/// The columns of a heading, or how they differ from those of the folder.
fn heading(dataset: &Dataset, names: &[String]) -> Result<Drift, HubError> {
    let mut met = BTreeSet::new();
    let wanted = wanted(dataset);
    let mut drift = Drift::default();
    for name in names {
        if !met.insert(name.as_str()) && wanted.contains(name.as_str()) {
            let why = format!("two columns are called `{name}`; have the source name each once");
            return Err(HubError::at("the heading", why));
        }
        if !wanted.contains(name.as_str()) && !dataset.source.ignore.contains(name) {
            drift.meet(name);
        }
    }
    drift.missing = wanted
        .into_iter()
        .filter(|name| !met.contains(name))
        .map(str::to_owned)
        .collect();
    Ok(drift)
}

/// A reader that fails when a single row takes more than [`LARGEST_ROW`]; whoever takes rows counts from the start again.
struct Bounded<R> {
    inner: R,
    since: Rc<Cell<usize>>,
}

impl<R: Read> Bounded<R> {
    fn new(inner: R) -> (Bounded<R>, Rc<Cell<usize>>) {
        let since = Rc::new(Cell::new(0));
        let bounded = Bounded {
            inner,
            since: Rc::clone(&since),
        };
        (bounded, since)
    }
}

impl<R: Read> Read for Bounded<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(out)?;
        let since = self.since.get() + count;
        if since > LARGEST_ROW * 2 {
            return Err(io::Error::other("a row is larger than 4 MiB"));
        }
        self.since.set(since);
        Ok(count)
    }
}

/// Reads all cells of a row of a batch by name, as a reject keeps them.
pub(crate) fn cells_of(batch: &Batch, row: usize) -> Vec<(String, Option<String>)> {
    let columns = batch.names.iter().zip(&batch.cells);
    columns
        .map(|(name, cells)| (name.clone(), (!cells.is_null(row)).then(|| cells.value(row).to_owned())))
        .collect()
}
