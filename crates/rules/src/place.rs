//! Where an expression stands, and which one it is that has no result.

use crate::bind::offset;
use crate::mistake::Source;
use arrow::array::RecordBatch;
use arrow::datatypes::{DataType, Schema};
use civic::Mistake;
use datafusion_common::{DataFusionError, Result};
use datafusion_expr::ColumnarValue;
use datafusion_physical_expr::PhysicalExpr;
use sqlparser::tokenizer::Location;
use std::error::Error;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

type Physical = Arc<dyn PhysicalExpr>;

/// The place of an expression. Line and column are counted only when something is said of it.
#[derive(Clone, Debug)]
pub(crate) struct Place {
    pub source: Arc<Source>,
    /// The SQL it is a part of, and where in the file that begins.
    pub sql: Arc<str>,
    pub start: usize,
    /// Where in the SQL it begins.
    pub at: Location,
}

impl Place {
    pub fn mistake(&self, message: String, suggestion: Option<String>) -> Mistake {
        let at = self.start + offset(&self.sql, self.at);
        self.source.mistake(at, message, suggestion)
    }
}

/// An expression had no result.
#[derive(Debug, thiserror::Error)]
#[error("{reason}")]
struct Failed {
    node: usize,
    reason: String,
}

/// The number of the expression that has no result, where that is known, and why it has none.
pub(crate) fn failed(error: &DataFusionError) -> (Option<usize>, String) {
    let mut next: Option<&(dyn Error + 'static)> = Some(error);
    while let Some(error) = next {
        if let Some(failed) = error.downcast_ref::<Failed>() {
            return (Some(failed.node), failed.reason.clone());
        }
        next = error.source();
    }
    (None, error.find_root().to_string())
}

/// The error of an expression, with its number, unless it already has that of an expression below.
pub(crate) fn at(node: usize, error: DataFusionError) -> DataFusionError {
    match failed(&error) {
        (None, reason) => DataFusionError::External(Box::new(Failed { node, reason })),
        (Some(_), _) => error,
    }
}

/// An expression that may have no result, and then says which one it is.
#[derive(Debug, Eq)]
pub(crate) struct Placed {
    node: usize,
    inner: Physical,
}

impl PartialEq for Placed {
    fn eq(&self, other: &Placed) -> bool {
        self.node == other.node && self.inner.eq(&other.inner)
    }
}

impl Hash for Placed {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.node.hash(state);
        self.inner.hash(state);
    }
}

impl fmt::Display for Placed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.inner, f)
    }
}

impl Placed {
    pub fn new(node: usize, inner: Physical) -> Placed {
        Placed { node, inner }
    }
}

impl PhysicalExpr for Placed {
    fn data_type(&self, schema: &Schema) -> Result<DataType> {
        self.inner.data_type(schema)
    }

    fn nullable(&self, schema: &Schema) -> Result<bool> {
        self.inner.nullable(schema)
    }

    fn evaluate(&self, batch: &RecordBatch) -> Result<ColumnarValue> {
        self.inner.evaluate(batch).map_err(|error| at(self.node, error))
    }

    fn children(&self) -> Vec<&Physical> {
        vec![&self.inner]
    }

    fn with_new_children(self: Arc<Self>, children: Vec<Physical>) -> Result<Physical> {
        match children.into_iter().next() {
            Some(inner) => Ok(Arc::new(Placed::new(self.node, inner))),
            None => Err(DataFusionError::Internal("an expression is missing".to_owned())),
        }
    }

    fn fmt_sql(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt_sql(f)
    }
}
