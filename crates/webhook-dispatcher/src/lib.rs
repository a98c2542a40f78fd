#![doc = include_str!("../README.md")]

use std::net::TcpListener;
use std::sync::Arc;

use anyhow::Context;

use lifecycle::{DEFAULT_DRAIN, work};
use readiness::Readiness;
use webhook_service::dependencies::wait_for_postgres;
use webhook_service::operations::Operations;

// The process: configuration, readiness.
mod config;
mod readiness;

// A worker: start, stop, and the parts shared by all loops.
mod consuming;
mod lifecycle;
mod worker;

// The way of an event, and the requests to receivers.
mod batch_parts;
mod client;
mod pipeline;

// The loops beside the way.
mod background;

pub use config::{Config, Flags, RENAMED};
pub use pipeline::meter::Detail;
pub use worker::{Pools, Stops, WorkerConfig};

/// Migrates, works as configured, and serves health and metrics on `listener`, until stopped by `stops`.
pub async fn serve(config: Config, listener: TcpListener, stops: Stops) -> anyhow::Result<()> {
    webhook_metrics::register(
        webhook_metrics::Service::Dispatcher,
        env!("CARGO_PKG_VERSION"),
    );
    let operations = Operations::serve(listener, stops.drain.clone());
    let mut operations = operations.context("cannot serve health and metrics")?;
    let database_url = config.database_url.as_str();
    let migrated = wait_for_postgres(&stops.drain, async || {
        webhook_store::check_sessions(database_url).await?;
        webhook_store::migrations::run(database_url).await
    });
    if migrated.await?.is_none() {
        return Ok(());
    }
    let pools = Pools::connect(database_url).await?;
    let readiness = Arc::new(Readiness::default());
    operations.started(readiness::parts(pools.work.clone(), readiness.clone()));
    // Boxed, as every loop of the worker is a part of this future.
    let worked = Box::pin(work(config.worker, pools, config.drain, readiness, stops)).await;
    // The last to end: an operator sees the drain.
    operations.stop().await;
    worked.context("cannot make connections to receivers")
}

/// Works until `stops.drain`, then begins nothing more, lets running attempts end, and records them.
///
/// Deliveries waiting in lanes are handed back at once, and deliveries still being attempted at
/// `stops.cut_off` then.
pub async fn run(config: WorkerConfig, pools: Pools, stops: Stops) -> anyhow::Result<()> {
    let worked = Box::pin(work(config, pools, DEFAULT_DRAIN, Arc::default(), stops)).await;
    worked.context("cannot make connections to receivers")
}
