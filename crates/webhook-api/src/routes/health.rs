//! What orchestrators ask: alive, and ready.

use std::time::Duration;

use actix_web::HttpResponse;
use actix_web::web::Data;
use serde::Serialize;
use tokio_util::sync::CancellationToken;
use utoipa::ToSchema;
use webhook_broker::Publisher;

use crate::connections::Connections;

/// How long Postgres may take to answer.
const PING_WITHIN: Duration = Duration::from_secs(2);

/// Cancelled when the service is asked to stop.
pub(crate) struct Draining(pub(crate) CancellationToken);

/// What the service needs, each by name.
#[derive(Serialize, ToSchema)]
pub(crate) struct Readiness {
    /// `ok` or `away`.
    postgres: &'static str,
    /// `ok` or `away`.
    rabbitmq: &'static str,
    /// Whether the service is stopping.
    draining: bool,
}

/// Whether the process is alive.
#[utoipa::path(get, path = "/healthz", tag = "health", security(()), responses((status = 200)))]
#[allow(clippy::unused_async, reason = "handlers are async")]
pub(crate) async fn show_health() -> HttpResponse {
    HttpResponse::Ok().finish()
}

/// Whether requests can be served.
#[utoipa::path(
    get, path = "/readyz", tag = "health", security(()),
    responses((status = 200, body = Readiness), (status = 503, body = Readiness))
)]
pub(crate) async fn show_readiness(
    connections: Data<Connections>,
    publisher: Data<Publisher>,
    draining: Data<Draining>,
) -> HttpResponse {
    let ping = tokio::time::timeout(PING_WITHIN, connections.ping());
    let postgres = matches!(ping.await, Ok(Ok(())));
    let rabbitmq = publisher.is_connected();
    let draining = draining.0.is_cancelled();
    let word = |up| if up { "ok" } else { "away" };
    let readiness = Readiness {
        postgres: word(postgres),
        rabbitmq: word(rabbitmq),
        draining,
    };
    if postgres && rabbitmq && !draining {
        HttpResponse::Ok().json(readiness)
    } else {
        HttpResponse::ServiceUnavailable().json(readiness)
    }
}
