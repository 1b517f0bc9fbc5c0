//! The function a plan calls for a parameter: its rows in force on the reference date.

use crate::functions::longs;
use crate::model::Type;
use crate::parameters::Parameter;
use arrow::array::{Array, ArrayRef, BooleanArray, Date32Array, Decimal128Array, Int32Array, Int64Array};
use arrow::compute::try_unary;
use arrow::datatypes::DataType;
use arrow::error::ArrowError;
use datafusion_common::{DataFusionError, Result};
use datafusion_expr::{ColumnarValue, ScalarFunctionArgs, ScalarUDFImpl, Signature, Volatility};
use jiff::civil::Date;
use std::collections::HashMap;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

/// A parameter on one day.
#[derive(Debug)]
pub(crate) struct Lookup {
    name: String,
    on: Date,
    kind: Type,
    rows: HashMap<Vec<i64>, i64>,
    /// For each key column of whole numbers, the number that each text of a cell is: a code may be asked for as a text.
    codes: Vec<HashMap<i64, i64>>,
    signature: Signature,
}

impl Lookup {
    /// `None` when no row is in force yet.
    pub fn new(parameter: &Parameter, on: Date) -> Option<Lookup> {
        let rows: HashMap<_, _> = parameter
            .in_force(on)
            .into_iter()
            .map(|row| (row.key.clone(), row.number))
            .collect();
        let codes = (0..parameter.keys.len()).map(|place| {
            let whole = parameter.whole.get(place).copied().unwrap_or_default();
            let rows = parameter.rows.iter().filter(|_| whole);
            rows.filter_map(|row| Some((i64::from(*row.codes.get(place)?), *row.key.get(place)?)))
                .collect()
        });
        (!rows.is_empty()).then(|| Lookup {
            codes: codes.collect(),
            name: parameter.name.clone(),
            on,
            kind: parameter.kind,
            rows,
            signature: match parameter.keys.len() {
                0 => Signature::nullary(Volatility::Immutable),
                keys => Signature::any(keys, Volatility::Immutable),
            },
        })
    }

    /// The value of a parameter without keys.
    pub fn only(&self) -> Option<i64> {
        self.rows.get(&Vec::new()).copied()
    }
}

impl PartialEq for Lookup {
    fn eq(&self, other: &Lookup) -> bool {
        (&self.name, self.on, &self.rows) == (&other.name, other.on, &other.rows)
    }
}

impl Eq for Lookup {}

impl Hash for Lookup {
    fn hash<H: Hasher>(&self, state: &mut H) {
        (&self.name, self.on).hash(state);
    }
}

impl ScalarUDFImpl for Lookup {
    fn name(&self) -> &str {
        &self.name
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(crate::plan::data_type(self.kind))
    }

    fn invoke_with_args(&self, call: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let rows = call.number_rows;
        let missing = || {
            DataFusionError::Execution(format!(
                "the parameter `{}` has no row for this key in force on {}",
                self.name, self.on
            ))
        };
        let mut keys: Vec<Int64Array> = Vec::with_capacity(call.args.len());
        for (argument, codes) in call.args.into_iter().zip(&self.codes) {
            let array = argument.into_array(rows)?;
            let is_text = array.data_type() == &crate::plan::data_type(Type::Text);
            let numbers = longs(&array)?;
            keys.push(match is_text && !codes.is_empty() {
                true => try_unary(&numbers, |code| {
                    codes.get(&code).copied().ok_or(ArrowError::ComputeError(String::new()))
                })
                .map_err(|_| missing())?,
                false => numbers,
            });
        }
        let mut values: Vec<Option<i64>> = Vec::with_capacity(rows);
        if let [only] = keys.as_slice() {
            // most tables have one key, and most neighbours the same
            let mut last: Option<(i64, i64)> = None;
            for key in only.iter() {
                values.push(match (key, last) {
                    (None, _) => None,
                    (Some(key), Some((before, value))) if before == key => Some(value),
                    (Some(key), _) => {
                        let found = self.rows.get([key].as_slice()).copied().ok_or_else(missing)?;
                        last = Some((key, found));
                        Some(found)
                    }
                });
            }
            return Ok(ColumnarValue::Array(array(self.kind, values)));
        }
        let (mut key, mut last): (Vec<i64>, Option<(Vec<i64>, i64)>) = (Vec::new(), None);
        for row in 0..rows {
            if keys.iter().any(|keys| keys.is_null(row)) {
                values.push(None);
                continue;
            }
            key.clear();
            key.extend(keys.iter().map(|keys| keys.value(row)));
            let value = match &last {
                Some((before, value)) if *before == key => *value,
                _ => {
                    let found = self.rows.get(&key).copied().ok_or_else(missing)?;
                    last = Some((key.clone(), found));
                    found
                }
            };
            values.push(Some(value));
        }
        Ok(ColumnarValue::Array(array(self.kind, values)))
    }
}

/// An array of a type from whole numbers.
fn array(kind: Type, values: Vec<Option<i64>>) -> ArrayRef {
    let small = |value: i64| i32::try_from(value).ok();
    match kind {
        Type::Integer => Arc::new(Int64Array::from(values)),
        Type::Boolean => Arc::new(
            values
                .into_iter()
                .map(|value| value.map(|value| value != 0))
                .collect::<BooleanArray>(),
        ),
        Type::Text => Arc::new(
            values
                .into_iter()
                .map(|value| value.and_then(small))
                .collect::<Int32Array>(),
        ),
        Type::Date => Arc::new(
            values
                .into_iter()
                .map(|value| value.and_then(small))
                .collect::<Date32Array>(),
        ),
        Type::Decimal => {
            let values = values
                .into_iter()
                .map(|value| value.map(i128::from))
                .collect::<Decimal128Array>();
            Arc::new(values.with_data_type(crate::plan::data_type(kind)))
        }
    }
}
