//! Aggregates of persons over their household. The persons of a household stand together, so one pass over the rows with a
//! cell for each household does it; NULLs are left out, as SQL leaves them out, and a household without values gives NULL.

use crate::expr::{Aggregate, PRECISION};
use arrow::array::{
    Array, ArrayRef, ArrowPrimitiveType, AsArray, BooleanArray, Date32Array, Decimal128Array, Int32Array, Int64Array,
    PrimitiveArray,
};
use arrow::buffer::{BooleanBuffer, NullBuffer};
use arrow::datatypes::{DataType, Date32Type, Decimal128Type, Int32Type, Int64Type};
use arrow::error::ArrowError;
use std::sync::Arc;

/// The aggregate of `values` over `households`, which says for each row the household; `count` is how many there are.
pub(crate) fn aggregate(
    function: Aggregate,
    values: &ArrayRef,
    filter: Option<&BooleanArray>,
    households: &[u32],
    count: usize,
) -> Result<ArrayRef, ArrowError> {
    let rows = Rows {
        kept: kept(values, filter),
        households,
        count,
    };
    let unfit = || ArrowError::InvalidArgumentError(format!("no aggregate takes {}", values.data_type()));
    Ok(match (function, values.data_type()) {
        (Aggregate::Count, _) => {
            let mut counts = vec![0_i64; count];
            rows.each(|_, household| {
                if let Some(cell) = counts.get_mut(household) {
                    *cell += 1;
                }
            });
            Arc::new(Int64Array::from(counts))
        }
        (Aggregate::Sum, DataType::Int64) => {
            let values = values.as_primitive::<Int64Type>().values();
            let (sums, seen) = rows.sum(|row| values.get(row).map(|value| i128::from(*value)));
            let sums = sums.into_iter().map(|sum| i64::try_from(sum).map_err(|_| too_large()));
            Arc::new(Int64Array::new(sums.collect::<Result<Vec<_>, _>>()?.into(), seen))
        }
        (Aggregate::Sum, DataType::Decimal128(..)) => {
            let decimals = values.as_primitive::<Decimal128Type>().values();
            let (sums, seen) = rows.sum(|row| decimals.get(row).copied());
            let most = 10_i128.pow(u32::from(PRECISION));
            if sums.iter().any(|sum| !(-most < *sum && *sum < most)) {
                return Err(too_large());
            }
            let sums = Decimal128Array::new(sums.into(), seen);
            Arc::new(sums.with_data_type(values.data_type().clone()))
        }
        (Aggregate::Min | Aggregate::Max, kind) => {
            let smallest = function == Aggregate::Min;
            match kind {
                DataType::Int64 => Arc::new(rows.extreme::<Int64Type>(values, smallest)),
                DataType::Int32 => Arc::new(rows.extreme::<Int32Type>(values, smallest)) as Arc<Int32Array>,
                DataType::Date32 => Arc::new(rows.extreme::<Date32Type>(values, smallest)) as Arc<Date32Array>,
                DataType::Decimal128(..) => {
                    let found = rows.extreme::<Decimal128Type>(values, smallest);
                    Arc::new(found.with_data_type(kind.clone()))
                }
                _ => return Err(unfit()),
            }
        }
        (Aggregate::BoolAnd | Aggregate::BoolOr, DataType::Boolean) => {
            let truth = values.as_boolean().values();
            // OR begins with false and AND with true; a value that differs from that settles it
            let begin = function == Aggregate::BoolAnd;
            let settles = match begin {
                true => !truth,
                false => truth.clone(),
            };
            let settles = Rows {
                kept: Some(match &rows.kept {
                    Some(kept) => kept & &settles,
                    None => settles,
                }),
                ..rows
            };
            let mut found = vec![begin; count];
            settles.each(|_, household| {
                if let Some(cell) = found.get_mut(household) {
                    *cell = !begin;
                }
            });
            Arc::new(BooleanArray::new(found.into(), rows.seen()))
        }
        _ => return Err(unfit()),
    })
}

fn too_large() -> ArrowError {
    ArrowError::ArithmeticOverflow("a sum is out of range".to_owned())
}

/// The rows that count: their value is known and the filter is true. `None` is all.
fn kept(values: &ArrayRef, filter: Option<&BooleanArray>) -> Option<BooleanBuffer> {
    let known = values.nulls().filter(|nulls| nulls.null_count() > 0);
    let known = known.map(NullBuffer::inner);
    let filter = filter.map(|filter| match filter.nulls() {
        Some(nulls) => filter.values() & nulls.inner(),
        None => filter.values().clone(),
    });
    match (known, filter) {
        (Some(known), Some(filter)) => Some(known & &filter),
        (Some(known), None) => Some(known.clone()),
        (None, filter) => filter,
    }
}

struct Rows<'a> {
    kept: Option<BooleanBuffer>,
    households: &'a [u32],
    count: usize,
}

impl Rows<'_> {
    /// Calls `visit` with each row that counts and its household.
    fn each(&self, mut visit: impl FnMut(usize, usize)) {
        let mut row_of = |row: usize, household: &u32| visit(row, usize::try_from(*household).unwrap_or(usize::MAX));
        match &self.kept {
            None => self
                .households
                .iter()
                .enumerate()
                .for_each(|(row, household)| row_of(row, household)),
            Some(kept) => kept.set_indices().for_each(|row| {
                if let Some(household) = self.households.get(row) {
                    row_of(row, household);
                }
            }),
        }
    }

    /// Which households have a value at all; `None` is all.
    fn seen(&self) -> Option<NullBuffer> {
        self.kept.as_ref()?;
        let mut seen = vec![false; self.count];
        self.each(|_, household| {
            if let Some(cell) = seen.get_mut(household) {
                *cell = true;
            }
        });
        Some(NullBuffer::from(seen))
    }

    /// Sums, and which households have a value at all. No number of rows that fits into memory overflows.
    fn sum(&self, value: impl Fn(usize) -> Option<i128>) -> (Vec<i128>, Option<NullBuffer>) {
        let mut sums = vec![0_i128; self.count];
        self.each(|row, household| {
            if let (Some(sum), Some(value)) = (sums.get_mut(household), value(row)) {
                *sum = sum.saturating_add(value);
            }
        });
        (sums, self.seen())
    }

    fn extreme<T: ArrowPrimitiveType>(&self, values: &ArrayRef, smallest: bool) -> PrimitiveArray<T> {
        let values = values.as_primitive::<T>().values();
        let mut found: Vec<Option<T::Native>> = vec![None; self.count];
        self.each(|row, household| {
            if let (Some(cell), Some(value)) = (found.get_mut(household), values.get(row)) {
                let better = |other: &T::Native| if smallest { value < other } else { value > other };
                if cell.as_ref().is_none_or(better) {
                    *cell = Some(*value);
                }
            }
        });
        found.into_iter().collect()
    }
}
