#![doc = include_str!("../README.md")]

use std::net::TcpListener;
use std::sync::Arc;

use anyhow::Context;

use lifecycle::{DEFAULT_DRAIN, work};
use readiness::Readiness;

// The process: configuration, health, readiness.
mod config;
mod health_endpoint;
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

pub use config::{Config, Flags};
pub use worker::{Pools, Stops, WorkerConfig};

/// Migrates, works as configured, and serves health and metrics on `listener`, until stopped by `stops`.
pub async fn serve(config: Config, listener: TcpListener, stops: Stops) -> anyhow::Result<()> {
    let database_url = config.database_url.as_str();
    webhook_store::check_sessions(database_url).await?;
    webhook_store::migrations::run(database_url).await?;
    let pools = Pools::connect(database_url).await?;
    let readiness = Arc::new(Readiness::default());
    let (pool, cancel) = (pools.work.clone(), stops.drain.clone());
    let health = health_endpoint::start(listener, pool, readiness.clone(), cancel)
        .context("cannot serve health and metrics")?;
    // Boxed, as every loop of the worker is a part of this future.
    let worked = Box::pin(work(config.worker, pools, config.drain, readiness, stops)).await;
    // The last to end: an operator sees the drain.
    health.stop().await;
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
