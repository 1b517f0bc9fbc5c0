//! Tables as they come: Arrow record batches whose columns are texts.

use crate::error::LinkError;
use arrow::array::{Array, ArrayRef, LargeStringArray, LargeStringBuilder, RecordBatch, StringArray};
use arrow::datatypes::{DataType, Field, Schema};
use std::io::Read;
use std::path::Path;
use std::sync::Arc;

/// Most rows of one table.
pub const MOST_ROWS: usize = 100_000_000;
/// Most columns of a file.
const MOST_COLUMNS: usize = 512;
/// Longest value that is read, in bytes; what is longer is cut, since no comparison looks at more.
const LONGEST: usize = 1024;

/// Reads a CSV file with a header (UTF-8, RFC 4180) into one batch of nullable texts. Values are trimmed; an empty one is NULL.
///
/// # Errors
/// [`LinkError::File`] with the line when the file is no such table.
pub fn read_csv(path: &Path) -> Result<RecordBatch, LinkError> {
    let file = std::fs::File::open(path).map_err(|error| LinkError::file(path, &error))?;
    from_csv(file, path)
}

fn wrong(path: &Path, why: impl std::fmt::Display) -> LinkError {
    LinkError::File {
        path: path.to_path_buf(),
        why: why.to_string(),
    }
}

fn from_csv(source: impl Read, path: &Path) -> Result<RecordBatch, LinkError> {
    let mut reader = csv::ReaderBuilder::new()
        .trim(csv::Trim::All)
        .buffer_capacity(1 << 18)
        .from_reader(source);
    let header = reader.headers().map_err(|error| wrong(path, told(&error)))?.clone();
    if header.len() > MOST_COLUMNS {
        return Err(wrong(path, format!("it has more than {MOST_COLUMNS} columns")));
    }
    let names: Vec<String> = header
        .iter()
        .map(|name| name.trim_start_matches('\u{feff}').trim().to_owned())
        .collect();
    if let Some(double) = names
        .iter()
        .enumerate()
        .find_map(|(at, name)| names[..at].contains(name).then_some(name))
    {
        return Err(wrong(path, format!("column `{double}` stands in it twice")));
    }
    let mut builders: Vec<LargeStringBuilder> = names.iter().map(|_| LargeStringBuilder::new()).collect();
    let mut record = csv::StringRecord::new();
    let mut rows = 0_usize;
    while reader
        .read_record(&mut record)
        .map_err(|error| wrong(path, told(&error)))?
    {
        rows += 1;
        if rows > MOST_ROWS {
            return Err(wrong(path, format!("it has more than {MOST_ROWS} rows")));
        }
        for (builder, value) in builders.iter_mut().zip(&record) {
            builder.append_option((!value.is_empty()).then(|| cut(value)));
        }
    }
    let fields: Vec<Field> = names
        .iter()
        .map(|name| Field::new(name, DataType::LargeUtf8, true))
        .collect();
    let arrays: Vec<ArrayRef> = builders
        .iter_mut()
        .map(|builder| Arc::new(builder.finish()) as ArrayRef)
        .collect();
    RecordBatch::try_new(Arc::new(Schema::new(fields)), arrays).map_err(|error| wrong(path, error))
}

/// The error without the values of the line.
fn told(error: &csv::Error) -> String {
    let line = error.position().map_or(1, csv::Position::line);
    match error.kind() {
        csv::ErrorKind::UnequalLengths { expected_len, len, .. } => {
            format!("line {line} has {len} values, the header has {expected_len}")
        }
        csv::ErrorKind::Utf8 { .. } => format!("line {line} is not UTF-8; save the file as UTF-8"),
        _ => format!("line {line} can't be read"),
    }
}

fn cut(value: &str) -> &str {
    let mut end = value.len().min(LONGEST);
    while !value.is_char_boundary(end) {
        end -= 1;
    }
    &value[..end]
}

/// A column of texts.
pub(crate) enum Texts<'a> {
    Short(&'a StringArray),
    Long(&'a LargeStringArray),
}

impl Texts<'_> {
    pub fn get(&self, row: usize) -> Option<&str> {
        let text = match self {
            Texts::Short(array) if array.is_valid(row) => array.value(row),
            Texts::Long(array) if array.is_valid(row) => array.value(row),
            _ => return None,
        };
        let text = cut(text);
        (!text.is_empty()).then_some(text)
    }
}

/// The column of this name.
pub(crate) fn column<'a>(batch: &'a RecordBatch, table: &str, name: &str) -> Result<Texts<'a>, LinkError> {
    let refused = |why: String| LinkError::Table {
        table: table.to_owned(),
        why,
    };
    let Some(array) = batch.column_by_name(name) else {
        let schema = batch.schema();
        let guess = crate::error::did_you_mean(name, schema.fields().iter().map(|field| field.name().as_str()));
        let guess = guess.map(|guess| format!("; {guess}")).unwrap_or_default();
        return Err(refused(format!("it has no column `{name}`{guess}")));
    };
    if let Some(array) = array.as_any().downcast_ref::<LargeStringArray>() {
        return Ok(Texts::Long(array));
    }
    array
        .as_any()
        .downcast_ref::<StringArray>()
        .map(Texts::Short)
        .ok_or_else(|| {
            refused(format!(
                "column `{name}` holds {}, not texts; cast it to Utf8",
                array.data_type()
            ))
        })
}
