//! A sweep: the same plan over everybody, in chunks of whole households, on every core.

use crate::error::RuleError;
use crate::expr::Node;
use crate::frame::{Frame, Table, is_true, nothing};
use crate::model::Entity;
use crate::plan::Plan;
use crate::population::{Population, unreadable};
use crate::rules::Rules;
use crate::threads;
use arrow::array::{
    Array, ArrayRef, AsArray, BooleanArray, BooleanBufferBuilder, Int64Array, UInt32Array, new_null_array,
};
use arrow::compute::{FilterBuilder, concat, take};
use arrow::datatypes::{DataType, Int64Type};
use arrow::error::ArrowError;
use datafusion_common::DataFusionError;
use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

/// Persons in a chunk: small enough for the columns of a few steps to stay in the processor's cache.
const CHUNK: usize = 64 * 1024;

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

/// Which inputs a sweep reads, as entity and place among its inputs: those that outcome and amounts come from.
pub(crate) fn inputs(rules: &Rules) -> HashSet<(Entity, usize)> {
    let needs = Needs::new(rules, false);
    let mut found = HashSet::new();
    let mut visit = |node: &Node| found.extend(node.columns().iter().map(|(of, column)| (of.entity(), *column)));
    rules.candidates.iter().for_each(&mut visit);
    for (place, step) in rules.steps.iter().enumerate() {
        if needs.first.get(place) == Some(&true) || needs.rest.get(place) == Some(&true) {
            visit(&step.node);
            step.rows.iter().for_each(&mut visit);
        }
    }
    found
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

/// The results of some households.
pub(crate) struct Chunk {
    applicant: Vec<u64>,
    outcome: ArrayRef,
    amounts: Vec<ArrayRef>,
}

/// Sweeps a population that is in memory.
pub(crate) fn sweep(rules: &Rules, plan: &Plan, population: &Population) -> Result<Swept, RuleError> {
    let needs = Needs::new(rules, population.applicant.is_some());
    let chunks = cut(&population.starts);
    let work = Work {
        rules,
        plan,
        population,
        needs: &needs,
        first: 0,
    };
    let done = threads::each(chunks.len(), |place| match chunks.get(place) {
        Some((from, to)) => work.chunk(*from, *to),
        None => Err(unreadable("a chunk is missing")),
    })?;
    joined(rules, &done)
}

/// Sweeps a part of a population on the calling thread. `first` is the row among all persons that it begins at.
pub(crate) fn chunks(
    rules: &Rules,
    plan: &Plan,
    population: &Population,
    first: usize,
) -> Result<Vec<Chunk>, RuleError> {
    let needs = Needs::new(rules, population.applicant.is_some());
    let work = Work {
        rules,
        plan,
        population,
        needs: &needs,
        first,
    };
    let chunks = cut(&population.starts);
    chunks.iter().map(|(from, to)| work.chunk(*from, *to)).collect()
}

/// Which steps are calculated when.
struct Needs {
    /// The outcome, then the amounts.
    results: Vec<usize>,
    /// What says who applies.
    first: Vec<bool>,
    /// What the results need beyond that.
    rest: Vec<bool>,
}

impl Needs {
    fn new(rules: &Rules, applicants_known: bool) -> Needs {
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
        let first = match applicants_known {
            true => vec![false; rules.steps.len()],
            false => needed(rules, rules.candidates.iter()),
        };
        let rest = whole
            .iter()
            .zip(&first)
            .map(|(whole, first)| *whole && !*first)
            .collect();
        Needs { results, first, rest }
    }
}

/// The results of all chunks as one.
pub(crate) fn joined(rules: &Rules, done: &[Chunk]) -> Result<Swept, RuleError> {
    let joined = |arrays: Vec<&ArrayRef>, kind: DataType| -> Result<ArrayRef, RuleError> {
        let arrays: Vec<&dyn Array> = arrays.into_iter().map(|array| array.as_ref() as &dyn Array).collect();
        match arrays.is_empty() {
            true => Ok(new_null_array(&kind, 0)),
            false => concat(&arrays).map_err(unreadable),
        }
    };
    let outcome = joined(done.iter().map(|chunk| &chunk.outcome).collect(), DataType::Boolean)?;
    let mut amounts = BTreeMap::new();
    for (at, place) in rules.amounts.iter().enumerate() {
        let arrays = done.iter().filter_map(|chunk| chunk.amounts.get(at)).collect();
        let array = joined(arrays, DataType::Int64)?;
        if let Some(info) = rules.infos.get(*place) {
            amounts.insert(info.name.clone(), array.as_primitive::<Int64Type>().clone());
        }
    }
    Ok(Swept {
        applicant: done.iter().flat_map(|chunk| chunk.applicant.iter().copied()).collect(),
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
    needs: &'a Needs,
    /// The row among all persons that the population begins at.
    first: usize,
}

impl Work<'_> {
    fn no_candidates(&self, error: &DataFusionError) -> RuleError {
        let node = self.rules.candidates.as_ref().map_or(0, |node| node.id);
        RuleError::step(self.rules, "candidates", node, error)
    }

    /// Decides the households `from` to `to` (exclusive).
    fn chunk(&self, from: usize, to: usize) -> Result<Chunk, RuleError> {
        let starts = self.population.starts.get(from..=to).unwrap_or_default();
        let (Some(begin), Some(end)) = (starts.first().copied(), starts.last().copied()) else {
            return Err(unreadable("a chunk is empty"));
        };
        let rows = end - begin;
        let sizes: Vec<usize> = starts
            .windows(2)
            .map(|pair| match pair {
                [start, end] => end - start,
                _ => 0,
            })
            .collect();
        let firsts: UInt32Array = starts
            .iter()
            .take(to - from)
            .map(|row| u32::try_from(*row).ok())
            .collect();
        let mut frame = Frame {
            person: self.columns(Entity::Person, &self.population.person, rows, |array| {
                Ok(array.slice(begin, rows))
            })?,
            household: self.columns(Entity::Household, &self.population.household, to - from, |array| {
                take(array, &firsts, None)
            })?,
            case: Table::default(),
            household_of_person: UInt32Array::from(Vec::<u32>::new()),
            household_of_case: UInt32Array::from(Vec::<u32>::new()),
            applicant_of_case: UInt32Array::from(Vec::<u32>::new()),
        };
        belong(&mut frame, &sizes);
        frame.run(self.rules, self.plan, &self.needs.first)?;
        let chosen = match (&self.population.applicant, &self.plan.candidates) {
            (Some(flags), _) => flags.slice(begin, rows),
            (None, Some(candidates)) => {
                let truth = frame
                    .evaluate(candidates, Entity::Person)
                    .map_err(|error| self.no_candidates(&error))?;
                truth.as_boolean().clone()
            }
            (None, None) => {
                return Err(unreadable(
                    "the column `applicant` is missing, and the rules name no `candidates`",
                ));
            }
        };
        let chosen = is_true(&chosen).map_err(|error| self.no_candidates(&error))?;
        let absolute: UInt32Array = chosen
            .values()
            .set_indices()
            .map(|row| u32::try_from(begin + row).ok())
            .collect();
        let chosen = narrow(&mut frame, &sizes, chosen).map_err(unreadable)?;
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
        frame.case = self.columns(Entity::Case, &self.population.case, applicants.len(), |array| {
            take(array, &absolute, None)
        })?;
        frame.applicant_of_case = UInt32Array::from(applicants);
        frame.run(self.rules, self.plan, &self.needs.rest)?;
        let mut results = self.needs.results.iter().map(|place| {
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
        let first = u64::try_from(self.first).unwrap_or(u64::MAX);
        Ok(Chunk {
            applicant: absolute.values().iter().map(|row| u64::from(*row) + first).collect(),
            outcome,
            amounts: results.collect::<Result<_, _>>()?,
        })
    }

    fn columns(
        &self,
        entity: Entity,
        inputs: &[Option<ArrayRef>],
        rows: usize,
        cut: impl Fn(&ArrayRef) -> Result<ArrayRef, ArrowError>,
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

/// Writes down who belongs to which household, by the households' numbers of persons.
fn belong(frame: &mut Frame, sizes: &[usize]) {
    let mut households = Vec::with_capacity(sizes.iter().sum());
    for (household, size) in sizes.iter().enumerate() {
        let household = u32::try_from(household).unwrap_or(u32::MAX);
        households.extend(std::iter::repeat_n(household, *size));
    }
    frame.household_of_person = UInt32Array::from(households);
}

/// Leaves out the households in which nobody is chosen, so that nothing is calculated for them. Returns who of those left
/// is chosen.
fn narrow(frame: &mut Frame, sizes: &[usize], chosen: BooleanArray) -> Result<BooleanArray, ArrowError> {
    let mut kept = vec![false; sizes.len()];
    for row in chosen.values().set_indices() {
        let household = frame.household_of_person.values().get(row);
        let household = household.and_then(|household| usize::try_from(*household).ok());
        if let Some(cell) = household.and_then(|household| kept.get_mut(household)) {
            *cell = true;
        }
    }
    let left: Vec<usize> = sizes
        .iter()
        .zip(&kept)
        .filter(|(_, kept)| **kept)
        .map(|(size, _)| *size)
        .collect();
    // copying a few columns costs more than it saves where most households stay
    if left.iter().sum::<usize>() > frame.person.rows / 4 * 3 {
        return Ok(chosen);
    }
    let mut persons = BooleanBufferBuilder::new(frame.person.rows);
    for (size, kept) in sizes.iter().zip(&kept) {
        persons.append_n(*size, *kept);
    }
    let persons = FilterBuilder::new(&BooleanArray::new(persons.finish(), None))
        .optimize()
        .build();
    let households = FilterBuilder::new(&BooleanArray::from(kept)).optimize().build();
    for (table, predicate) in [(&mut frame.person, &persons), (&mut frame.household, &households)] {
        table.rows = predicate.count();
        for column in table.columns.iter_mut().flatten() {
            *column = predicate.filter(column)?;
        }
    }
    belong(frame, &left);
    Ok(persons.filter(&chosen)?.as_boolean().clone())
}
