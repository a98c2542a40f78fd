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
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, RwLock};
use std::time::Duration;

use actix_web::dev::ServerHandle;
use actix_web::web::{Data, get};
use actix_web::{App, HttpResponse, HttpServer};
use serde_json::{Map, Value};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use webhook_metrics::catalogue::READY;

/// How often the parts are looked at for the metrics.
const LOOK_INTERVAL: Duration = Duration::from_secs(5);

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
    /// Shows the parts in the metrics, once the start is over.
    gauges: Mutex<Option<JoinHandle<()>>>,
}

struct State {
    started: AtomicBool,
    /// `None` until the start is over.
    parts: RwLock<Option<LookAtParts>>,
    draining: CancellationToken,
}

impl Operations {
    /// Serves on `listener`. Not started and not ready until [`started`](Self::started); not ready any more once
    /// `draining` is cancelled.
    pub fn serve(listener: TcpListener, draining: CancellationToken) -> std::io::Result<Self> {
        let state = Data::new(State {
            started: AtomicBool::new(false),
            parts: RwLock::default(),
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
            gauges: Mutex::default(),
        })
    }

    /// Tells the end of the start, and how to look at the parts from now on.
    pub fn started(&self, parts: LookAtParts) {
        let shown = tokio::spawn(show_parts(parts.clone()));
        *self.gauges.lock().expect("no holder of the lock panics") = Some(shown);
        let mut stored = self
            .state
            .parts
            .write()
            .expect("no holder of the lock panics");
        *stored = Some(parts);
        self.state.started.store(true, Ordering::Relaxed);
    }

    /// Stops the endpoint.
    pub async fn stop(self) {
        self.upkeep.abort();
        if let Ok(Some(gauges)) = self.gauges.into_inner() {
            gauges.abort();
        }
        self.server.stop(false).await;
    }
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
    if state.started.load(Ordering::Relaxed) {
        HttpResponse::Ok().finish()
    } else {
        HttpResponse::ServiceUnavailable().finish()
    }
}

async fn show_readiness(state: Data<State>) -> HttpResponse {
    let look = state
        .parts
        .read()
        .expect("no holder of the lock panics")
        .clone();
    let parts = match look {
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
