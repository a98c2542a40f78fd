//! The operations endpoint: `/healthz`, `/startupz`, `/readyz` and `/metrics`, on a listener of its own. Publishers
//! and admins have no use for the page of metrics, and an ingress has no way to it.
//!
//! | path | 200 | otherwise |
//! | --- | --- | --- |
//! | `/healthz` | the process replies | never: a restart mends no missing dependency |
//! | `/startupz` | the start is over: Postgres was reached and migrated | 503 |
//! | `/readyz` | every part is `ok`, see [`Part`] | 503, with the same body |
//! | `/metrics` | always | never |

use std::net::TcpListener;
use std::pin::Pin;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use actix_web::dev::ServerHandle;
use actix_web::web::{Data, get};
use actix_web::{App, HttpResponse, HttpServer};
use serde_json::{Map, Value};
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use webhook_metrics::catalogue::READY;
use webhook_store::StoreError;

/// How often the parts are looked at for the metrics.
const LOOK_INTERVAL: Duration = Duration::from_secs(5);

/// How long Postgres may take to reply to a ping before counting as away.
const PING_TIMEOUT: Duration = Duration::from_secs(2);

/// A part of the readiness: the name, and `ok` or what is wrong.
pub type Part = (&'static str, &'static str);

/// Looks at every part. Runs at each request for `/readyz`.
pub type LookAtParts =
    Arc<dyn Fn() -> Pin<Box<dyn Future<Output = Vec<Part>> + Send>> + Send + Sync>;

/// The running endpoint. Answers from the start of the process to the end of the drain.
pub struct Operations {
    state: Data<State>,
    server: ServerHandle,
    upkeep: JoinHandle<()>,
    /// Shows the parts in the metrics; `None` until the start is over.
    gauges: Option<JoinHandle<()>>,
}

struct State {
    /// Empty until the start is over.
    parts: OnceLock<LookAtParts>,
    draining: CancellationToken,
}

impl Operations {
    /// Serves on `listener`. Not started and not ready until [`started`](Self::started); not ready any more once
    /// `draining` is cancelled.
    pub fn serve(listener: TcpListener, draining: CancellationToken) -> std::io::Result<Self> {
        let state = Data::new(State {
            parts: OnceLock::new(),
            draining,
        });
        let shared = state.clone();
        let routes = move || {
            App::new()
                .app_data(shared.clone())
                .route("/healthz", get().to(HttpResponse::Ok))
                .route("/startupz", get().to(show_start))
                .route("/readyz", get().to(show_readiness))
                .route("/metrics", get().to(show_metrics))
        };
        let server = HttpServer::new(routes)
            .workers(1)
            .disable_signals()
            .listen(listener)?
            .run();
        let handle = server.handle();
        tokio::spawn(server);
        Ok(Self {
            state,
            server: handle,
            upkeep: tokio::spawn(webhook_metrics::keep_up(tokio::time::sleep)),
            gauges: None,
        })
    }

    /// Tells the end of the start, and how to look at the parts from now on.
    pub fn started(&mut self, parts: LookAtParts) {
        let parts = self.state.parts.get_or_init(|| parts).clone();
        self.gauges = Some(tokio::spawn(show_parts(parts)));
    }

    /// Stops the endpoint.
    pub async fn stop(self) {
        self.upkeep.abort();
        if let Some(gauges) = self.gauges {
            gauges.abort();
        }
        self.server.stop(false).await;
    }
}

/// The part of Postgres, by a ping of a pool.
pub async fn postgres_part(ping: impl Future<Output = Result<(), StoreError>>) -> Part {
    let state = match timeout(PING_TIMEOUT, ping).await {
        Ok(Ok(())) => "ok",
        Ok(Err(StoreError::ReadOnly)) => "read-only",
        Ok(Err(_)) | Err(_) => "away",
    };
    ("postgres", state)
}

async fn show_parts(look: LookAtParts) {
    loop {
        for (part, state) in look().await {
            READY.set_count_for(&[part], usize::from(state == "ok"));
        }
        tokio::time::sleep(LOOK_INTERVAL).await;
    }
}

async fn show_start(state: Data<State>) -> HttpResponse {
    if state.parts.get().is_some() {
        HttpResponse::Ok().finish()
    } else {
        HttpResponse::ServiceUnavailable().finish()
    }
}

async fn show_readiness(state: Data<State>) -> HttpResponse {
    let parts = match state.parts.get() {
        Some(look) => look().await,
        None => vec![("start", "waiting for Postgres")],
    };
    let draining = state.draining.is_cancelled();
    let ready = !draining && parts.iter().all(|(_, state)| *state == "ok");
    let parts = parts
        .into_iter()
        .map(|(part, state)| (part.to_owned(), Value::from(state)));
    let mut body: Map<String, Value> = parts.collect();
    body.insert("draining".to_owned(), draining.into());
    if ready {
        HttpResponse::Ok().json(body)
    } else {
        HttpResponse::ServiceUnavailable().json(body)
    }
}

#[allow(clippy::unused_async, reason = "handlers are async")]
async fn show_metrics() -> HttpResponse {
    HttpResponse::Ok()
        .content_type("text/plain; version=0.0.4")
        .body(webhook_metrics::render())
}
