//! Everybody a sweep decides about: columns of persons, of their households and of the case each of them would make.

use crate::error::RuleError;
use crate::model::{Entity, Input, Type};
use crate::plan::data_type;
use crate::rules::Rules;
use crate::symbols::Texts;
use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, Int32Array, RecordBatch};
use arrow::compute::{CastOptions, cast, cast_with_options, concat};
use arrow::datatypes::{DataType, Int32Type, Int64Type};
use std::collections::HashMap;
use std::sync::Arc;

/// Everybody, household by household.
///
/// One row is one person. The column `household` (a whole number) says who belongs together; the rows of a household stand together.
/// Inputs of persons are columns of their name; those of the household and of the case are columns `household.<name>` and
/// `case.<name>`, read from the first row of the household and from the row of the applicant. A column that is missing
/// is not known for anybody. Who is an applicant says the column `applicant` or, without it, the rules' `candidates`.
/// In a file for several services ([`crate::PopulationFile`]) a column `<service>.<column>` is for that service alone.
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
pub(crate) enum Use<'a> {
    /// Who applies.
    Applicant,
    /// A fact the rules ask for.
    Input(&'a Input),
}

impl<'a> Use<'a> {
    /// Everything the rules read beside `household`, by the name its column has.
    pub fn all(rules: &'a Rules) -> impl Iterator<Item = (String, Use<'a>)> {
        let inputs = rules
            .inputs
            .iter()
            .map(|input| (column_of(input.entity, &input.name), Use::Input(input)));
        inputs.chain([("applicant".to_owned(), Use::Applicant)])
    }

    /// A part of the column in the type that plans use.
    pub fn read(self, column: &ArrayRef, texts: &mut Texts<'_>) -> Result<ArrayRef, RuleError> {
        match self {
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

/// The name of an input's column.
fn column_of(entity: Entity, name: &str) -> String {
    match entity {
        Entity::Person => name.to_owned(),
        Entity::Household => format!("household.{name}"),
        Entity::Case => format!("case.{name}"),
    }
}

/// The column that says who belongs together.
pub(crate) fn households(column: &ArrayRef) -> Result<ArrayRef, RuleError> {
    exact("household", column, &DataType::Int64)
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
fn numbers(input: &Input, column: &ArrayRef, texts: &mut Texts<'_>) -> Result<ArrayRef, RuleError> {
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
        numbers.push(texts.number(name));
    }
    let number = |key: i32| usize::try_from(key).ok().and_then(|key| numbers.get(key)).copied();
    let codes: Int32Array = coded.keys().unary(|key| number(key).unwrap_or_default());
    Ok(Arc::new(codes))
}

/// How texts are read: codes with a dictionary.
pub(crate) fn dictionary() -> DataType {
    DataType::Dictionary(Box::new(DataType::Int32), Box::new(DataType::Utf8))
}

/// Columns by name, in the types that plans use.
pub(crate) type Columns = HashMap<String, ArrayRef>;

pub(crate) fn joined(parts: &[ArrayRef]) -> Result<ArrayRef, RuleError> {
    match parts {
        [only] => Ok(Arc::clone(only)),
        _ => {
            let parts: Vec<&dyn Array> = parts.iter().map(AsRef::as_ref).collect();
            concat(&parts).map_err(unreadable)
        }
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

    pub(crate) fn new(rules: &Rules, batches: &[RecordBatch]) -> Result<Population, RuleError> {
        let Some(first) = batches.first() else {
            return Err(unreadable("it has no rows"));
        };
        let schema = first.schema();
        let part_of = |batch: &RecordBatch, name: &str| {
            let column = batch.column_by_name(name).map(Arc::clone);
            column.ok_or_else(|| unreadable(format!("a part of it has no column `{name}`")))
        };
        if schema.field_with_name("household").is_err() {
            return Err(unreadable("the column `household` is missing"));
        }
        let parts = batches.iter().map(|batch| households(&part_of(batch, "household")?));
        let household = joined(&parts.collect::<Result<Vec<_>, _>>()?)?;
        let mut texts = Texts::new(&rules.symbols);
        let mut columns = Columns::new();
        for (name, of) in Use::all(rules).filter(|(name, _)| schema.field_with_name(name).is_ok()) {
            let parts = batches.iter().map(|batch| of.read(&part_of(batch, &name)?, &mut texts));
            columns.insert(name.clone(), joined(&parts.collect::<Result<Vec<_>, _>>()?)?);
        }
        Ok(Population::of(rules, household.len(), starts(&household)?.0, &columns))
    }

    pub(crate) fn of(rules: &Rules, persons: usize, starts: Vec<usize>, columns: &Columns) -> Population {
        let inputs = |entity: Entity| -> Vec<Option<ArrayRef>> {
            let inputs = rules.inputs_of(entity);
            inputs
                .map(|input| columns.get(&column_of(entity, &input.name)).map(Arc::clone))
                .collect()
        };
        let applicant = columns.get("applicant").and_then(|column| column.as_boolean_opt());
        Population {
            persons,
            starts,
            applicant: applicant.cloned(),
            person: inputs(Entity::Person),
            household: inputs(Entity::Household),
            case: inputs(Entity::Case),
        }
    }
}

/// The first row of each household and the number of rows at the end, and the households' numbers.
pub(crate) fn starts(household: &ArrayRef) -> Result<(Vec<usize>, Vec<i64>), RuleError> {
    let household = household.as_primitive::<Int64Type>();
    if household.null_count() > 0 {
        return Err(unreadable("a person has no household"));
    }
    if household.len() > usize::try_from(u32::MAX).unwrap_or(usize::MAX) {
        return Err(unreadable("it has more than 4 billion persons"));
    }
    let mut starts: Vec<usize> = Vec::with_capacity(household.len() / 2 + 1);
    let mut ids: Vec<i64> = Vec::with_capacity(household.len() / 2);
    for (row, id) in household.values().iter().enumerate() {
        if ids.last() != Some(id) {
            starts.push(row);
            ids.push(*id);
        }
    }
    let twice = |ids: &[i64]| ids.windows(2).any(|pair| matches!(pair, [a, b] if a == b));
    let scattered = match ids.is_sorted() {
        true => twice(&ids),
        false => {
            let mut sorted = ids.clone();
            sorted.sort_unstable();
            twice(&sorted)
        }
    };
    if scattered {
        return Err(unreadable(
            "the rows of a household don't stand together; sort the table by `household`",
        ));
    }
    starts.push(household.len());
    Ok((starts, ids))
}
