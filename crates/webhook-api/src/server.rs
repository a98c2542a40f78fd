//! The HTTP server: what handlers are given, how long a drain may take.

use std::net::TcpListener;

use actix_web::middleware::Compress;
use actix_web::web::Data;
use actix_web::{App, HttpServer};
use tokio_util::sync::CancellationToken;
use webhook_broker::Publisher;
use webhook_store::SealingKey;

use crate::config::UrlRules;
use crate::connections::Connections;
use crate::routes;
use crate::routes::health::Draining;

/// How long running requests may take to end at a shutdown, in seconds.
const DRAIN_SECONDS: u64 = 25;

/// What handlers are given; each lists what it uses.
#[derive(Clone)]
pub(crate) struct Parts {
    pub(crate) connections: Data<Connections>,
    pub(crate) publisher: Data<Publisher>,
    pub(crate) key: Data<SealingKey>,
    pub(crate) url_rules: Data<UrlRules>,
}

/// Serves until `cancel`; then accepts nothing new and lets running requests end.
pub(crate) async fn serve(
    listener: TcpListener,
    parts: Parts,
    cancel: CancellationToken,
) -> anyhow::Result<()> {
    let draining = Data::new(Draining(cancel.clone()));
    let app = move || {
        App::new()
            .app_data(parts.connections.clone())
            .app_data(parts.publisher.clone())
            .app_data(parts.key.clone())
            .app_data(parts.url_rules.clone())
            .app_data(draining.clone())
            .wrap(Compress::default())
            .configure(routes::configure)
    };
    let server = HttpServer::new(app)
        .disable_signals()
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
