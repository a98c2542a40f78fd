//! `/healthz` and `/readyz`, for orchestrators.

use actix_web::HttpResponse;
use actix_web::web::Data;
use serde::Serialize;
use tokio_util::sync::CancellationToken;
use utoipa::ToSchema;
use webhook_broker::{BrokerState, Publisher};
use webhook_service::operations::{Part, postgres_part};

use webhook_admin::Connections;

/// Cancelled when the service is asked to stop.
pub(crate) struct Draining(pub(crate) CancellationToken);

/// The state of each dependency.
#[derive(Serialize, ToSchema)]
pub(crate) struct Readiness {
    /// `ok`, `read-only` or `away`.
    postgres: &'static str,
    /// `ok`; `blocked`: RabbitMQ takes no events, as memory or disk is short; `away`.
    rabbitmq: &'static str,
    /// Whether the process is stopping.
    draining: bool,
}

/// Tells whether the process is alive.
#[utoipa::path(get, path = "/healthz", tag = "Health", security(()), responses((status = 200)))]
#[allow(clippy::unused_async, reason = "handlers are async")]
pub(crate) async fn show_health() -> HttpResponse {
    HttpResponse::Ok().finish()
}

/// Tells whether changes can be stored and events published.
#[utoipa::path(
    get, path = "/readyz", tag = "Health", security(()),
    responses((status = 200, body = Readiness), (status = 503, body = Readiness))
)]
pub(crate) async fn show_readiness(
    connections: Data<Connections>,
    publisher: Data<Publisher>,
    draining: Data<Draining>,
) -> HttpResponse {
    let [(_, postgres), (_, rabbitmq)] = parts(&connections, &publisher).await;
    let readiness = Readiness {
        postgres,
        rabbitmq,
        draining: draining.0.is_cancelled(),
    };
    if postgres == "ok" && rabbitmq == "ok" && !readiness.draining {
        HttpResponse::Ok().json(readiness)
    } else {
        HttpResponse::ServiceUnavailable().json(readiness)
    }
}

/// The state of Postgres and of RabbitMQ, for both endpoints.
pub(crate) async fn parts(connections: &Connections, publisher: &Publisher) -> [Part; 2] {
    let postgres = postgres_part(connections.ping()).await;
    let rabbitmq = match publisher.state() {
        BrokerState::Ready => "ok",
        BrokerState::Blocked => "blocked",
        BrokerState::Away => "away",
    };
    [postgres, ("rabbitmq", rabbitmq)]
}
