//! The HTTP server: the arguments of handlers, the limits of connections, the drain.

use std::net::TcpListener;
use std::sync::Arc;

use actix_cors::Cors;
use actix_web::http::header::{AUTHORIZATION, CONTENT_TYPE, ETAG, IF_MATCH, LOCATION, RETRY_AFTER};
use actix_web::middleware::{Compress, Condition, from_fn};
use actix_web::web::Data;
use actix_web::{App, HttpServer};
use tokio_util::sync::CancellationToken;
use webhook_broker::Publisher;
use webhook_store::SealingKeys;

use crate::rest::health::Draining;
use crate::routes;
use webhook_admin::Connections;
use webhook_admin::dispatchers::DispatcherWatch;
use webhook_admin::overview::OldestDueCache;
use webhook_admin::url_rules::UrlRules;
use webhook_web::access_log;
use webhook_web::api_key_cache::ApiKeyCache;
use webhook_web::rate_limit::KeyLimits;

/// How long running requests may take at a shutdown, in seconds. Later ones are cut off.
const DRAIN_SECONDS: u64 = 25;

/// How long a browser may cache a CORS preflight, in seconds.
const PREFLIGHT_SECONDS: usize = 3_600;

/// The arguments of handlers; each handler lists its own.
#[derive(Clone)]
pub(crate) struct Parts {
    pub(crate) connections: Data<Connections>,
    pub(crate) api_key_cache: Data<ApiKeyCache>,
    pub(crate) publisher: Data<Publisher>,
    pub(crate) keys: Data<SealingKeys>,
    pub(crate) url_rules: Data<UrlRules>,
    pub(crate) limits: Data<KeyLimits>,
    /// The origins of pages with access to the API.
    pub(crate) cors_origins: Arc<[String]>,
}

/// Serves until `cancel`; then accepts no connection and lets running requests end.
pub(crate) async fn serve(
    listener: TcpListener,
    parts: Parts,
    cancel: CancellationToken,
) -> anyhow::Result<()> {
    let draining = Data::new(Draining(cancel.clone()));
    let dispatchers = Data::new(DispatcherWatch::default());
    let oldest_due = Data::new(OldestDueCache::default());
    let app = move || {
        App::new()
            .app_data(parts.connections.clone())
            .app_data(parts.api_key_cache.clone())
            .app_data(parts.publisher.clone())
            .app_data(parts.keys.clone())
            .app_data(parts.url_rules.clone())
            .app_data(parts.limits.clone())
            .app_data(draining.clone())
            .app_data(dispatchers.clone())
            .app_data(oldest_due.clone())
            .wrap(Compress::default())
            .wrap(Condition::new(
                !parts.cors_origins.is_empty(),
                cors(&parts.cors_origins),
            ))
            .wrap(from_fn(access_log::follow))
            .configure(routes::configure)
    };
    let server = HttpServer::new(app)
        .disable_signals()
        // A client that closes its half of a connection waits for no response: the request ends early.
        .h1_allow_half_closed(false)
        .shutdown_timeout(DRAIN_SECONDS)
        .listen(listener)?
        .run();
    let handle = server.handle();
    let mut server = tokio::spawn(server);
    tokio::select! {
        ended = &mut server => return Ok(ended??),
        () = cancel.cancelled() => handle.stop(true).await,
    }
    Ok(server.await??)
}

/// Lets pages of these origins call the API with an API key. Their requests carry no cookies.
fn cors(origins: &[String]) -> Cors {
    let open = Cors::default()
        .allow_any_method()
        .allowed_headers([
            AUTHORIZATION,
            CONTENT_TYPE,
            IF_MATCH,
            webhook_web::request_id::HEADER,
        ])
        .allowed_header("Idempotency-Key")
        .expose_headers([ETAG, LOCATION, RETRY_AFTER, webhook_web::request_id::HEADER])
        .max_age(Some(PREFLIGHT_SECONDS));
    let origins = origins.iter().map(String::as_str);
    origins.fold(open, Cors::allowed_origin)
}
