//! Families of the register, read one after another from its file for the persons a sweep has found.

use std::collections::BTreeMap;
use std::fs::File;
use std::ops::Range;

use arrow::array::{Array, ArrayRef, AsArray as _, RecordBatch};
use arrow::compute::{cast, concat_batches};
use arrow::datatypes::{DataType, Date32Type, Int64Type};
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder};
use rules::{Entity, PeopleFile};
use serde_json::{Map, Value, json};
use services::Service;
use services::form::Listed;

use crate::CaseError;

/// Rows of one batch.
pub(super) const ROWS: usize = 8192;
/// What columns of a person's details begin with.
pub(super) const PROFILE: &str = "profile.";

/// One family, seen from the person a sweep has found.
pub(crate) struct Family {
    /// What the form is filled from.
    pub(crate) listed: Listed,
    /// Village or district, for counting.
    pub(crate) area: String,
    /// Whether what the sweep says of the person is *entitled*.
    pub(crate) row: usize,
}

pub(super) fn unreadable(error: impl std::fmt::Display) -> CaseError {
    CaseError::Rules(rules::RuleError::Population(error.to_string()))
}

pub(super) fn reader(
    file: &PeopleFile,
    wanted: impl Fn(&str) -> bool,
    rows: usize,
) -> Result<ParquetRecordBatchReader, CaseError> {
    let open = File::open(file.path()).map_err(unreadable)?;
    let builder = ParquetRecordBatchReaderBuilder::try_new_with_options(open, file.options()).map_err(unreadable)?;
    let places: Vec<usize> = builder
        .schema()
        .fields()
        .iter()
        .enumerate()
        .filter(|(_, field)| wanted(field.name()))
        .map(|(place, _)| place)
        .collect();
    let mask = ProjectionMask::roots(builder.parquet_schema(), places);
    builder
        .with_projection(mask)
        .with_batch_size(rows)
        .build()
        .map_err(unreadable)
}

/// The rows of the family each of these rows belongs to. Rows rise.
fn ranges(file: &PeopleFile, rows: &[u64]) -> Result<Vec<(usize, Range<usize>)>, CaseError> {
    let mut wanted = rows
        .iter()
        .map(|row| usize::try_from(*row).unwrap_or(usize::MAX))
        .peekable();
    let mut found: Vec<(usize, Range<usize>)> = Vec::with_capacity(rows.len());
    let (mut start, mut at, mut current) = (0, 0, None);
    // families already begun whose end is not known yet
    let mut open: Vec<usize> = Vec::new();
    let mut close = |open: &mut Vec<usize>, family: Range<usize>| {
        found.extend(open.drain(..).map(|row| (row, family.clone())));
    };
    for batch in reader(file, |name| name == "household", ROWS * 8)? {
        let batch = batch.map_err(unreadable)?;
        let column = cast(batch.column(0), &DataType::Int64).map_err(unreadable)?;
        for household in column.as_primitive::<Int64Type>() {
            if household != current || at == 0 {
                close(&mut open, start..at);
                (start, current) = (at, household);
            }
            if wanted.next_if_eq(&at).is_some() {
                open.push(at);
            }
            at += 1;
        }
    }
    close(&mut open, start..at);
    Ok(found)
}

/// The rows of the persons that are wanted, rising, each with what `wanted` says of their national id.
///
/// # Errors
/// [`CaseError::Rules`] when the file can't be read.
pub(crate) fn rows_of<T>(file: &PeopleFile, wanted: impl Fn(&str) -> Option<T>) -> Result<Vec<(u64, T)>, CaseError> {
    let (mut found, mut at) = (Vec::new(), 0_u64);
    for batch in reader(file, |name| name == "profile.national_id", ROWS)? {
        let batch = batch.map_err(unreadable)?;
        if batch.num_columns() == 0 {
            break;
        }
        let column = cast(batch.column(0), &DataType::Utf8).map_err(unreadable)?;
        for id in column.as_string::<i32>() {
            if let Some(one) = id.and_then(&wanted) {
                found.push((at, one));
            }
            at += 1;
        }
    }
    Ok(found)
}

/// Calls `each` with the family of every one of these rows, in their order; `each` says whether to go on.
///
/// # Errors
/// [`CaseError::Rules`] when the file can't be read.
pub(crate) fn families(
    file: &PeopleFile,
    service: &Service,
    rows: &[u64],
    mut each: impl FnMut(Family) -> bool,
) -> Result<(), CaseError> {
    let ranges = ranges(file, rows)?;
    let inputs: BTreeMap<String, (Entity, String)> = service
        .rules
        .inputs()
        .iter()
        .map(|input| {
            let column = match input.entity {
                Entity::Person => input.name.clone(),
                Entity::Household => format!("household.{}", input.name),
                Entity::Case => format!("case.{}", input.name),
            };
            (column, (input.entity, input.name.clone()))
        })
        .collect();
    let wanted = |name: &str| name.starts_with(PROFILE) || inputs.contains_key(name);
    let mut batches = reader(file, wanted, ROWS)?;
    // the part of the file in hand, and the row it begins at
    let mut hand: Option<(usize, RecordBatch)> = None;
    for (row, family) in ranges {
        loop {
            let read_to = hand.as_ref().map_or(0, |(from, batch)| from + batch.num_rows());
            if family.end <= read_to {
                break;
            }
            let next = batches
                .next()
                .ok_or_else(|| unreadable("a row is missing"))?
                .map_err(unreadable)?;
            hand = Some(match hand.take() {
                Some((from, batch)) if family.start < read_to && family.start >= from => {
                    let rest = batch.slice(family.start - from, read_to - family.start);
                    let joined = concat_batches(&next.schema(), [&rest, &next]).map_err(unreadable)?;
                    (family.start, joined)
                }
                _ => (read_to, next),
            });
        }
        let Some((from, batch)) = &hand else { continue };
        if !each(one(
            batch,
            &inputs,
            row,
            row - from,
            family.start - from..family.end - from,
        )?) {
            break;
        }
    }
    Ok(())
}

/// The family in these rows of a batch, seen from one of them.
fn one(
    batch: &RecordBatch,
    inputs: &BTreeMap<String, (Entity, String)>,
    row: usize,
    seen_from: usize,
    family: Range<usize>,
) -> Result<Family, CaseError> {
    let mut listed = Listed::default();
    let order: Vec<usize> = std::iter::once(seen_from)
        .chain(family.clone().filter(|at| *at != seen_from))
        .collect();
    listed.persons = vec![Map::new(); order.len()];
    let (mut area, mut bank, mut account) = (String::new(), None, None);
    for (place, field) in batch.schema().fields().iter().enumerate() {
        let column = batch.column(place);
        if let Some(detail) = field.name().strip_prefix(PROFILE) {
            let Value::String(text) = cell(column, seen_from)? else {
                continue;
            };
            match detail {
                "area" => area = text,
                "bank" => bank = Some(text),
                "account" => account = Some(text),
                _ => {
                    listed.profile.insert(detail.to_owned(), text);
                }
            }
            continue;
        }
        let Some((entity, name)) = inputs.get(field.name()) else {
            continue;
        };
        match entity {
            Entity::Case => drop(listed.case.insert(name.clone(), cell(column, seen_from)?)),
            Entity::Household => drop(listed.household.insert(name.clone(), cell(column, family.start)?)),
            Entity::Person => {
                for (person, at) in listed.persons.iter_mut().zip(&order) {
                    person.insert(name.clone(), cell(column, *at)?);
                }
            }
        }
    }
    for values in listed
        .persons
        .iter_mut()
        .chain([&mut listed.case, &mut listed.household])
    {
        values.retain(|_, value| !value.is_null());
    }
    listed.account = bank
        .zip(account)
        .map(|(bank, account)| json!({ "bank": bank, "account": account }));
    Ok(Family { listed, area, row })
}

/// A cell as the rules' data: texts, whole numbers, truths, and days as `1949-05-12`.
fn cell(column: &ArrayRef, row: usize) -> Result<Value, CaseError> {
    if column.is_null(row) {
        return Ok(Value::Null);
    }
    let one = column.slice(row, 1);
    Ok(match one.data_type() {
        DataType::Boolean => one.as_boolean().value(0).into(),
        DataType::Date32 => one
            .as_primitive::<Date32Type>()
            .value_as_date(0)
            .map_or(Value::Null, |date| date.to_string().into()),
        kind if kind.is_integer() => cast(&one, &DataType::Int64)
            .map_err(unreadable)?
            .as_primitive::<Int64Type>()
            .value(0)
            .into(),
        DataType::Decimal128(..) | DataType::Float64 | DataType::Float32 => {
            let text = cast(&one, &DataType::Utf8).map_err(unreadable)?;
            serde_json::from_str(text.as_string::<i32>().value(0)).map_err(unreadable)?
        }
        _ => cast(&one, &DataType::Utf8)
            .map_err(unreadable)?
            .as_string::<i32>()
            .value(0)
            .into(),
    })
}
