//! What operators and orchestrators ask: alive, ready, and how it goes.

use std::net::TcpListener;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use actix_web::dev::ServerHandle;
use actix_web::{App, HttpResponse, HttpServer, web};
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};
use tokio_util::sync::CancellationToken;
use webhook_store::Pool;

/// How long Postgres may take to answer.
const PING_WITHIN: Duration = Duration::from_secs(2);

/// How often old samples are folded together.
const UPKEEP: Duration = Duration::from_secs(5);

/// The process has one set of metrics, however many workers a test starts in it.
static METRICS: OnceLock<Option<PrometheusHandle>> = OnceLock::new();

struct Health {
    pool: Pool,
    consuming: Arc<AtomicBool>,
    cancel: CancellationToken,
}

/// A server that answers until it is stopped: during the drain it still tells what it does.
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
    consuming: Arc<AtomicBool>,
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
        consuming,
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
    let mut poll = tokio::time::interval(UPKEEP);
    loop {
        poll.tick().await;
        if let Some(Some(metrics)) = METRICS.get() {
            metrics.run_upkeep();
        }
    }
}

async fn show_readiness(health: web::Data<Health>) -> HttpResponse {
    let ping = tokio::time::timeout(PING_WITHIN, webhook_store::ping(&health.pool));
    let postgres = matches!(ping.await, Ok(Ok(())));
    let rabbitmq = health.consuming.load(Ordering::Relaxed);
    let draining = health.cancel.is_cancelled();
    let word = |up| if up { "ok" } else { "away" };
    let body = serde_json::json!({
        "postgres": word(postgres), "rabbitmq": word(rabbitmq), "draining": draining,
    });
    if postgres && rabbitmq && !draining {
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
