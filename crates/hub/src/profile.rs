//! What a version holds, column by column. Of personal columns nothing is told but counts.

use std::collections::hash_map::DefaultHasher;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::hash::{Hash as _, Hasher as _};

use arrow::array::{Array as _, AsArray as _, RecordBatch};
use arrow::compute::cast;
use arrow::datatypes::DataType;
use serde::Serialize;

use crate::dataset::{Dataset, Personal};
use crate::error::HubError;
use crate::keys::units;
use crate::lake::{At, Lake};
use crate::read::each_batch;

/// Hashes kept for the number of different values: the estimate is within some 3 per cent, and exact below.
const SKETCH: usize = 4096;
/// Values counted at once for the most frequent ones.
const COUNTED: usize = 2048;
/// Most frequent values that are told.
const TOP: usize = 10;

/// What a version holds.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Profile {
    /// The version; none where nothing was published yet.
    pub version: Option<u64>,
    /// Rows.
    pub rows: u64,
    /// By column, in the order of the folder.
    pub columns: Vec<ColumnProfile>,
}

/// What a column holds.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ColumnProfile {
    /// Its name.
    pub name: String,
    /// How much it says of a person.
    pub personal: Personal,
    /// Rows without a value.
    pub nulls: u64,
    /// Number of different values, an estimate above 4096.
    pub distinct: u64,
    /// Smallest and largest value as text; none of personal columns.
    pub bounds: Option<(String, String)>,
    /// The most frequent values with at least how often they stand there; none of personal columns.
    pub top: Vec<(String, u64)>,
}

/// Looks through a version.
///
/// # Errors
/// As [`each_batch`].
pub async fn profile(lake: &Lake, dataset: &Dataset, at: At, key: Option<&[u8]>) -> Result<Profile, HubError> {
    let mut rows = 0;
    let mut looks: Vec<Look> = dataset.columns.iter().map(|_| Look::default()).collect();
    let version = each_batch(lake, dataset, at, key, &mut |batch| {
        rows += u64::try_from(batch.num_rows()).unwrap_or_default();
        for (column, look) in dataset.columns.iter().zip(&mut looks) {
            look.batch(&batch, &column.name, column.personal == Personal::None)?;
        }
        Ok(())
    })
    .await?;
    let columns = dataset.columns.iter().zip(looks).map(|(column, look)| ColumnProfile {
        name: column.name.clone(),
        personal: column.personal,
        nulls: look.nulls,
        distinct: look.distinct(),
        bounds: look.bounds.map(|(low, high)| (low.1, high.1)),
        top: top(look.counted),
    });
    Ok(Profile {
        version,
        rows,
        columns: columns.collect(),
    })
}

/// A value by which it is ordered, and its text.
type Bound = (Option<i128>, String);

#[derive(Default)]
struct Look {
    nulls: u64,
    /// The smallest hashes met: how close they lie says how many there are.
    smallest: BTreeSet<u64>,
    bounds: Option<(Bound, Bound)>,
    counted: HashMap<String, u64>,
}

impl Look {
    fn batch(&mut self, batch: &RecordBatch, name: &str, open: bool) -> Result<(), HubError> {
        let Some(column) = batch.column_by_name(name) else {
            self.nulls += u64::try_from(batch.num_rows()).unwrap_or_default();
            return Ok(());
        };
        self.nulls += u64::try_from(column.null_count()).unwrap_or_default();
        let texts = cast(column, &DataType::Utf8).map_err(|error| HubError::source(error.to_string()))?;
        let texts = texts.as_string::<i32>();
        for row in (0..batch.num_rows()).filter(|row| !texts.is_null(*row)) {
            let text = texts.value(row);
            let mut hasher = DefaultHasher::new();
            text.hash(&mut hasher);
            let hash = hasher.finish();
            if self.smallest.len() < SKETCH || self.smallest.last().is_some_and(|last| hash < *last) {
                self.smallest.insert(hash);
                if self.smallest.len() > SKETCH {
                    self.smallest.pop_last();
                }
            }
            if open {
                self.bound(units(column, row), text);
                self.count(text);
            }
        }
        Ok(())
    }

    fn bound(&mut self, number: Option<i128>, text: &str) {
        let new = || (number, text.to_owned());
        // numbers are ordered as such; both sides of a column are numbers or neither is
        let before = |bound: &Bound| (number, text).cmp(&(bound.0, if number.is_some() { text } else { &bound.1 }));
        match &mut self.bounds {
            None => self.bounds = Some((new(), new())),
            Some((low, high)) => {
                if before(low).is_lt() {
                    *low = new();
                }
                if before(high).is_gt() {
                    *high = new();
                }
            }
        }
    }

    /// Misra and Gries: what stands in more than a two-thousandth of the rows is among those counted.
    fn count(&mut self, text: &str) {
        if let Some(count) = self.counted.get_mut(text) {
            *count += 1;
        } else if self.counted.len() < COUNTED {
            self.counted.insert(text.to_owned(), 1);
        } else {
            self.counted.retain(|_, count| {
                *count -= 1;
                *count > 0
            });
        }
    }

    fn distinct(&self) -> u64 {
        match self.smallest.last() {
            Some(last) if self.smallest.len() == SKETCH => {
                let kept = u128::try_from(SKETCH - 1).unwrap_or_default();
                u64::try_from(kept * u128::from(u64::MAX) / u128::from(*last).max(1)).unwrap_or(u64::MAX)
            }
            _ => u64::try_from(self.smallest.len()).unwrap_or_default(),
        }
    }
}

fn top(counted: HashMap<String, u64>) -> Vec<(String, u64)> {
    let sorted: BTreeMap<(std::cmp::Reverse<u64>, String), ()> = counted
        .into_iter()
        .map(|(text, count)| ((std::cmp::Reverse(count), text), ()))
        .collect();
    sorted
        .into_keys()
        .take(TOP)
        .map(|(count, text)| (text, count.0))
        .collect()
}
