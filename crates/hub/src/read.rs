//! Reading a version, and writing it out for people.

use arrow::array::{Array as _, AsArray as _, RecordBatch};
use arrow::compute::cast;
use arrow::datatypes::DataType;
use jiff::Timestamp;

use crate::dataset::Dataset;
use crate::error::HubError;
use crate::ingest::crypt;
use crate::lake::{At, Lake, conform};
use crate::values::begins_a_formula;

/// Calls `each` with every batch of a version, in the order the rows were loaded in, columns as the version has them.
/// Answers the number of the version; nothing where nothing was ever published.
///
/// # Errors
/// [`HubError::KeyMissing`], [`HubError::NoVersion`], the lake's, and what `each` says.
pub async fn each_batch(
    lake: &Lake,
    dataset: &Dataset,
    at: At,
    key: Option<&[u8]>,
    each: &mut (dyn FnMut(RecordBatch) -> Result<(), HubError> + Send),
) -> Result<Option<u64>, HubError> {
    let crypt = crypt(dataset, key)?;
    let Some(table) = lake.open(&dataset.id, at).await? else {
        return Ok(None);
    };
    let schema = table.schema()?;
    for file in table.files()? {
        let bytes = table.read(&file.path).await?;
        let fail = |error: &dyn std::fmt::Display| HubError::lake(&dataset.id, format!("`{}`: {error}", file.path));
        for batch in crypt.batches(bytes, None).map_err(|error| fail(&error))? {
            let batch = batch.map_err(|error| fail(&error))?;
            each(conform(&batch, &schema).map_err(|error| fail(&error))?)?;
        }
    }
    Ok(Some(table.version()))
}

/// Number of a version, when its rows were brought in, and how many they are; nothing where nothing was ever published.
///
/// # Errors
/// [`HubError::NoVersion`], and the lake's.
pub async fn standing(lake: &Lake, dataset: &Dataset, at: At) -> Result<Option<(u64, Timestamp, u64)>, HubError> {
    let Some(table) = lake.open(&dataset.id, at).await? else {
        return Ok(None);
    };
    let rows = table.files()?.iter().map(|file| file.rows).sum();
    Ok((table.version() > 0).then(|| (table.version(), table.loaded(), rows)))
}

/// A text as it may stand in a file that a spreadsheet opens: what would begin a formula gets an apostrophe before it,
/// which spreadsheets take for "this is text".
///
/// ```
/// assert_eq!(hub::for_spreadsheet("=1+1"), "'=1+1");
/// assert_eq!(hub::for_spreadsheet("王小明"), "王小明");
/// ```
#[must_use]
pub fn for_spreadsheet(text: &str) -> std::borrow::Cow<'_, str> {
    if begins_a_formula(text) {
        format!("'{text}").into()
    } else {
        text.into()
    }
}

/// Writes a batch as CSV in UTF-8, without a heading; texts can't become formulas.
///
/// # Errors
/// [`HubError::Source`] when a value has no text or the writer fails.
pub fn write_csv<W: std::io::Write>(batch: &RecordBatch, out: &mut csv::Writer<W>) -> Result<(), HubError> {
    let fail = |error: &dyn std::fmt::Display| HubError::source(format!("the rows can't be written: {error}"));
    let columns: Vec<(bool, arrow::array::ArrayRef)> = batch
        .columns()
        .iter()
        .map(|column| {
            let text = *column.data_type() == DataType::Utf8;
            cast(column, &DataType::Utf8).map(|column| (text, column))
        })
        .collect::<Result<_, _>>()
        .map_err(|error| fail(&error))?;
    for row in 0..batch.num_rows() {
        for (text, column) in &columns {
            let value = if column.is_null(row) {
                ""
            } else {
                column.as_string::<i32>().value(row)
            };
            let safe = if *text { for_spreadsheet(value) } else { value.into() };
            out.write_field(safe.as_bytes()).map_err(|error| fail(&error))?;
        }
        out.write_record(None::<&[u8]>).map_err(|error| fail(&error))?;
    }
    Ok(())
}
