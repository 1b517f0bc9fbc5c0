//! Statistics of a part for the table's log, which stands unencrypted: columns that say something of a person have none.

use std::collections::BTreeMap;

use arrow::array::{Array as _, AsArray as _, RecordBatch};
use arrow::compute::{max, max_string, min, min_string};
use arrow::datatypes::{DataType, Date32Type, Int64Type};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::dataset::{Dataset, Personal};

/// Longest text that stands in the log.
const LONGEST: usize = 32;

/// Number of rows; empty cells, smallest and largest values by column.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Stats {
    pub rows: u64,
    pub nulls: BTreeMap<String, u64>,
    pub min: BTreeMap<String, Value>,
    pub max: BTreeMap<String, Value>,
}

impl Stats {
    /// Those of a batch.
    pub fn of(dataset: &Dataset, batch: &RecordBatch) -> Stats {
        let mut stats = Stats {
            rows: u64::try_from(batch.num_rows()).unwrap_or(u64::MAX),
            ..Stats::default()
        };
        let open = dataset
            .columns
            .iter()
            .filter(|column| column.personal == Personal::None);
        for column in open {
            let Some(values) = batch.column_by_name(&column.name) else {
                continue;
            };
            let nulls = u64::try_from(values.null_count()).unwrap_or(u64::MAX);
            stats.nulls.insert(column.name.clone(), nulls);
            let bounds = match values.data_type() {
                DataType::Int64 => {
                    let values = values.as_primitive::<Int64Type>();
                    min(values)
                        .zip(max(values))
                        .map(|(low, high)| (json!(low), json!(high)))
                }
                DataType::Date32 => {
                    let values = values.as_primitive::<Date32Type>();
                    let day = |days: i32| Date32Type::to_naive_date_opt(days).map(|day| json!(day.to_string()));
                    min(values)
                        .zip(max(values))
                        .and_then(|(low, high)| day(low).zip(day(high)))
                }
                DataType::Utf8 => {
                    let values = values.as_string::<i32>();
                    let short = |text: &&str| text.len() <= LONGEST;
                    min_string(values)
                        .filter(short)
                        .zip(max_string(values).filter(short))
                        .map(|(low, high)| (json!(low), json!(high)))
                }
                _ => None,
            };
            if let Some((low, high)) = bounds {
                stats.min.insert(column.name.clone(), low);
                stats.max.insert(column.name.clone(), high);
            }
        }
        stats
    }

    /// Those of two batches together.
    pub fn and(mut self, other: Stats) -> Stats {
        // a column that has values and no bounds in one of the two, such as long texts, has none in both
        let unbounded: Vec<String> = [&self, &other].into_iter().flat_map(Stats::unbounded).collect();
        self.rows += other.rows;
        for (name, nulls) in other.nulls {
            *self.nulls.entry(name).or_default() += nulls;
        }
        let before = |left: &Value, right: &Value| match (left, right) {
            (Value::String(left), Value::String(right)) => left < right,
            (left, right) => left.as_i64() < right.as_i64(),
        };
        for (name, low) in other.min {
            self.min
                .entry(name)
                .and_modify(|known| {
                    if before(&low, known) {
                        known.clone_from(&low);
                    }
                })
                .or_insert(low);
        }
        for (name, high) in other.max {
            self.max
                .entry(name)
                .and_modify(|known| {
                    if before(known, &high) {
                        known.clone_from(&high);
                    }
                })
                .or_insert(high);
        }
        for name in unbounded {
            self.min.remove(&name);
            self.max.remove(&name);
        }
        self
    }

    /// Columns with values of which no bounds are known.
    fn unbounded(&self) -> impl Iterator<Item = String> {
        let bare = |(name, nulls): &(&String, &u64)| **nulls < self.rows && !self.min.contains_key(*name);
        self.nulls.iter().filter(bare).map(|(name, _)| name.clone())
    }

    /// As the Delta protocol writes them (Per-file Statistics).
    pub fn json(&self) -> String {
        json!({ "numRecords": self.rows, "minValues": self.min, "maxValues": self.max, "nullCount": self.nulls })
            .to_string()
    }
}
