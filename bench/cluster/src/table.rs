//! The decisions as a table that SQL can ask.

use crate::decide::{Decide, parts};
use crate::job::{Job, Opened};
use arrow::datatypes::SchemaRef;
use async_trait::async_trait;
use datafusion::catalog::{Session, TableProvider};
use datafusion::common::Result;
use datafusion::logical_expr::{Expr, TableType};
use datafusion::physical_plan::ExecutionPlan;
use rules::PopulationFile;
use std::sync::Arc;

/// A row a case: service, household, person, outcome, amounts.
#[derive(Debug)]
pub struct Decisions {
    job: Arc<Job>,
    opened: Arc<Opened>,
}

impl Decisions {
    /// The decisions of a job.
    pub fn new(job: Job, opened: Arc<Opened>) -> Decisions {
        Decisions {
            job: Arc::new(job),
            opened,
        }
    }

    /// What is decided.
    pub fn job(&self) -> &Job {
        &self.job
    }
}

#[async_trait]
impl TableProvider for Decisions {
    fn schema(&self) -> SchemaRef {
        PopulationFile::table_schema()
    }

    fn table_type(&self) -> TableType {
        TableType::Base
    }

    async fn scan(
        &self,
        _: &dyn Session,
        projection: Option<&Vec<usize>>,
        _: &[Expr],
        _: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let decide = Decide::new(
            Arc::clone(&self.job),
            projection.cloned(),
            parts(&self.job)?,
            Arc::clone(&self.opened),
        );
        Ok(Arc::new(decide?))
    }
}
