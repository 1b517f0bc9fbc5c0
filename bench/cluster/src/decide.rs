//! The node of the plan that decides: it reads numbers of parts and gives the decisions of their households.
//!
//! It has an input because Ballista hands each task its partitions by cutting the leaves it knows, files and tables in memory;
//! a leaf of our own would be run whole by every task.

use crate::job::{Job, Opened, failed};
use arrow::array::{AsArray, RecordBatch, UInt32Array};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef, UInt32Type};
use datafusion::common::Result;
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::datasource::memory::MemorySourceConfig;
use datafusion::execution::TaskContext;
use datafusion::physical_expr::{EquivalenceProperties, PhysicalExpr};
use datafusion::physical_plan::execution_plan::{Boundedness, EmissionType};
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::{
    DisplayAs, DisplayFormatType, ExecutionPlan, ExecutionPlanProperties, Partitioning, PlanProperties,
    SendableRecordBatchStream,
};
use futures::StreamExt;
use rules::PopulationFile;
use std::fmt;
use std::sync::Arc;

/// Decides the parts of a population that its input names.
#[derive(Debug)]
pub struct Decide {
    job: Arc<Job>,
    projection: Option<Vec<usize>>,
    input: Arc<dyn ExecutionPlan>,
    opened: Arc<Opened>,
    properties: Arc<PlanProperties>,
}

/// A partition for each part, which holds the part's number.
pub fn parts(job: &Job) -> Result<Arc<dyn ExecutionPlan>> {
    let schema: SchemaRef = Arc::new(Schema::new(vec![Field::new("part", DataType::UInt32, false)]));
    let mut partitions = Vec::with_capacity(job.parts);
    for part in 0..job.parts {
        let part = u32::try_from(part).map_err(failed)?;
        let column = Arc::new(UInt32Array::from(vec![part]));
        partitions.push(vec![RecordBatch::try_new(Arc::clone(&schema), vec![column])?]);
    }
    Ok(MemorySourceConfig::try_new_exec(&partitions, schema, None)?)
}

impl Decide {
    /// The node over an input of part numbers. `projection` chooses among the columns of a sweep's table.
    pub fn new(
        job: Arc<Job>,
        projection: Option<Vec<usize>>,
        input: Arc<dyn ExecutionPlan>,
        opened: Arc<Opened>,
    ) -> Result<Decide> {
        let schema = match &projection {
            None => PopulationFile::table_schema(),
            Some(columns) => Arc::new(PopulationFile::table_schema().project(columns)?),
        };
        let properties = PlanProperties::new(
            EquivalenceProperties::new(schema),
            Partitioning::UnknownPartitioning(input.output_partitioning().partition_count()),
            EmissionType::Incremental,
            Boundedness::Bounded,
        );
        Ok(Decide {
            job,
            projection,
            input,
            opened,
            properties: Arc::new(properties),
        })
    }

    /// What it decides.
    pub fn job(&self) -> &Job {
        &self.job
    }

    /// Which columns it gives.
    pub fn projection(&self) -> Option<&Vec<usize>> {
        self.projection.as_ref()
    }
}

impl DisplayAs for Decide {
    fn fmt_as(&self, _: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Decide: {} services on {}", self.job.digests.len(), self.job.date)
    }
}

impl ExecutionPlan for Decide {
    fn name(&self) -> &str {
        "Decide"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        &self.properties
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        vec![&self.input]
    }

    fn benefits_from_input_partitioning(&self) -> Vec<bool> {
        vec![false]
    }

    fn apply_expressions(
        &self,
        _: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion>,
    ) -> Result<TreeNodeRecursion> {
        Ok(TreeNodeRecursion::Continue)
    }

    fn with_new_children(self: Arc<Self>, children: Vec<Arc<dyn ExecutionPlan>>) -> Result<Arc<dyn ExecutionPlan>> {
        let [input] = children.as_slice() else {
            return Err(failed("the node that decides has one input"));
        };
        Ok(Arc::new(Decide::new(
            Arc::clone(&self.job),
            self.projection.clone(),
            Arc::clone(input),
            Arc::clone(&self.opened),
        )?))
    }

    fn execute(&self, partition: usize, context: Arc<TaskContext>) -> Result<SendableRecordBatchStream> {
        let (job, opened) = (Arc::clone(&self.job), Arc::clone(&self.opened));
        let projection = self.projection.clone();
        let decide = move |parts: Result<RecordBatch>| -> Result<Vec<RecordBatch>> {
            let city = opened.city(&job)?;
            let mut tables = Vec::new();
            for part in parts?.column(0).as_primitive::<UInt32Type>().values() {
                tables.extend(city.decide(&job, usize::try_from(*part).map_err(failed)?)?);
            }
            match &projection {
                None => Ok(tables),
                Some(columns) => tables
                    .iter()
                    .map(|table| table.project(columns).map_err(Into::into))
                    .collect(),
            }
        };
        let tables = self.input.execute(partition, context)?.flat_map(move |parts| {
            let tables: Vec<Result<RecordBatch>> = match decide(parts) {
                Ok(tables) => tables.into_iter().map(Ok).collect(),
                Err(error) => vec![Err(error)],
            };
            futures::stream::iter(tables)
        });
        Ok(Box::pin(RecordBatchStreamAdapter::new(self.schema(), tables)))
    }
}
