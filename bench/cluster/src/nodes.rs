//! The processes of the cluster, on loopback alone: a scheduler and executors of one core each.

use crate::codec::{Logical, Physical};
use crate::{Done, Options};
use ballista_core::registry::BallistaFunctionRegistry;
use ballista_executor::executor_process::{ExecutorProcessConfig, start_executor_process};
use ballista_scheduler::cluster::BallistaCluster;
use ballista_scheduler::config::{SchedulerConfig, TaskDistributionPolicy};
use ballista_scheduler::scheduler_process::{create_scheduler, start_grpc_service_with_listener};
use datafusion::execution::SessionStateBuilder;
use datafusion_proto::protobuf::{LogicalPlanNode, PhysicalPlanNode};
use std::sync::Arc;

/// All that this cluster listens on.
pub const HOST: &str = "127.0.0.1";

/// Runs a scheduler on a free port, which it prints. `/readyz` answers once the executors are there.
pub async fn scheduler(options: &Options) -> Done {
    let listener = tokio::net::TcpListener::bind((HOST, 0)).await?;
    let port = listener.local_addr()?.port();
    let config = SchedulerConfig {
        bind_host: HOST.to_owned(),
        external_host: HOST.to_owned(),
        bind_port: port,
        min_ready_executors: options.number("executors")?,
        task_distribution: TaskDistributionPolicy::RoundRobin,
        override_logical_codec: Some(Arc::new(Logical::default())),
        override_physical_codec: Some(Arc::new(Physical::default())),
        ..SchedulerConfig::default()
    };
    let cluster = BallistaCluster::new_from_config(&config).await?;
    let scheduler = create_scheduler::<LogicalPlanNode, PhysicalPlanNode>(cluster, Arc::new(config)).await?;
    println!("{port}");
    start_grpc_service_with_listener(listener, scheduler).await?;
    Ok(())
}

/// Runs an executor of one core for the scheduler.
pub async fn executor(options: &Options) -> Done {
    let (port, grpc_port) = (free_port()?, free_port()?);
    // Ballista knows the plain functions alone; the counts take amounts out of lists
    let state = SessionStateBuilder::new().with_default_features().build();
    let config = ExecutorProcessConfig {
        override_function_registry: Some(Arc::new(BallistaFunctionRegistry::from(&state))),
        bind_host: HOST.to_owned(),
        external_host: Some(HOST.to_owned()),
        port,
        grpc_port,
        scheduler_host: HOST.to_owned(),
        scheduler_port: options.number("scheduler")?,
        scheduler_connect_timeout_seconds: 20,
        vcores: 1,
        work_dir: Some(options.get("work")?.to_owned()),
        override_logical_codec: Some(Arc::new(Logical::default())),
        override_physical_codec: Some(Arc::new(Physical::default())),
        ..ExecutorProcessConfig::default()
    };
    start_executor_process(Arc::new(config)).await?;
    Ok(())
}

/// A port that nobody listens on now. Ballista tells its ports to others before it opens them, so it can't be given zero.
fn free_port() -> Done<u16> {
    let listener = std::net::TcpListener::bind((HOST, 0))?;
    Ok(listener.local_addr()?.port())
}
