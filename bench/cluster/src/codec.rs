//! How our table and our node travel between the processes; everything else is Ballista's.

use crate::decide::Decide;
use crate::job::{Job, Opened, failed};
use crate::table::Decisions;
use arrow::datatypes::SchemaRef;
use ballista_core::serde::{BallistaLogicalExtensionCodec, BallistaPhysicalExtensionCodec};
use datafusion::catalog::TableProvider;
use datafusion::common::{Result, TableReference};
use datafusion::datasource::file_format::FileFormatFactory;
use datafusion::execution::TaskContext;
use datafusion::logical_expr::{Extension, LogicalPlan};
use datafusion::physical_plan::ExecutionPlan;
use datafusion_proto::logical_plan::LogicalExtensionCodec;
use datafusion_proto::physical_plan::{PhysicalExtensionCodec, PhysicalProtoConverterExtension};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// Begins the bytes of what is ours. Ballista's own begin with a field number of protocol buffers, never with this.
const MARK: &[u8] = b"\xfftongban\x00";

/// Our node as it travels; its input travels as Ballista sends every input.
#[derive(Serialize, Deserialize)]
struct Sent {
    job: Job,
    projection: Option<Vec<usize>>,
}

/// The codec of logical plans.
#[derive(Debug, Default)]
pub struct Logical {
    theirs: BallistaLogicalExtensionCodec,
    opened: Arc<Opened>,
}

/// The codec of physical plans.
#[derive(Debug, Default)]
pub struct Physical {
    theirs: BallistaPhysicalExtensionCodec,
    opened: Arc<Opened>,
}

fn write(value: &impl Serialize, buffer: &mut Vec<u8>) -> Result<()> {
    buffer.extend_from_slice(MARK);
    serde_json::to_writer(buffer, value).map_err(failed)
}

impl LogicalExtensionCodec for Logical {
    fn try_decode(&self, bytes: &[u8], inputs: &[LogicalPlan], context: &TaskContext) -> Result<Extension> {
        self.theirs.try_decode(bytes, inputs, context)
    }

    fn try_encode(&self, node: &Extension, buffer: &mut Vec<u8>) -> Result<()> {
        self.theirs.try_encode(node, buffer)
    }

    fn try_decode_table_provider(
        &self,
        bytes: &[u8],
        table: &TableReference,
        schema: SchemaRef,
        context: &TaskContext,
    ) -> Result<Arc<dyn TableProvider>> {
        match bytes.strip_prefix(MARK) {
            Some(json) => {
                let job = serde_json::from_slice(json).map_err(failed)?;
                Ok(Arc::new(Decisions::new(job, Arc::clone(&self.opened))))
            }
            None => self.theirs.try_decode_table_provider(bytes, table, schema, context),
        }
    }

    fn try_encode_table_provider(
        &self,
        table: &TableReference,
        node: Arc<dyn TableProvider>,
        buffer: &mut Vec<u8>,
    ) -> Result<()> {
        match node.downcast_ref::<Decisions>() {
            Some(decisions) => write(decisions.job(), buffer),
            None => self.theirs.try_encode_table_provider(table, node, buffer),
        }
    }

    fn try_decode_file_format(&self, bytes: &[u8], context: &TaskContext) -> Result<Arc<dyn FileFormatFactory>> {
        self.theirs.try_decode_file_format(bytes, context)
    }

    fn try_encode_file_format(&self, buffer: &mut Vec<u8>, node: Arc<dyn FileFormatFactory>) -> Result<()> {
        self.theirs.try_encode_file_format(buffer, node)
    }
}

impl PhysicalExtensionCodec for Physical {
    fn try_decode(
        &self,
        bytes: &[u8],
        inputs: &[Arc<dyn ExecutionPlan>],
        context: &TaskContext,
        converter: &dyn PhysicalProtoConverterExtension,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let Some(json) = bytes.strip_prefix(MARK) else {
            return self.theirs.try_decode(bytes, inputs, context, converter);
        };
        let sent: Sent = serde_json::from_slice(json).map_err(failed)?;
        let [input] = inputs else {
            return Err(failed("the node that decides came without its input"));
        };
        let opened = Arc::clone(&self.opened);
        let decide = Decide::new(Arc::new(sent.job), sent.projection, Arc::clone(input), opened)?;
        Ok(Arc::new(decide))
    }

    fn try_encode(
        &self,
        node: Arc<dyn ExecutionPlan>,
        buffer: &mut Vec<u8>,
        converter: &dyn PhysicalProtoConverterExtension,
    ) -> Result<()> {
        let Some(decide) = node.downcast_ref::<Decide>() else {
            return self.theirs.try_encode(node, buffer, converter);
        };
        let sent = Sent {
            job: decide.job().clone(),
            projection: decide.projection().cloned(),
        };
        write(&sent, buffer)
    }
}
