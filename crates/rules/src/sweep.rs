//! A sweep: the same plan over everybody, in chunks of whole households, on every core.

use crate::error::RuleError;
use crate::expr::Node;
use crate::frame::{Frame, Table, is_true, nothing};
use crate::model::{Entity, Input, Type};
use crate::plan::{Plan, data_type};
use crate::rules::Rules;
use crate::symbols::Texts;
use datafusion::arrow::array::{
    Array, ArrayRef, AsArray, BooleanArray, Int32Array, Int64Array, RecordBatch, UInt32Array, new_null_array,
};
use datafusion::arrow::compute::{cast, concat, concat_batches, take};
use datafusion::arrow::datatypes::{DataType, Int32Type, Int64Type};
use datafusion::parquet::arrow::arrow_reader::{ArrowReaderOptions, ParquetRecordBatchReaderBuilder};
use std::collections::BTreeMap;
use std::fs::File;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Persons in a chunk: small enough for the columns of a few steps to stay in the processor's cache.
const CHUNK: usize = 16 * 1024;

/// Everybody, household by household.
///
/// One row is one person. The column `household` (a whole number) says who belongs together; the rows of a household stand together.
/// Inputs of persons are columns of their name; those of the household and of the case are columns `household.<name>` and
/// `case.<name>`, read from the first row of the household and from the row of the applicant. A column that is missing
/// is not known for anybody. Who is an applicant says the column `applicant` or, without it, the rules' `candidates`.
#[derive(Debug)]
pub struct Population {
    persons: usize,
    /// The first row of each household, and the number of rows at the end.
    starts: Vec<usize>,
    applicant: Option<BooleanArray>,
    person: Vec<Option<ArrayRef>>,
    household: Vec<Option<ArrayRef>>,
    case: Vec<Option<ArrayRef>>,
}

/// What a sweep found: one row for each case, in the order of the persons.
#[derive(Debug)]
pub struct Swept {
    /// The row of the applicant among the persons.
    pub applicant: Vec<u64>,
    /// Whether they are entitled; NULL where that is not known.
    pub outcome: BooleanArray,
    /// Each amount in whole NT dollars; NULL where it is not known.
    pub amounts: BTreeMap<String, Int64Array>,
}

impl Swept {
    /// How many cases are entitled, how many not, and of how many that is not known.
    #[must_use]
    pub fn counts(&self) -> (usize, usize, usize) {
        let unknown = self.outcome.null_count();
        let entitled = self.outcome.true_count();
        (entitled, self.outcome.len() - unknown - entitled, unknown)
    }
}

fn unreadable(reason: impl std::fmt::Display) -> RuleError {
    RuleError::Population(reason.to_string())
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

    pub(crate) fn read(rules: &Rules, path: &Path) -> Result<Population, RuleError> {
        let file = File::open(path).map_err(unreadable)?;
        let builder = ParquetRecordBatchReaderBuilder::try_new_with_options(file, ArrowReaderOptions::new())
            .map_err(unreadable)?;
        let wanted: Vec<usize> = (0..builder.schema().fields().len())
            .filter(|place| {
                builder
                    .schema()
                    .fields()
                    .get(*place)
                    .is_some_and(|field| is_wanted(rules, field.name()))
            })
            .collect();
        let mask = datafusion::parquet::arrow::ProjectionMask::roots(builder.parquet_schema(), wanted);
        let reader = builder
            .with_projection(mask)
            .with_batch_size(256 * 1024)
            .build()
            .map_err(unreadable)?;
        let batches = reader.collect::<Result<Vec<_>, _>>().map_err(unreadable)?;
        Population::new(rules, &batches)
    }

    pub(crate) fn new(rules: &Rules, batches: &[RecordBatch]) -> Result<Population, RuleError> {
        let Some(first) = batches.first() else {
            return Err(unreadable("it has no rows"));
        };
        let whole;
        let batch = match batches {
            [only] => only,
            _ => {
                whole = concat_batches(&first.schema(), batches).map_err(unreadable)?;
                &whole
            }
        };
        let persons = batch.num_rows();
        if persons > usize::try_from(u32::MAX).unwrap_or(usize::MAX) {
            return Err(unreadable("it has more than 4 billion persons"));
        }
        let household = batch
            .column_by_name("household")
            .ok_or_else(|| unreadable("the column `household` is missing"))?;
        let household = cast(household, &DataType::Int64).map_err(unreadable)?;
        let household = household.as_primitive::<Int64Type>();
        if household.null_count() > 0 {
            return Err(unreadable("a person has no household"));
        }
        let mut starts: Vec<usize> = Vec::with_capacity(persons / 2);
        let mut before = None;
        for (row, id) in household.values().iter().enumerate() {
            if before != Some(*id) {
                starts.push(row);
                before = Some(*id);
            }
        }
        let mut ids: Vec<i64> = starts
            .iter()
            .filter_map(|row| household.values().get(*row).copied())
            .collect();
        ids.sort_unstable();
        if ids.windows(2).any(|pair| matches!(pair, [a, b] if a == b)) {
            return Err(unreadable(
                "the rows of a household don't stand together; sort the table by `household`",
            ));
        }
        starts.push(persons);
        let applicant = match batch.column_by_name("applicant") {
            Some(column) => match column.as_boolean_opt() {
                Some(flags) => Some(flags.clone()),
                None => return Err(unreadable("the column `applicant` must be true or false")),
            },
            None => None,
        };
        let mut texts = Texts::new(&rules.symbols);
        let mut of = |entity: Entity, prefix: &str| -> Result<Vec<Option<ArrayRef>>, RuleError> {
            let inputs = rules.inputs_of(entity);
            inputs
                .map(|input| {
                    let column = batch.column_by_name(&format!("{prefix}{}", input.name));
                    column.map(|column| as_input(input, column, &mut texts)).transpose()
                })
                .collect()
        };
        let person = of(Entity::Person, "")?;
        let household = of(Entity::Household, "household.")?;
        let case = of(Entity::Case, "case.")?;
        Ok(Population {
            persons,
            starts,
            applicant,
            person,
            household,
            case,
        })
    }
}

/// Whether a column of a file is one the rules read.
fn is_wanted(rules: &Rules, name: &str) -> bool {
    let (entity, plain) = match name.split_once('.') {
        Some(("household", rest)) => (Entity::Household, rest),
        Some(("case", rest)) => (Entity::Case, rest),
        _ => (Entity::Person, name),
    };
    matches!(name, "household" | "applicant") || rules.inputs_of(entity).any(|input| input.name == plain)
}

/// A column in the type that plans use.
fn as_input(input: &Input, column: &ArrayRef, texts: &mut Texts<'_>) -> Result<ArrayRef, RuleError> {
    if input.kind != Type::Text {
        let wanted = data_type(input.kind);
        if *column.data_type() == wanted {
            return Ok(Arc::clone(column));
        }
        return cast(column, &wanted).map_err(|error| unreadable(format!("column `{}`: {error}", input.name)));
    }
    let dictionary = DataType::Dictionary(Box::new(DataType::Int32), Box::new(DataType::Utf8));
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
        numbers.push(texts.number(name));
    }
    take(&Int32Array::from(numbers), coded.keys(), None).map_err(unreadable)
}

/// Which steps a list of expressions needs, those below them included.
fn needed<'a>(rules: &'a Rules, roots: impl Iterator<Item = &'a Node>) -> Vec<bool> {
    let mut needed = vec![false; rules.steps.len()];
    let mut left: Vec<&Node> = roots.collect();
    while let Some(node) = left.pop() {
        for (of, column) in node.columns() {
            if let Some(place) = rules.step_of(of.entity(), column)
                && let Some(cell) = needed.get_mut(place).filter(|cell| !**cell)
            {
                *cell = true;
                if let Some(step) = rules.steps.get(place) {
                    left.push(&step.node);
                    left.extend(&step.rows);
                }
            }
        }
    }
    needed
}

struct Chunk {
    applicant: Vec<u64>,
    outcome: ArrayRef,
    amounts: Vec<ArrayRef>,
}

pub(crate) fn sweep(rules: &Rules, plan: &Plan, population: &Population) -> Result<Swept, RuleError> {
    if population.applicant.is_none() && rules.candidates.is_none() {
        return Err(unreadable(
            "the column `applicant` is missing, and the rules name no `candidates`",
        ));
    }
    let results: Vec<usize> = std::iter::once(rules.outcome)
        .chain(rules.amounts.iter().copied())
        .collect();
    let nodes = results
        .iter()
        .filter_map(|place| rules.steps.get(*place))
        .map(|step| &step.node);
    let mut whole = needed(rules, nodes);
    for place in &results {
        if let Some(cell) = whole.get_mut(*place) {
            *cell = true;
        }
    }
    let first = match population.applicant {
        Some(_) => vec![false; rules.steps.len()],
        None => needed(rules, rules.candidates.iter()),
    };
    let work = Work {
        rules,
        plan,
        population,
        results: &results,
        first: &first,
        whole: &whole,
    };
    let chunks = cut(&population.starts);
    let next = AtomicUsize::new(0);
    let threads = std::thread::available_parallelism()
        .map_or(1, usize::from)
        .min(chunks.len().max(1));
    let run = || {
        let mut done = Vec::new();
        loop {
            let place = next.fetch_add(1, Ordering::Relaxed);
            let Some((from, to)) = chunks.get(place) else {
                return Ok(done);
            };
            done.push((place, work.chunk(*from, *to)?));
        }
    };
    let mut done: Vec<(usize, Chunk)> = std::thread::scope(|scope| {
        let others: Vec<_> = (1..threads).map(|_| scope.spawn(run)).collect();
        let mut all = run()?;
        for other in others {
            all.extend(other.join().map_err(|_| unreadable("a worker stopped"))??);
        }
        Ok::<_, RuleError>(all)
    })?;
    done.sort_by_key(|(place, _)| *place);
    let joined = |arrays: Vec<&ArrayRef>, kind: DataType| -> Result<ArrayRef, RuleError> {
        let arrays: Vec<&dyn Array> = arrays.into_iter().map(|array| array.as_ref() as &dyn Array).collect();
        match arrays.is_empty() {
            true => Ok(new_null_array(&kind, 0)),
            false => concat(&arrays).map_err(unreadable),
        }
    };
    let outcome = joined(
        done.iter().map(|(_, chunk)| &chunk.outcome).collect(),
        DataType::Boolean,
    )?;
    let mut amounts = BTreeMap::new();
    for (at, place) in rules.amounts.iter().enumerate() {
        let arrays = done.iter().filter_map(|(_, chunk)| chunk.amounts.get(at)).collect();
        let array = joined(arrays, DataType::Int64)?;
        if let Some(info) = rules.infos.get(*place) {
            amounts.insert(info.name.clone(), array.as_primitive::<Int64Type>().clone());
        }
    }
    Ok(Swept {
        applicant: done
            .iter()
            .flat_map(|(_, chunk)| chunk.applicant.iter().copied())
            .collect(),
        outcome: outcome.as_boolean().clone(),
        amounts,
    })
}

/// Ranges of households with about [`CHUNK`] persons each.
fn cut(starts: &[usize]) -> Vec<(usize, usize)> {
    let mut chunks = Vec::new();
    let (mut from, mut row) = (0, starts.first().copied().unwrap_or_default());
    for (household, end) in starts.iter().enumerate().skip(1) {
        if end - row >= CHUNK || household + 1 == starts.len() {
            chunks.push((from, household));
            (from, row) = (household, *end);
        }
    }
    chunks
}

struct Work<'a> {
    rules: &'a Rules,
    plan: &'a Plan,
    population: &'a Population,
    /// The outcome, then the amounts.
    results: &'a [usize],
    /// What the candidates need.
    first: &'a [bool],
    whole: &'a [bool],
}

impl Work<'_> {
    /// Decides the households `from` to `to` (exclusive).
    fn chunk(&self, from: usize, to: usize) -> Result<Chunk, RuleError> {
        let starts = self.population.starts.get(from..=to).unwrap_or_default();
        let (Some(begin), Some(end)) = (starts.first().copied(), starts.last().copied()) else {
            return Err(unreadable("a chunk is empty"));
        };
        let rows = end - begin;
        let mut groups = Vec::with_capacity(rows);
        let mut household_of_person = Vec::with_capacity(rows);
        for (household, pair) in starts.windows(2).enumerate() {
            let size = match pair {
                [start, end] => end - start,
                _ => 0,
            };
            groups.extend(std::iter::repeat_n(household, size));
            household_of_person.extend(std::iter::repeat_n(u32::try_from(household).unwrap_or(u32::MAX), size));
        }
        let person = self.columns(Entity::Person, &self.population.person, rows, |array| {
            Ok(array.slice(begin, rows))
        })?;
        let firsts: UInt32Array = starts
            .iter()
            .take(to - from)
            .map(|row| u32::try_from(*row).ok())
            .collect();
        let household = self.columns(Entity::Household, &self.population.household, to - from, |array| {
            take(array, &firsts, None)
        })?;
        let mut frame = Frame {
            person,
            household,
            case: Table::default(),
            groups,
            household_of_person: UInt32Array::from(household_of_person),
            household_of_case: UInt32Array::from(Vec::<u32>::new()),
            applicant_of_case: UInt32Array::from(Vec::<u32>::new()),
        };
        frame.run(self.rules, self.plan, self.first)?;
        let chosen = match (&self.population.applicant, &self.plan.candidates) {
            (Some(flags), _) => flags.slice(begin, rows),
            (None, Some(candidates)) => {
                let truth = frame
                    .evaluate(candidates, Entity::Person)
                    .map_err(|error| RuleError::step("candidates", &error))?;
                truth.as_boolean().clone()
            }
            (None, None) => return Err(unreadable("nobody says who applies")),
        };
        let chosen = is_true(&chosen).map_err(|error| RuleError::step("candidates", &error))?;
        let applicants: Vec<u32> = chosen
            .values()
            .set_indices()
            .filter_map(|row| u32::try_from(row).ok())
            .collect();
        let households = applicants.iter().map(|row| {
            usize::try_from(*row)
                .ok()
                .and_then(|row| frame.household_of_person.values().get(row))
                .copied()
                .unwrap_or_default()
        });
        frame.household_of_case = households.collect::<Vec<u32>>().into();
        let absolute: UInt32Array = applicants
            .iter()
            .map(|row| u32::try_from(begin).ok().and_then(|begin| begin.checked_add(*row)))
            .collect();
        frame.case = self.columns(Entity::Case, &self.population.case, applicants.len(), |array| {
            take(array, &absolute, None)
        })?;
        frame.applicant_of_case = UInt32Array::from(applicants);
        let rest: Vec<bool> = self
            .whole
            .iter()
            .zip(self.first)
            .map(|(whole, first)| *whole && !*first)
            .collect();
        frame.run(self.rules, self.plan, &rest)?;
        let mut results = self.results.iter().map(|place| {
            let step = self.rules.steps.get(*place);
            let array = step.and_then(|step| frame.column(Entity::Case, step.column));
            array
                .map(Arc::clone)
                .ok_or_else(|| unreadable("a result was not calculated"))
        });
        let outcome = results
            .next()
            .transpose()?
            .ok_or_else(|| unreadable("there is no outcome"))?;
        Ok(Chunk {
            applicant: absolute.values().iter().map(|row| u64::from(*row)).collect(),
            outcome,
            amounts: results.collect::<Result<_, _>>()?,
        })
    }

    fn columns(
        &self,
        entity: Entity,
        inputs: &[Option<ArrayRef>],
        rows: usize,
        cut: impl Fn(&ArrayRef) -> Result<ArrayRef, datafusion::arrow::error::ArrowError>,
    ) -> Result<Table, RuleError> {
        let mut columns = Vec::with_capacity(self.rules.names.table(entity).len());
        for (input, array) in self.rules.inputs_of(entity).zip(inputs) {
            columns.push(Some(match array {
                Some(array) => cut(array).map_err(unreadable)?,
                None => nothing(input.kind, rows),
            }));
        }
        columns.resize(self.rules.names.table(entity).len(), None);
        Ok(Table { rows, columns })
    }
}
