//! Takes events from RabbitMQ, decides who gets them, signs, delivers, retries and records.
//!
//! ```text
//! intake ──► lanes ──► courier ──► recorder
//! claims ──►   │ one per webhook
//! ```

use std::net::TcpListener;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use anyhow::Context;
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use webhook_broker::BrokerUrl;
use webhook_domain::{AddressPolicy, RetryPolicy};
use webhook_store::{Pool, SealingKey};

mod config;
mod health;

// The way of a delivery.
mod claims;
mod intake;
mod lanes;

// One attempt.
mod answer;
mod courier;
mod destinations;
mod recorder;
mod request;
mod target;

pub use config::{Checked, Config, ConfigProblems, LogFormat, RetryConfig};

/// Connections per worker: intake, claims, the recorder, and lanes that read their destination.
const POOL_SIZE: usize = 10;

/// How long running attempts may take to end when [`run`] is asked to stop.
const DEFAULT_DRAIN: Duration = Duration::from_secs(25);

/// How long the last hand-back and the last results may each take at a shutdown.
const FLUSH: Duration = Duration::from_secs(5);

/// What a worker is told.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Where events come from.
    pub broker: BrokerUrl,
    /// What opens the webhooks' secrets.
    pub key: SealingKey,
    /// Which addresses may be called.
    pub addresses: AddressPolicy,
    /// How failed deliveries are tried again.
    pub policy: RetryPolicy,
    /// For how long a delivery is ours. A dead worker's deliveries wait until then.
    pub lease: Duration,
    /// How many requests may run at once per webhook.
    pub lane_concurrency: usize,
}

/// Migrates, works as configured, and serves health and metrics on `listener`, until `cancel` and its drain.
pub async fn serve(
    config: &Config,
    listener: TcpListener,
    cancel: CancellationToken,
) -> anyhow::Result<()> {
    let checked = config.check()?;
    webhook_store::migrations::run(&checked.database_url).await?;
    let pool = webhook_store::connect(&checked.database_url, POOL_SIZE).await?;
    let consuming = Arc::new(AtomicBool::new(false));
    let health = health::start(listener, pool.clone(), consuming.clone(), cancel.clone())
        .context("cannot serve health and metrics")?;
    let worked = work(checked.settings, pool, checked.drain, consuming, cancel).await;
    health.stop().await;
    worked.context("cannot make the HTTP client")
}

/// Works until `cancel`; then takes nothing new, lets running attempts end and records them.
///
/// What was leased and not begun is handed back.
pub async fn run(settings: Settings, pool: Pool, cancel: CancellationToken) -> reqwest::Result<()> {
    work(settings, pool, DEFAULT_DRAIN, Arc::default(), cancel).await
}

async fn work(
    settings: Settings,
    pool: Pool,
    drain: Duration,
    consuming: Arc<AtomicBool>,
    cancel: CancellationToken,
) -> reqwest::Result<()> {
    let deadline = CancellationToken::new();
    let (results, recording) = recorder::channel();
    let courier = courier::Courier::new(&settings, results)?;
    let recorder = tokio::spawn(recorder::record_all(pool.clone(), recording));
    let timer = tokio::spawn(time_drain(cancel.clone(), deadline.clone(), drain));
    let tasks = TaskTracker::new();
    let stops = lanes::Stops {
        cancel: cancel.clone(),
        deadline: deadline.clone(),
    };
    let lanes = lanes::Lanes::new(&settings, pool.clone(), courier, &tasks, stops);

    let claims = claims::claim_for_ever(&settings, &pool, &lanes, &cancel);
    let intake = intake::take_in_for_ever(&settings, &pool, &lanes, &consuming, &cancel);
    tokio::select! {
        _ = async { tokio::join!(intake, claims) } => {}
        () = deadline.cancelled() => {}
    }

    tasks.close();
    tasks.wait().await;
    if timeout(FLUSH, lanes.hand_back_aside()).await.is_err() {
        log::warn!("could not hand everything back; the rest waits for its lease to end");
    }
    // The recorder ends when its last sender is gone.
    drop(lanes);
    flush(recorder).await;
    timer.abort();
    Ok(())
}

async fn time_drain(cancel: CancellationToken, deadline: CancellationToken, drain: Duration) {
    cancel.cancelled().await;
    tokio::time::sleep(drain).await;
    log::warn!("the drain's time is over; running attempts are cut off and handed back");
    deadline.cancel();
}

async fn flush(mut recorder: JoinHandle<()>) {
    match timeout(FLUSH, &mut recorder).await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => log::error!("the recorder broke: {error}"),
        Err(_) => {
            recorder.abort();
            log::error!(
                "results could not be recorded; their deliveries repeat when their leases end"
            );
        }
    }
}
