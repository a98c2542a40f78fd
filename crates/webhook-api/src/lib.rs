#![doc = include_str!("../README.md")]
#![allow(
    unused_qualifications,
    reason = "the macro that describes a handler qualifies its parameters"
)]

use std::net::TcpListener;
use std::sync::Arc;
use std::time::Duration;

use actix_web::web::Data;
use anyhow::Context;
use tokio_util::sync::CancellationToken;
use webhook_admin::Connections;
use webhook_broker::Publisher;
use webhook_service::dependencies::wait_for_postgres;
use webhook_service::operations::Operations;
use webhook_store::{Pool, PoolPurpose};
use webhook_web::api_key_cache::ApiKeyCache;
use webhook_web::rate_limit::KeyLimits;

// The start.
mod config;
mod server;

// The table of routes, and the handlers of the API.
mod rest;
mod routes;

// The description of the API, and the pages that show the description.
mod docs;
mod openapi;
mod refusals;

// The description of the messages on RabbitMQ.
mod asyncapi;
mod event_schemas;

pub use asyncapi::asyncapi_document;
pub use config::{Config, Flags, ImportConfig};
pub use openapi::openapi_document;
pub use webhook_admin::command_line::create_key;
pub use webhook_web::request_id;

/// How often the replica shows its gauges.
const GAUGES_INTERVAL: Duration = Duration::from_secs(5);

/// The sockets of the API, open before the start: the orchestrator sees a taken port at once.
pub struct Listeners {
    /// For the API and the portal.
    pub public: TcpListener,
    /// For health and metrics.
    pub operations: TcpListener,
}

/// Connections per replica. A request holds one for a few statements.
pub const POOL_SIZE: usize = 20;

/// Migrates, then serves the API on `listeners` until `cancel` and its drain.
///
/// Needs tokio's multi-threaded runtime, for the migrations.
pub async fn run(
    config: Config,
    listeners: Listeners,
    cancel: CancellationToken,
) -> anyhow::Result<()> {
    webhook_metrics::register(webhook_metrics::Service::Api, env!("CARGO_PKG_VERSION"));
    let operations = Operations::serve(listeners.operations, cancel.clone());
    let mut operations = operations.context("cannot serve health and metrics")?;
    let prepared = wait_for_postgres(&cancel, async || prepare(&config).await);
    let Some(pool) = prepared.await? else {
        return Ok(());
    };
    // The publisher outlives the drain, so that requests that are running can still publish.
    let publishing = CancellationToken::new();
    let publisher = Publisher::start(config.broker, "webhook-api", publishing.clone());
    let _publishing = publishing.drop_guard();
    let gauges = tokio::spawn(show_gauges(pool.clone()));
    let connections = Data::new(Connections::new(pool));
    let (looked_at, asked) = (connections.clone().into_inner(), publisher.clone());
    operations.started(Arc::new(move || {
        let (connections, publisher) = (looked_at.clone(), asked.clone());
        Box::pin(async move { rest::health::parts(&connections, &publisher).await.to_vec() })
    }));
    let parts = server::Parts {
        api_key_cache: Data::new(ApiKeyCache::new(connections.clone())),
        connections,
        publisher: Data::new(publisher),
        keys: Data::new(config.sealing_keys),
        url_rules: Data::new(config.url_rules),
        limits: Data::new(KeyLimits::per_second(config.key_rate_limit)),
        cors_origins: config.cors_origins.into(),
    };
    let served = server::serve(listeners.public, parts, cancel).await;
    gauges.abort();
    // The last to end: an operator sees the drain.
    operations.stop().await;
    served.context("cannot serve HTTP")
}

/// Brings the database up to date, and makes the pool.
async fn prepare(config: &Config) -> anyhow::Result<Pool> {
    let database_url = config.database_url.as_str();
    webhook_store::check_sessions(database_url).await?;
    migrate(database_url).await?;
    let pool = webhook_store::connect(database_url, POOL_SIZE, PoolPurpose::Management).await?;
    // Before the first request: no response shows a URL that is a password.
    let sealed = webhook_admin::command_line::seal_urls(&pool, &config.sealing_keys).await?;
    if sealed > 0 {
        log::info!("sealed the URLs of {sealed} webhooks");
    }
    Ok(pool)
}

async fn show_gauges(pool: Pool) {
    loop {
        webhook_store::show_size(&pool);
        tokio::time::sleep(GAUGES_INTERVAL).await;
    }
}

/// Brings the database's schema up to date. Replicas may do it at the same time.
pub async fn migrate(database_url: &str) -> anyhow::Result<()> {
    for migration in webhook_store::migrations::run(database_url).await? {
        log::info!("applied migration {migration}");
    }
    Ok(())
}
