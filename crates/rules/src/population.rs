//! Everybody a sweep decides about: columns of persons, of their households and of the case each of them would make.

use crate::error::RuleError;
use crate::model::{Entity, Input, Type};
use crate::people_file::PeopleFile;
use crate::plan::data_type;
use crate::rules::Rules;
use crate::symbols::Texts;
use crate::threads;
use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, Int32Array, RecordBatch};
use arrow::compute::{CastOptions, cast, cast_with_options, concat};
use arrow::datatypes::{DataType, Field, Int32Type, Int64Type, Schema};
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{ArrowReaderMetadata, ParquetRecordBatchReaderBuilder};
use std::collections::HashMap;
use std::fs::File;
use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};

/// Everybody, household by household.
///
/// One row is one person. The column `household` (a whole number) says who belongs together; the rows of a household stand together.
/// Inputs of persons are columns of their name; those of the household and of the case are columns `household.<name>` and
/// `case.<name>`, read from the first row of the household and from the row of the applicant. A column that is missing
/// is not known for anybody. Who is an applicant says the column `applicant` or, without it, the rules' `candidates`.
#[derive(Debug)]
pub struct Population {
    pub(crate) persons: usize,
    /// The first row of each household, and the number of rows at the end.
    pub(crate) starts: Vec<usize>,
    pub(crate) applicant: Option<BooleanArray>,
    pub(crate) person: Vec<Option<ArrayRef>>,
    pub(crate) household: Vec<Option<ArrayRef>>,
    pub(crate) case: Vec<Option<ArrayRef>>,
}

pub(crate) fn unreadable(reason: impl std::fmt::Display) -> RuleError {
    RuleError::Population(reason.to_string())
}

/// What a column of a table is for.
#[derive(Clone, Copy)]
enum Use<'a> {
    /// Who belongs together.
    Household,
    /// Who applies.
    Applicant,
    /// A fact the rules ask for.
    Input(&'a Input),
}

impl<'a> Use<'a> {
    /// `None` where the rules don't read the column.
    fn of(rules: &'a Rules, name: &str) -> Option<Use<'a>> {
        let (entity, plain) = match name.split_once('.') {
            None if name == "household" => return Some(Use::Household),
            None if name == "applicant" => return Some(Use::Applicant),
            Some(("household", rest)) => (Entity::Household, rest),
            Some(("case", rest)) => (Entity::Case, rest),
            _ => (Entity::Person, name),
        };
        rules
            .inputs_of(entity)
            .find(|input| input.name == plain)
            .map(Use::Input)
    }

    fn is_text(self) -> bool {
        matches!(self, Use::Input(input) if input.kind == Type::Text)
    }

    /// A part of the column in the type that plans use.
    fn read(self, column: &ArrayRef, texts: &Mutex<Texts<'_>>) -> Result<ArrayRef, RuleError> {
        match self {
            Use::Household => exact("household", column, &DataType::Int64),
            Use::Applicant if column.data_type() == &DataType::Boolean => Ok(Arc::clone(column)),
            Use::Applicant => Err(unreadable("the column `applicant` must be true or false")),
            Use::Input(input) if input.kind == Type::Text => numbers(input, column, texts),
            Use::Input(input) => match data_type(input.kind) {
                wanted if *column.data_type() == wanted => Ok(Arc::clone(column)),
                wanted => exact(&input.name, column, &wanted),
            },
        }
    }
}

/// A column in another type, if nothing is lost by that: a value that doesn't fit must not become one that is not known.
fn exact(name: &str, column: &ArrayRef, wanted: &DataType) -> Result<ArrayRef, RuleError> {
    // Arrow's own message would say the value
    let lost = || {
        unreadable(format!(
            "column `{name}`: a value of type {} is no {wanted}",
            column.data_type()
        ))
    };
    let into = |column: &ArrayRef, kind: &DataType| {
        let options = CastOptions {
            safe: false,
            ..CastOptions::default()
        };
        cast_with_options(column, kind, &options).map_err(|_| lost())
    };
    let is_text = matches!(
        column.data_type(),
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View | DataType::Dictionary(..)
    );
    match wanted {
        // a text is read with more digits first, so that none is rounded away unseen
        DataType::Decimal128(..) if is_text => exact(name, &into(column, &DataType::Decimal128(38, 18))?, wanted),
        _ if is_text => into(column, wanted),
        _ => {
            let read = into(column, wanted)?;
            match &into(&read, column.data_type())? == column {
                true => Ok(read),
                false => Err(lost()),
            }
        }
    }
}

/// A column of texts as the numbers they have in plans.
fn numbers(input: &Input, column: &ArrayRef, texts: &Mutex<Texts<'_>>) -> Result<ArrayRef, RuleError> {
    let dictionary = dictionary();
    let coded = match column.data_type() == &dictionary {
        true => Arc::clone(column),
        false => cast(column, &dictionary).map_err(|error| unreadable(format!("column `{}`: {error}", input.name)))?,
    };
    let coded = coded.as_dictionary::<Int32Type>();
    let mut numbers = Vec::new();
    for name in coded.values().as_string::<i32>().iter() {
        let name = name.unwrap_or_default();
        if !input.values.is_empty() && !input.values.iter().any(|value| value == name) {
            return Err(unreadable(format!(
                "column `{}`: a value must be one of {}",
                input.name,
                input.values.join(", ")
            )));
        }
        numbers.push(texts.lock().unwrap_or_else(PoisonError::into_inner).number(name));
    }
    let number = |key: i32| usize::try_from(key).ok().and_then(|key| numbers.get(key)).copied();
    let codes: Int32Array = coded.keys().unary(|key| number(key).unwrap_or_default());
    Ok(Arc::new(codes))
}

fn dictionary() -> DataType {
    DataType::Dictionary(Box::new(DataType::Int32), Box::new(DataType::Utf8))
}

/// Columns by name, in the types that plans use.
type Columns = HashMap<String, ArrayRef>;

fn joined(parts: &[ArrayRef]) -> Result<ArrayRef, RuleError> {
    match parts {
        [only] => Ok(Arc::clone(only)),
        _ => {
            let parts: Vec<&dyn Array> = parts.iter().map(AsRef::as_ref).collect();
            concat(&parts).map_err(unreadable)
        }
    }
}

/// A Parquet file whose columns are read one by one.
struct Table {
    file: PeopleFile,
    metadata: ArrowReaderMetadata,
}

impl Table {
    fn open(rules: &Rules, people: PeopleFile) -> Result<Table, RuleError> {
        let file = File::open(&people.path).map_err(unreadable)?;
        let read = ArrowReaderMetadata::load(&file, people.options()).map_err(unreadable)?;
        // texts come as codes with a dictionary, however they were written
        let coded = |field: &Arc<Field>| {
            let is_text = Use::of(rules, field.name()).is_some_and(Use::is_text);
            match field.data_type() {
                DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View if is_text => {
                    Arc::new(Field::new(field.name(), dictionary(), field.is_nullable()))
                }
                _ => Arc::clone(field),
            }
        };
        let fields: Vec<Arc<Field>> = read.schema().fields().iter().map(coded).collect();
        let options = people.options().with_schema(Arc::new(Schema::new(fields)));
        let metadata = ArrowReaderMetadata::try_new(Arc::clone(read.metadata()), options).map_err(unreadable)?;
        Ok(Table { file: people, metadata })
    }

    /// How many persons there are.
    fn persons(&self) -> usize {
        usize::try_from(self.metadata.metadata().file_metadata().num_rows()).unwrap_or(0)
    }

    /// The columns the rules read, with their place in the file.
    fn wanted<'r>(&self, rules: &'r Rules) -> Vec<(usize, String, Use<'r>)> {
        let fields = self.metadata.schema().fields();
        fields
            .iter()
            .enumerate()
            .filter_map(|(place, field)| Some((place, field.name().clone(), Use::of(rules, field.name())?)))
            .collect()
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

    /// Rows of some columns, in one pass over each row group they lie in.
    fn columns(
        &self,
        wanted: &[(usize, String, Use<'_>)],
        rows: &Range<usize>,
        texts: &Mutex<Texts<'_>>,
    ) -> Result<Vec<ArrayRef>, RuleError> {
        let mut parts: Vec<Vec<ArrayRef>> = vec![Vec::new(); wanted.len()];
        let places = wanted.iter().map(|(place, _, _)| *place);
        let mask = ProjectionMask::roots(self.metadata.parquet_schema(), places);
        for (group, first, count) in self.groups(rows) {
            let (from, to) = (rows.start.max(first), rows.end.min(first + count));
            // a file of its own, because threads that share one would move each other's place in it
            let file = File::open(&self.file.path).map_err(unreadable)?;
            let mut reader = ParquetRecordBatchReaderBuilder::new_with_metadata(file, self.metadata.clone())
                .with_projection(mask.clone())
                .with_row_groups(vec![group])
                .with_batch_size(to - from);
            if to - from < count {
                reader = reader.with_offset(from - first).with_limit(to - from);
            }
            for batch in reader.build().map_err(unreadable)? {
                let batch = batch.map_err(unreadable)?;
                for ((_, name, of), part) in wanted.iter().zip(&mut parts) {
                    let column = batch
                        .column_by_name(name)
                        .ok_or_else(|| unreadable("a column is missing"))?;
                    part.push(of.read(column, texts)?);
                }
            }
        }
        parts.iter().map(|parts| joined(parts)).collect()
    }

    /// One column of all rows, on every core.
    fn column(&self, wanted: &(usize, String, Use<'_>), texts: &Mutex<Texts<'_>>) -> Result<ArrayRef, RuleError> {
        let all = self.groups(&(0..self.persons()));
        let parts = threads::each(all.len(), |number| match all.get(number) {
            Some((_, first, count)) => self.columns(std::slice::from_ref(wanted), &(*first..first + count), texts),
            None => Err(unreadable("a row group is missing")),
        })?;
        joined(&parts.into_iter().flatten().collect::<Vec<_>>())
    }
}

/// A population that stays in its file: parts of whole households, read one by one.
pub(crate) struct Parts<'a> {
    table: Table,
    wanted: Vec<(usize, String, Use<'a>)>,
    texts: Mutex<Texts<'a>>,
    starts: Vec<usize>,
    /// Ranges of households, about a row group each.
    cuts: Vec<Range<usize>>,
}

impl<'a> Parts<'a> {
    pub fn open(rules: &'a Rules, file: PeopleFile) -> Result<Parts<'a>, RuleError> {
        let table = Table::open(rules, file)?;
        let mut wanted = table.wanted(rules);
        let needed = crate::sweep::inputs(rules);
        wanted.retain(|(_, _, of)| match of {
            Use::Input(input) => rules
                .inputs_of(input.entity)
                .position(|one| one.name == input.name)
                .is_some_and(|place| needed.contains(&(input.entity, place))),
            _ => true,
        });
        let texts = Mutex::new(Texts::new(&rules.symbols));
        let household = wanted
            .iter()
            .position(|(_, _, of)| matches!(of, Use::Household))
            .ok_or_else(|| unreadable("the column `household` is missing"))?;
        let household = wanted.swap_remove(household);
        let persons = table.persons();
        if persons == 0 {
            return Err(unreadable("it has no rows"));
        }
        let starts = starts(&table.column(&household, &texts)?)?;
        let mut cuts = Vec::new();
        let mut from = 0;
        for (_, first, count) in table.groups(&(0..persons)) {
            // the households that begin in this row group
            let to = starts
                .partition_point(|start| *start < first + count)
                .min(starts.len() - 1);
            if from < to {
                cuts.push(from..to);
                from = to;
            }
        }
        Ok(Parts {
            table,
            wanted,
            texts,
            starts,
            cuts,
        })
    }

    pub fn persons(&self) -> usize {
        self.table.persons()
    }

    pub fn households(&self) -> usize {
        self.starts.len().saturating_sub(1)
    }

    pub fn count(&self) -> usize {
        self.cuts.len()
    }

    /// Part number `place`, with the row among all persons it begins at.
    pub fn read(&self, rules: &Rules, place: usize) -> Result<(usize, Population), RuleError> {
        let cut = self.cuts.get(place).cloned().unwrap_or_default();
        let starts = self.starts.get(cut.start..=cut.end).unwrap_or_default();
        let (Some(first), Some(end)) = (starts.first().copied(), starts.last().copied()) else {
            return Err(unreadable("a part of it is empty"));
        };
        let columns = self.table.columns(&self.wanted, &(first..end), &self.texts)?;
        let names = self.wanted.iter().map(|(_, name, _)| name.clone());
        let columns: Columns = names.zip(columns).collect();
        let starts = starts.iter().map(|start| start - first).collect();
        Ok((first, Population::of(rules, end - first, starts, &columns)))
    }
}

impl Population {
    /// How many persons there are.
    #[must_use]
    pub fn persons(&self) -> usize {
        self.persons
    }

    /// How many households there are.
    #[must_use]
    pub fn households(&self) -> usize {
        self.starts.len().saturating_sub(1)
    }

    /// Reads the columns the rules ask for, on every core.
    pub(crate) fn read(rules: &Rules, file: PeopleFile) -> Result<Population, RuleError> {
        let table = Table::open(rules, file)?;
        let wanted = table.wanted(rules);
        let persons = table.persons();
        if persons == 0 {
            return Err(unreadable("it has no rows"));
        }
        let texts = Mutex::new(Texts::new(&rules.symbols));
        let mut columns = Columns::new();
        for column in &wanted {
            columns.insert(column.1.clone(), table.column(column, &texts)?);
        }
        Population::whole(rules, &columns)
    }

    pub(crate) fn new(rules: &Rules, batches: &[RecordBatch]) -> Result<Population, RuleError> {
        let Some(first) = batches.first() else {
            return Err(unreadable("it has no rows"));
        };
        let texts = Mutex::new(Texts::new(&rules.symbols));
        let mut columns = Columns::new();
        for field in first.schema().fields() {
            let Some(of) = Use::of(rules, field.name()) else {
                continue;
            };
            let mut parts = Vec::with_capacity(batches.len());
            for batch in batches {
                let column = batch
                    .column_by_name(field.name())
                    .ok_or_else(|| unreadable(format!("a part of it has no column `{}`", field.name())))?;
                parts.push(of.read(column, &texts)?);
            }
            columns.insert(field.name().clone(), joined(&parts)?);
        }
        Population::whole(rules, &columns)
    }

    fn whole(rules: &Rules, columns: &Columns) -> Result<Population, RuleError> {
        let household = columns
            .get("household")
            .ok_or_else(|| unreadable("the column `household` is missing"))?;
        let persons = household.len();
        if persons > usize::try_from(u32::MAX).unwrap_or(usize::MAX) {
            return Err(unreadable("it has more than 4 billion persons"));
        }
        Ok(Population::of(rules, persons, starts(household)?, columns))
    }

    fn of(rules: &Rules, persons: usize, starts: Vec<usize>, columns: &Columns) -> Population {
        let inputs = |entity: Entity, prefix: &str| -> Vec<Option<ArrayRef>> {
            let inputs = rules.inputs_of(entity);
            inputs
                .map(|input| columns.get(&format!("{prefix}{}", input.name)).map(Arc::clone))
                .collect()
        };
        let applicant = columns.get("applicant").and_then(|column| column.as_boolean_opt());
        Population {
            persons,
            starts,
            applicant: applicant.cloned(),
            person: inputs(Entity::Person, ""),
            household: inputs(Entity::Household, "household."),
            case: inputs(Entity::Case, "case."),
        }
    }
}

/// The first row of each household, and the number of rows at the end.
fn starts(household: &ArrayRef) -> Result<Vec<usize>, RuleError> {
    let household = household.as_primitive::<Int64Type>();
    if household.null_count() > 0 {
        return Err(unreadable("a person has no household"));
    }
    let mut starts: Vec<usize> = Vec::with_capacity(household.len() / 2 + 1);
    let mut ids: Vec<i64> = Vec::with_capacity(household.len() / 2);
    for (row, id) in household.values().iter().enumerate() {
        if ids.last() != Some(id) {
            starts.push(row);
            ids.push(*id);
        }
    }
    if !ids.is_sorted() {
        ids.sort_unstable();
    }
    if ids.windows(2).any(|pair| matches!(pair, [a, b] if a == b)) {
        return Err(unreadable(
            "the rows of a household don't stand together; sort the table by `household`",
        ));
    }
    starts.push(household.len());
    Ok(starts)
}
