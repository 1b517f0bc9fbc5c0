//! `CASE` over a batch. DataFusion's own cuts the batch into a piece for each branch and merges the pieces row by row;
//! here every branch writes its rows into one result, which is several times faster when branches take rows in turn.

use arrow::array::{Array, ArrayRef, ArrowPrimitiveType, AsArray, BooleanArray, PrimitiveArray, RecordBatch};
use arrow::buffer::{BooleanBuffer, NullBuffer};
use arrow::datatypes::{DataType, Date32Type, Decimal128Type, Int32Type, Int64Type, Schema};
use datafusion_common::{DataFusionError, Result};
use datafusion_expr::ColumnarValue;
use datafusion_physical_expr::PhysicalExpr;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

type Physical = Arc<dyn PhysicalExpr>;

/// The first branch whose condition is true gives the value; without one it is `otherwise`, or NULL.
#[derive(Debug, Eq)]
pub(crate) struct Choose {
    /// Conditions and results in turn.
    branches: Vec<(Physical, Physical)>,
    otherwise: Option<Physical>,
    kind: DataType,
}

impl PartialEq for Choose {
    fn eq(&self, other: &Choose) -> bool {
        self.branches == other.branches && self.otherwise == other.otherwise && self.kind == other.kind
    }
}

impl Hash for Choose {
    fn hash<H: Hasher>(&self, state: &mut H) {
        for (condition, result) in &self.branches {
            condition.hash(state);
            result.hash(state);
        }
        self.otherwise.hash(state);
    }
}

impl fmt::Display for Choose {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CASE")?;
        for (condition, result) in &self.branches {
            write!(f, " WHEN {condition} THEN {result}")?;
        }
        if let Some(otherwise) = &self.otherwise {
            write!(f, " ELSE {otherwise}")?;
        }
        f.write_str(" END")
    }
}

impl Choose {
    /// All results must be of the type `kind`.
    pub fn new(branches: Vec<(Physical, Physical)>, otherwise: Option<Physical>, kind: DataType) -> Choose {
        Choose {
            branches,
            otherwise,
            kind,
        }
    }
}

/// The value of an expression at the chosen rows; what stands at other rows means nothing.
///
/// Where many rows are chosen it is cheaper to calculate all than to cut out some. A row that is not chosen may fail where
/// no chosen one does, for example divide by zero: then only the chosen ones are calculated.
fn at(expression: &Physical, batch: &RecordBatch, chosen: &BooleanBuffer) -> Result<ColumnarValue> {
    let rows = batch.num_rows();
    let many = chosen.count_set_bits() >= rows / 8;
    if many && let Ok(value) = expression.evaluate(batch) {
        return Ok(value);
    }
    expression.evaluate_selection(batch, &BooleanArray::new(chosen.clone(), None))
}

/// The rows where a condition is true; NULL is not.
fn truth(value: ColumnarValue, rows: usize) -> Result<BooleanBuffer> {
    let array = value.into_array(rows)?;
    let truth = array
        .as_boolean_opt()
        .ok_or_else(|| DataFusionError::Internal("a condition is no truth value".to_owned()))?;
    Ok(match truth.nulls() {
        Some(nulls) => truth.values() & nulls.inner(),
        None => truth.values().clone(),
    })
}

/// A result being written.
enum Out {
    Integer(Vec<i64>),
    Decimal(Vec<i128>),
    Small(Vec<i32>),
    Truth(BooleanBuffer),
}

impl Out {
    fn new(kind: &DataType, rows: usize) -> Result<Out> {
        Ok(match kind {
            DataType::Int64 => Out::Integer(vec![0; rows]),
            DataType::Decimal128(..) => Out::Decimal(vec![0; rows]),
            DataType::Int32 | DataType::Date32 => Out::Small(vec![0; rows]),
            DataType::Boolean => Out::Truth(BooleanBuffer::new_unset(rows)),
            other => return Err(DataFusionError::Internal(format!("a choice can't give {other}"))),
        })
    }

    /// Writes the chosen rows of a value. Returns which of them are not NULL.
    fn write(&mut self, value: ColumnarValue, chosen: &BooleanBuffer) -> Result<BooleanBuffer> {
        let rows = chosen.len();
        if let ColumnarValue::Scalar(scalar) = &value
            && scalar.is_null()
        {
            return Ok(BooleanBuffer::new_unset(rows));
        }
        let (array, fixed) = match value {
            ColumnarValue::Scalar(scalar) => (scalar.to_array()?, true),
            ColumnarValue::Array(array) => (array, false),
        };
        match self {
            Out::Integer(out) => copy::<Int64Type>(out, &array, fixed, chosen),
            Out::Decimal(out) => copy::<Decimal128Type>(out, &array, fixed, chosen),
            Out::Small(out) if array.data_type() == &DataType::Date32 => copy::<Date32Type>(out, &array, fixed, chosen),
            Out::Small(out) => copy::<Int32Type>(out, &array, fixed, chosen),
            Out::Truth(out) => {
                let truth = array.as_boolean_opt().ok_or_else(mixed)?;
                let new = match (fixed, truth.len() == rows) {
                    (true, _) if truth.value(0) => chosen.clone(),
                    (true, _) => BooleanBuffer::new_unset(rows),
                    (false, true) => truth.values() & chosen,
                    (false, false) => return Err(mixed()),
                };
                *out = &(&*out & &!chosen) | &new;
                Ok(())
            }
        }?;
        Ok(match array.nulls().filter(|_| !fixed) {
            Some(nulls) => nulls.inner() & chosen,
            None => chosen.clone(),
        })
    }

    fn finish(self, kind: &DataType, valid: BooleanBuffer) -> ArrayRef {
        let nulls = (valid.count_set_bits() < valid.len()).then(|| NullBuffer::new(valid));
        match self {
            Out::Integer(out) => Arc::new(PrimitiveArray::<Int64Type>::new(out.into(), nulls)),
            Out::Decimal(out) => {
                let array = PrimitiveArray::<Decimal128Type>::new(out.into(), nulls);
                Arc::new(array.with_data_type(kind.clone()))
            }
            Out::Small(out) if *kind == DataType::Date32 => {
                Arc::new(PrimitiveArray::<Date32Type>::new(out.into(), nulls))
            }
            Out::Small(out) => Arc::new(PrimitiveArray::<Int32Type>::new(out.into(), nulls)),
            Out::Truth(out) => Arc::new(BooleanArray::new(out, nulls)),
        }
    }
}

fn mixed() -> DataFusionError {
    DataFusionError::Internal("the results of a choice are of different types".to_owned())
}

fn copy<T: ArrowPrimitiveType>(
    out: &mut [T::Native],
    array: &ArrayRef,
    fixed: bool,
    chosen: &BooleanBuffer,
) -> Result<()> {
    let values = array.as_primitive_opt::<T>().ok_or_else(mixed)?.values();
    if fixed {
        let value = values.first().copied().ok_or_else(mixed)?;
        for (from, to) in chosen.set_slices() {
            if let Some(cells) = out.get_mut(from..to) {
                cells.fill(value);
            }
        }
        return Ok(());
    }
    if values.len() != out.len() {
        return Err(mixed());
    }
    // runs of chosen rows are short where branches take rows in turn: a choice for every cell has no branch to mispredict
    for ((cell, value), chosen) in out.iter_mut().zip(values.iter()).zip(chosen.iter()) {
        *cell = if chosen { *value } else { *cell };
    }
    Ok(())
}

impl PhysicalExpr for Choose {
    fn data_type(&self, _: &Schema) -> Result<DataType> {
        Ok(self.kind.clone())
    }

    fn nullable(&self, _: &Schema) -> Result<bool> {
        Ok(true)
    }

    fn evaluate(&self, batch: &RecordBatch) -> Result<ColumnarValue> {
        let rows = batch.num_rows();
        let mut left = BooleanBuffer::new_set(rows);
        let mut valid = BooleanBuffer::new_unset(rows);
        let mut out = Out::new(&self.kind, rows)?;
        for (condition, result) in &self.branches {
            if left.count_set_bits() == 0 {
                break;
            }
            let chosen = &truth(at(condition, batch, &left)?, rows)? & &left;
            if chosen.count_set_bits() > 0 {
                let known = out.write(at(result, batch, &chosen)?, &chosen)?;
                valid = &valid | &known;
                left = &left & &!&chosen;
            }
        }
        if let Some(otherwise) = &self.otherwise
            && left.count_set_bits() > 0
        {
            let known = out.write(at(otherwise, batch, &left)?, &left)?;
            valid = &valid | &known;
        }
        Ok(ColumnarValue::Array(out.finish(&self.kind, valid)))
    }

    fn children(&self) -> Vec<&Physical> {
        let branches = self.branches.iter().flat_map(|(condition, result)| [condition, result]);
        branches.chain(&self.otherwise).collect()
    }

    fn with_new_children(self: Arc<Self>, children: Vec<Physical>) -> Result<Physical> {
        let mut children = children.into_iter();
        let mut branches = Vec::with_capacity(self.branches.len());
        for _ in &self.branches {
            let (Some(condition), Some(result)) = (children.next(), children.next()) else {
                return Err(DataFusionError::Internal("a branch is missing".to_owned()));
            };
            branches.push((condition, result));
        }
        Ok(Arc::new(Choose::new(branches, children.next(), self.kind.clone())))
    }

    fn fmt_sql(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
