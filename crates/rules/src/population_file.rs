//! A population that stays in its file: parts of whole households, each read once for all services, so that a large city
//! needs no more memory than a small one.

use crate::error::RuleError;
use crate::people_file::PeopleFile;
use crate::population::{Columns, Population, Use, dictionary, households, joined, starts, unreadable};
use crate::rules::Rules;
use crate::symbols::Texts;
use crate::threads;
use arrow::array::ArrayRef;
use arrow::datatypes::{DataType, Field, Schema};
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{ArrowReaderMetadata, ParquetRecordBatchReaderBuilder};
use std::collections::BTreeSet;
use std::fs::File;
use std::ops::Range;
use std::sync::Arc;

/// Everybody, in a Parquet file of the columns that [`Population`] names, for one service or for several.
///
/// A column `<service>.<column>` is for that service alone and comes before the plain `<column>`: so one file serves
/// services that mean different things by one name, or allow different values. Nobody's values are kept between parts.
#[derive(Debug)]
pub struct PopulationFile {
    people: PeopleFile,
    metadata: ArrowReaderMetadata,
    /// The first row of each household, and the number of rows at the end.
    pub(crate) starts: Vec<usize>,
    /// The number of each household.
    ids: Vec<i64>,
    /// Ranges of households, about a row group each.
    cuts: Vec<Range<usize>>,
}

/// A column that rules read: its name for them, what it is for, and its place in the file.
pub(crate) struct Wanted<'a> {
    name: String,
    of: Use<'a>,
    place: usize,
}

/// Rows of the file as they were written, a column for each of `places`.
pub(crate) struct Part {
    /// The first row.
    pub first: usize,
    rows: usize,
    /// The first row of each household within the part, and the number of rows at the end.
    starts: Vec<usize>,
    places: Vec<usize>,
    columns: Vec<ArrayRef>,
}

impl PopulationFile {
    /// Opens a file and reads who belongs together.
    ///
    /// # Errors
    /// [`RuleError::Population`] when it can't be read, has no rows, or the rows of a household don't stand together.
    pub fn open(people: impl Into<PeopleFile>) -> Result<PopulationFile, RuleError> {
        let people = people.into();
        let file = File::open(people.path()).map_err(unreadable)?;
        let read = ArrowReaderMetadata::load(&file, people.options()).map_err(unreadable)?;
        // texts come as codes with a dictionary, however they were written
        let coded = |field: &Arc<Field>| match field.data_type() {
            DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => {
                Arc::new(Field::new(field.name(), dictionary(), field.is_nullable()))
            }
            _ => Arc::clone(field),
        };
        let fields: Vec<Arc<Field>> = read.schema().fields().iter().map(coded).collect();
        let options = people.options().with_schema(Arc::new(Schema::new(fields)));
        let metadata = ArrowReaderMetadata::try_new(Arc::clone(read.metadata()), options).map_err(unreadable)?;
        let mut opened = PopulationFile {
            people,
            metadata,
            starts: Vec::new(),
            ids: Vec::new(),
            cuts: Vec::new(),
        };
        let household = opened
            .place("household")
            .ok_or_else(|| unreadable("the column `household` is missing"))?;
        let persons = opened.persons();
        if persons == 0 {
            return Err(unreadable("it has no rows"));
        }
        let column = opened.column(household, &|column| households(&column))?;
        (opened.starts, opened.ids) = starts(&column)?;
        let mut from = 0;
        for (_, first, count) in opened.groups(&(0..persons)) {
            // the households that begin in this row group
            let to = opened
                .starts
                .partition_point(|start| *start < first + count)
                .min(opened.starts.len() - 1);
            if from < to {
                opened.cuts.push(from..to);
                from = to;
            }
        }
        Ok(opened)
    }

    /// How many persons there are.
    #[must_use]
    pub fn persons(&self) -> usize {
        usize::try_from(self.metadata.metadata().file_metadata().num_rows()).unwrap_or(0)
    }

    /// How many households there are.
    #[must_use]
    pub fn households(&self) -> usize {
        self.ids.len()
    }

    /// How many parts the file is read in.
    #[must_use]
    pub fn parts(&self) -> usize {
        self.cuts.len()
    }

    /// The numbers of the households that rows belong to; the rows rise, as they do in a [`crate::Swept`].
    #[must_use]
    pub fn households_of(&self, rows: &[u64]) -> Vec<i64> {
        let mut ends = self.starts.iter().skip(1).zip(&self.ids).peekable();
        let household = |row: &u64| {
            let row = usize::try_from(*row).unwrap_or(usize::MAX);
            while ends.next_if(|(end, _)| **end <= row).is_some() {}
            ends.peek().map_or(i64::MIN, |(_, id)| **id)
        };
        rows.iter().map(household).collect()
    }

    /// The place of a column in the file.
    fn place(&self, name: &str) -> Option<usize> {
        self.metadata.schema().index_of(name).ok()
    }

    /// The columns that a service's rules read of this file, by the name it has for them.
    pub(crate) fn wanted<'r>(&self, service: &str, rules: &'r Rules) -> Vec<Wanted<'r>> {
        let found = Use::all(rules).filter_map(|(name, of)| {
            let own = self.place(&format!("{service}.{name}"));
            let place = own.or_else(|| self.place(&name))?;
            Some(Wanted { name, of, place })
        });
        found.collect()
    }

    /// As [`PopulationFile::wanted`], without the columns that no outcome and no amount needs.
    pub(crate) fn needed<'r>(&self, service: &str, rules: &'r Rules) -> Vec<Wanted<'r>> {
        let needed = crate::sweep::inputs(rules);
        let mut wanted = self.wanted(service, rules);
        wanted.retain(|wanted| match wanted.of {
            Use::Input(input) => rules
                .inputs_of(input.entity)
                .position(|one| one.name == input.name)
                .is_some_and(|place| needed.contains(&(input.entity, place))),
            Use::Applicant => true,
        });
        wanted
    }

    /// All rows of the columns the rules ask for, on every core.
    pub(crate) fn whole(&self, rules: &Rules) -> Result<Population, RuleError> {
        let mut texts = Texts::new(&rules.symbols);
        let mut columns = Columns::new();
        for wanted in self.wanted("", rules) {
            let column = self.column(wanted.place, &Ok)?;
            columns.insert(wanted.name.clone(), wanted.of.read(&column, &mut texts)?);
        }
        Ok(Population::of(rules, self.persons(), self.starts.clone(), &columns))
    }

    /// The columns at `places` of part number `part`.
    pub(crate) fn part(&self, part: usize, places: &BTreeSet<usize>) -> Result<Part, RuleError> {
        let cut = self.cuts.get(part).cloned().unwrap_or_default();
        let starts = self.starts.get(cut.start..=cut.end).unwrap_or_default();
        let (Some(first), Some(end)) = (starts.first().copied(), starts.last().copied()) else {
            return Err(unreadable("a part of it is empty"));
        };
        let places: Vec<usize> = places.iter().copied().collect();
        Ok(Part {
            first,
            rows: end - first,
            starts: starts.iter().map(|start| start - first).collect(),
            columns: self.columns(&places, &(first..end))?,
            places,
        })
    }

    /// The row groups that hold these rows, with the row each begins at and how many it has.
    fn groups(&self, rows: &Range<usize>) -> Vec<(usize, usize, usize)> {
        let mut first = 0;
        let mut found = Vec::new();
        for (group, metadata) in self.metadata.metadata().row_groups().iter().enumerate() {
            let count = usize::try_from(metadata.num_rows()).unwrap_or(0);
            if first < rows.end && rows.start < first + count {
                found.push((group, first, count));
            }
            first += count;
        }
        found
    }

    /// Rows of some columns, in one pass over each row group they lie in. The places rise.
    fn columns(&self, places: &[usize], rows: &Range<usize>) -> Result<Vec<ArrayRef>, RuleError> {
        let mut parts: Vec<Vec<ArrayRef>> = vec![Vec::new(); places.len()];
        let mask = ProjectionMask::roots(self.metadata.parquet_schema(), places.iter().copied());
        for (group, first, count) in self.groups(rows) {
            let (from, to) = (rows.start.max(first), rows.end.min(first + count));
            // a file of its own, because threads that share one would move each other's place in it
            let file = File::open(self.people.path()).map_err(unreadable)?;
            let mut reader = ParquetRecordBatchReaderBuilder::new_with_metadata(file, self.metadata.clone())
                .with_projection(mask.clone())
                .with_row_groups(vec![group])
                .with_batch_size(to - from);
            if to - from < count {
                reader = reader.with_offset(from - first).with_limit(to - from);
            }
            for batch in reader.build().map_err(unreadable)? {
                let batch = batch.map_err(unreadable)?;
                for (column, part) in batch.columns().iter().zip(&mut parts) {
                    part.push(Arc::clone(column));
                }
            }
        }
        parts.iter().map(|parts| joined(parts)).collect()
    }

    /// One column of all rows, read and made ready on every core.
    fn column(
        &self,
        place: usize,
        ready: &(dyn Fn(ArrayRef) -> Result<ArrayRef, RuleError> + Sync),
    ) -> Result<ArrayRef, RuleError> {
        let all = self.groups(&(0..self.persons()));
        let parts = threads::each(all.len(), |number| match all.get(number) {
            Some((_, first, count)) => {
                let columns = self.columns(&[place], &(*first..first + count))?;
                ready(joined(&columns)?)
            }
            None => Err(unreadable("a row group is missing")),
        })?;
        joined(&parts)
    }
}

impl Wanted<'_> {
    /// Where the column stands in the file.
    pub fn place(&self) -> usize {
        self.place
    }
}

impl Part {
    /// The persons of the part as one service's rules read them.
    pub fn population(&self, rules: &Rules, wanted: &[Wanted<'_>]) -> Result<Population, RuleError> {
        // the numbers of texts that only the data have need not be the same in two parts: nothing compares across them
        let mut texts = Texts::new(&rules.symbols);
        let mut columns = Columns::new();
        for wanted in wanted {
            let column = self.places.binary_search(&wanted.place).ok();
            let column = column
                .and_then(|at| self.columns.get(at))
                .ok_or_else(|| unreadable("a column is missing"))?;
            columns.insert(wanted.name.clone(), wanted.of.read(column, &mut texts)?);
        }
        Ok(Population::of(rules, self.rows, self.starts.clone(), &columns))
    }
}
