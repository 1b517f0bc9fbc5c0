//! Rows that were not taken: kept as the source wrote them, with every reason, until the steward has mended them.

use std::path::Path;
use std::sync::Arc;

use arrow::array::{AsArray as _, Int64Array, RecordBatch, StringArray};
use arrow::datatypes::{DataType, Field, Int64Type, Schema, SchemaRef};
use bytes::Bytes;
use serde::{Deserialize, Serialize};

use crate::error::HubError;
use crate::file::{Crypt, Writing, Written};
use crate::values::Problem;

/// A row that was not taken.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reject {
    /// Where it stands in its source: line, row or item.
    pub place: u64,
    /// Why.
    pub reasons: Vec<Reason>,
    /// Its cells by column of the source. Without names where the row did not fit the heading.
    pub cells: Vec<(String, Option<String>)>,
}

/// One thing that is wrong with a row.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reason {
    /// Column of the dataset; empty where the whole row is meant.
    pub column: String,
    /// A word for the problem that does not change.
    pub code: String,
    /// What is wrong, in a sentence without the value.
    pub text: String,
    /// The quality rule that does not hold.
    #[serde(default)]
    pub rule: Option<String>,
}

impl Reason {
    pub(crate) fn new(column: &str, problem: &Problem) -> Reason {
        Reason {
            column: column.to_owned(),
            code: problem.code().to_owned(),
            text: problem.to_string(),
            rule: match problem {
                Problem::Rule(rule) | Problem::Repeated { rule, .. } => Some(rule.clone()),
                _ => None,
            },
        }
    }
}

fn schema() -> SchemaRef {
    Arc::new(Schema::new(vec![
        Field::new("place", DataType::Int64, false),
        Field::new("reasons", DataType::Utf8, false),
        Field::new("cells", DataType::Utf8, false),
    ]))
}

/// A file of rejects while it is written.
pub(crate) struct RejectsFile(Writing);

impl RejectsFile {
    pub fn create(crypt: &Crypt, path: &Path) -> Result<RejectsFile, HubError> {
        Ok(RejectsFile(crypt.create(path, schema())?))
    }

    pub fn write(&mut self, rejects: &[Reject]) -> Result<(), HubError> {
        if rejects.is_empty() {
            return Ok(());
        }
        let json = |value: serde_json::Result<String>| value.unwrap_or_default();
        let places: Int64Array = rejects
            .iter()
            .map(|reject| i64::try_from(reject.place).unwrap_or(i64::MAX))
            .collect::<Vec<i64>>()
            .into();
        let reasons: StringArray = rejects
            .iter()
            .map(|reject| Some(json(serde_json::to_string(&reject.reasons))))
            .collect();
        let cells: StringArray = rejects
            .iter()
            .map(|reject| Some(json(serde_json::to_string(&reject.cells))))
            .collect();
        let columns = vec![Arc::new(places) as _, Arc::new(reasons) as _, Arc::new(cells) as _];
        let batch = RecordBatch::try_new(schema(), columns)
            .map_err(|error| HubError::source(format!("rejects can't be kept: {error}")))?;
        self.0.write(&batch)
    }

    pub fn close(self) -> Result<Written, HubError> {
        self.0.close()
    }
}

/// Calls `each` with every reject of a file.
pub(crate) fn read(
    crypt: &Crypt,
    bytes: Bytes,
    each: &mut dyn FnMut(Reject) -> Result<(), HubError>,
) -> Result<(), HubError> {
    let broken = |why: String| HubError::source(format!("kept rejects can't be read: {why}"));
    for batch in crypt.batches(bytes, None).map_err(|error| broken(error.to_string()))? {
        let batch = batch.map_err(|error| broken(error.to_string()))?;
        let [places, reasons, cells] = batch.columns() else {
            return Err(broken("a column is missing".to_owned()));
        };
        for row in 0..batch.num_rows() {
            let text = |column: &arrow::array::ArrayRef| column.as_string::<i32>().value(row).to_owned();
            let place = places.as_primitive::<Int64Type>().value(row);
            each(Reject {
                place: u64::try_from(place).unwrap_or_default(),
                reasons: serde_json::from_str(&text(reasons)).map_err(|error| broken(error.to_string()))?,
                cells: serde_json::from_str(&text(cells)).map_err(|error| broken(error.to_string()))?,
            })?;
        }
    }
    Ok(())
}
