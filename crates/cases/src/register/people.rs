//! The register read once from its first row to its last, household by household, with a few details of each person.

use std::collections::BTreeSet;

use arrow::array::{Array as _, AsArray as _};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Int64Type};
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use rules::PeopleFile;

use super::read::{PROFILE, ROWS, reader, unreadable};
use crate::CaseError;

/// One person of a household.
pub(crate) struct Member {
    /// Their row in the file.
    pub(crate) row: u64,
    /// The details asked for, in that order; empty where the register has none.
    pub(crate) details: Vec<String>,
}

impl Member {
    /// The detail of this place; empty where there is none.
    pub(crate) fn detail(&self, place: usize) -> &str {
        self.details.get(place).map_or("", String::as_str)
    }
}

/// Names of the columns there are.
pub(crate) fn columns(file: &PeopleFile) -> Result<BTreeSet<String>, CaseError> {
    let open = std::fs::File::open(file.path()).map_err(unreadable)?;
    let builder = ParquetRecordBatchReaderBuilder::try_new_with_options(open, file.options()).map_err(unreadable)?;
    Ok(builder
        .schema()
        .fields()
        .iter()
        .map(|field| field.name().clone())
        .collect())
}

/// Calls `each` with the persons of one household after another; `each` says whether to go on.
///
/// # Errors
/// [`CaseError::Rules`] when the file can't be read.
pub(crate) fn households(
    file: &PeopleFile,
    details: &[&str],
    mut each: impl FnMut(&[Member]) -> bool,
) -> Result<(), CaseError> {
    let wanted = |name: &str| {
        name == "household"
            || name
                .strip_prefix(PROFILE)
                .is_some_and(|detail| details.contains(&detail))
    };
    let (mut row, mut current, mut members) = (0, None, Vec::new());
    for batch in reader(file, wanted, ROWS)? {
        let batch = batch.map_err(unreadable)?;
        let numbers = batch
            .column_by_name("household")
            .ok_or_else(|| unreadable("the column `household` is missing"))?;
        let numbers = cast(numbers, &DataType::Int64).map_err(unreadable)?;
        let texts = details
            .iter()
            .map(|detail| {
                let column = batch.column_by_name(&format!("{PROFILE}{detail}"));
                column
                    .map(|column| cast(column, &DataType::Utf8).map_err(unreadable))
                    .transpose()
            })
            .collect::<Result<Vec<_>, _>>()?;
        for (at, household) in numbers.as_primitive::<Int64Type>().iter().enumerate() {
            if household != current && !members.is_empty() && !each(&std::mem::take(&mut members)) {
                return Ok(());
            }
            current = household;
            let detail = |column: &Option<arrow::array::ArrayRef>| match column {
                Some(column) if !column.is_null(at) => column.as_string::<i32>().value(at).to_owned(),
                _ => String::new(),
            };
            members.push(Member {
                row,
                details: texts.iter().map(detail).collect(),
            });
            row += 1;
        }
    }
    if !members.is_empty() {
        each(&members);
    }
    Ok(())
}
