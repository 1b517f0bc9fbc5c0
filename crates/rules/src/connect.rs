//! `AND` and `OR` over a batch, each row by itself. DataFusion leaves the right side out when the left one decides every row
//! of the batch; a row whose right side has no result (`n <> 0 AND sum / n > 5`) would then be refused or not depending on
//! who else is in the batch.

use arrow::array::{Array, AsArray, BooleanArray, RecordBatch};
use arrow::buffer::BooleanBuffer;
use arrow::compute::{and_kleene, or_kleene};
use arrow::datatypes::{DataType, Schema};
use datafusion_common::{DataFusionError, Result};
use datafusion_expr::{ColumnarValue, Operator};
use datafusion_physical_expr::PhysicalExpr;
use datafusion_physical_expr::expressions::BinaryExpr;
use std::fmt;
use std::sync::Arc;

type Physical = Arc<dyn PhysicalExpr>;

/// Two conditions connected; the right one counts only at rows that the left one leaves open.
#[derive(Debug, PartialEq, Eq, Hash)]
pub(crate) struct Connect {
    whole: BinaryExpr,
    /// What the left side must be to decide: `false` for `AND`, `true` for `OR`.
    decides: bool,
}

impl Connect {
    pub fn and(left: Physical, right: Physical) -> Connect {
        Connect {
            whole: BinaryExpr::new(left, Operator::And, right),
            decides: false,
        }
    }

    pub fn or(left: Physical, right: Physical) -> Connect {
        Connect {
            whole: BinaryExpr::new(left, Operator::Or, right),
            decides: true,
        }
    }

    fn row_by_row(&self, batch: &RecordBatch) -> Result<ColumnarValue> {
        let rows = batch.num_rows();
        let left = truth(self.whole.left().evaluate(batch)?, rows)?;
        let is = match self.decides {
            true => left.values().clone(),
            false => !left.values(),
        };
        let decided: BooleanBuffer = match left.nulls() {
            Some(nulls) => &is & nulls.inner(),
            None => is,
        };
        let open = BooleanArray::new(!&decided, None);
        let right = truth(self.whole.right().evaluate_selection(batch, &open)?, rows)?;
        let both = match self.decides {
            true => or_kleene(&left, &right)?,
            false => and_kleene(&left, &right)?,
        };
        Ok(ColumnarValue::Array(Arc::new(both)))
    }
}

fn truth(value: ColumnarValue, rows: usize) -> Result<BooleanArray> {
    let array = value.into_array(rows)?;
    let truth = array
        .as_boolean_opt()
        .ok_or_else(|| DataFusionError::Internal("a condition is no truth value".to_owned()))?;
    Ok(truth.clone())
}

impl fmt::Display for Connect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.whole.fmt(f)
    }
}

impl PhysicalExpr for Connect {
    fn data_type(&self, _: &Schema) -> Result<DataType> {
        Ok(DataType::Boolean)
    }

    fn nullable(&self, _: &Schema) -> Result<bool> {
        Ok(true)
    }

    /// All rows at once, which is much faster, unless that has no result.
    fn evaluate(&self, batch: &RecordBatch) -> Result<ColumnarValue> {
        self.whole.evaluate(batch).or_else(|_| self.row_by_row(batch))
    }

    fn children(&self) -> Vec<&Physical> {
        self.whole.children()
    }

    fn with_new_children(self: Arc<Self>, children: Vec<Physical>) -> Result<Physical> {
        let mut children = children.into_iter();
        let (Some(left), Some(right)) = (children.next(), children.next()) else {
            return Err(DataFusionError::Internal("a side is missing".to_owned()));
        };
        Ok(Arc::new(match self.decides {
            true => Connect::or(left, right),
            false => Connect::and(left, right),
        }))
    }

    fn fmt_sql(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.whole.fmt_sql(f)
    }
}
