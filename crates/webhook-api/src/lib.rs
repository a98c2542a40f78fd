#![doc = include_str!("../README.md")]
#![allow(
    unused_qualifications,
    reason = "the macro that describes a handler qualifies its parameters"
)]

use std::net::TcpListener;

use actix_web::web::Data;
use anyhow::Context;
use tokio_util::sync::CancellationToken;
use webhook_admin::Connections;
use webhook_broker::Publisher;
use webhook_store::PoolPurpose;
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
pub use config::{Config, Flags};
pub use openapi::openapi_document;
pub use webhook_admin::command_line::{create_key, reseal};
pub use webhook_web::request_id;

/// Connections per replica. A request holds one for a few statements.
const POOL_SIZE: usize = 20;

/// Migrates, then serves the API on `listener` until `cancel` and its drain.
///
/// Needs tokio's multi-threaded runtime, for the migrations.
pub async fn run(
    config: Config,
    listener: TcpListener,
    cancel: CancellationToken,
) -> anyhow::Result<()> {
    let database_url = config.database_url.as_str();
    webhook_store::check_sessions(database_url).await?;
    migrate(database_url).await?;
    let pool = webhook_store::connect(database_url, POOL_SIZE, PoolPurpose::Management).await?;
    // Before the first request: no response shows a URL that is a password.
    let sealed = webhook_admin::command_line::seal_urls(&pool, &config.sealing_keys).await?;
    if sealed > 0 {
        log::info!("sealed the URLs of {sealed} webhooks");
    }
    // The publisher outlives the drain, so that requests that are running can still publish.
    let publishing = CancellationToken::new();
    let publisher = Publisher::start(config.broker, "webhook-api", publishing.clone());
    let _publishing = publishing.drop_guard();
    let connections = Data::new(Connections::new(pool));
    let parts = server::Parts {
        api_key_cache: Data::new(ApiKeyCache::new(connections.clone())),
        connections,
        publisher: Data::new(publisher),
        keys: Data::new(config.sealing_keys),
        url_rules: Data::new(config.url_rules),
        limits: Data::new(KeyLimits::per_second(config.key_rate_limit)),
        cors_origins: config.cors_origins.into(),
    };
    server::serve(listener, parts, cancel)
        .await
        .context("cannot serve HTTP")
}

/// Brings the database's schema up to date. Replicas may do it at the same time.
pub async fn migrate(database_url: &str) -> anyhow::Result<()> {
    for migration in webhook_store::migrations::run(database_url).await? {
        log::info!("applied migration {migration}");
    }
    Ok(())
}
