//! The health endpoint: `/healthz`, `/readyz` and `/metrics` for operators and orchestrators.

use std::net::TcpListener;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use actix_web::dev::ServerHandle;
use actix_web::{App, HttpResponse, HttpServer, web};
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};
use tokio_util::sync::CancellationToken;
use webhook_store::{Pool, StoreError};

use crate::readiness::Readiness;

/// How long Postgres may take to reply before counting as away.
const PING_TIMEOUT: Duration = Duration::from_secs(2);

/// How often old samples of the metrics are folded together, which bounds their memory.
const UPKEEP_INTERVAL: Duration = Duration::from_secs(5);

/// The metrics of the process: a single set, also for several workers in a test.
static METRICS: OnceLock<Option<PrometheusHandle>> = OnceLock::new();

struct Health {
    pool: Pool,
    readiness: Arc<Readiness>,
    cancel: CancellationToken,
}

/// The running server, which answers during the drain, too.
pub(crate) struct Running {
    server: ServerHandle,
    upkeep: tokio::task::JoinHandle<()>,
}

impl Running {
    pub(crate) async fn stop(self) {
        self.upkeep.abort();
        self.server.stop(false).await;
    }
}

/// Serves `/healthz`, `/readyz` and `/metrics`.
pub(crate) fn start(
    listener: TcpListener,
    pool: Pool,
    readiness: Arc<Readiness>,
    cancel: CancellationToken,
) -> std::io::Result<Running> {
    METRICS.get_or_init(|| match PrometheusBuilder::new().install_recorder() {
        Ok(handle) => Some(handle),
        Err(error) => {
            log::warn!("no metrics: {error}");
            None
        }
    });
    let health = web::Data::new(Health {
        pool,
        readiness,
        cancel,
    });
    let routes = move || {
        App::new()
            .app_data(health.clone())
            .route("/healthz", web::get().to(HttpResponse::Ok))
            .route("/readyz", web::get().to(show_readiness))
            .route("/metrics", web::get().to(show_metrics))
    };
    let server = HttpServer::new(routes)
        .workers(1)
        .disable_signals()
        .listen(listener)?
        .run();
    let handle = server.handle();
    tokio::spawn(server);
    Ok(Running {
        server: handle,
        upkeep: tokio::spawn(keep_up()),
    })
}

async fn keep_up() {
    let mut poll = tokio::time::interval(UPKEEP_INTERVAL);
    loop {
        poll.tick().await;
        if let Some(Some(metrics)) = METRICS.get() {
            metrics.run_upkeep();
        }
    }
}

/// Shows whether an event could be taken in and recorded: Postgres takes writes, a consumer is
/// registered, and neither intake nor recorder is stuck.
async fn show_readiness(health: web::Data<Health>) -> HttpResponse {
    let ping = tokio::time::timeout(PING_TIMEOUT, webhook_store::ping(&health.pool)).await;
    let postgres = match ping {
        Ok(Ok(())) => "ok",
        Ok(Err(StoreError::ReadOnly)) => "read-only",
        Ok(Err(_)) | Err(_) => "away",
    };
    let (readiness, draining) = (&health.readiness, health.cancel.is_cancelled());
    let word = |ready, not| if ready { "ok" } else { not };
    let parts = [
        ("postgres", postgres),
        ("rabbitmq", word(readiness.is_consuming(), "away")),
        ("intake", word(readiness.is_taking_in(), "stuck")),
        ("recorder", word(readiness.is_recording(), "stuck")),
    ];
    let ready = !draining && parts.iter().all(|(_, state)| *state == "ok");
    let mut body: serde_json::Map<String, serde_json::Value> = parts
        .iter()
        .map(|(part, state)| ((*part).to_owned(), (*state).into()))
        .collect();
    body.insert("draining".to_owned(), draining.into());
    if ready {
        HttpResponse::Ok().json(body)
    } else {
        HttpResponse::ServiceUnavailable().json(body)
    }
}

#[allow(clippy::unused_async, reason = "handlers are async")]
async fn show_metrics() -> HttpResponse {
    let text = METRICS.get().and_then(Option::as_ref);
    HttpResponse::Ok()
        .content_type("text/plain; version=0.0.4")
        .body(text.map(PrometheusHandle::render).unwrap_or_default())
}
