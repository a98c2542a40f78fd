//! Takes events from RabbitMQ, decides who gets them, signs, delivers, retries and records.
//!
//! ```text
//! intake ──► lanes ──► courier ──► recorder
//! claims ──►   │ one per webhook
//! ```
//!
//! Beside that way: [`sweeps`] for what nobody is woken for, [`outbox`] for what the platform's
//! services are told, [`jobs`] for what admins ask for by the thousand, [`rejected`] for what is no
//! event, [`url_checks`] for what the API must not connect to, [`retention`] for what is old,
//! [`broker_check`] for what the broker should not let through.

use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::sync::atomic::AtomicU16;
use std::time::Duration;

use anyhow::Context;
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use uuid::Uuid;
use webhook_broker::{BrokerUrl, Publisher};
use webhook_domain::{AddressPolicy, HealthPolicy};
use webhook_store::{Pool, Purpose, SealingKeys, connect};

use client::{Connector, NoConnector};
use lanes::Lanes;
use readiness::Readiness;

mod config;
mod health;
mod readiness;

// The way of a delivery.
mod claims;
mod consuming;
mod intake;
mod lanes;
mod ordering;
mod parts;

// Beside it.
mod broker_check;
mod jobs;
mod outbox;
mod rejected;
mod retention;
mod sweeps;
mod url_checks;

// One attempt.
mod answer;
mod client;
mod courier;
mod destinations;
mod recipient;
mod recorder;
mod request;

pub use config::{Checked, Config, ConfigProblems};
pub use lanes::Stops;

/// Connections per worker: one for each of its loops, which hold it for a statement or a step, and
/// what is left by those that wait for lanes that read their destination.
const POOL_SIZE: usize = 8;

/// One for the intake and one for the recorder.
const BATCHES_POOL_SIZE: usize = 2;

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
    pub key: SealingKeys,
    /// Which addresses may be called.
    pub addresses: AddressPolicy,
    /// When a webhook's circuit opens. When it is disabled is in the platform's settings.
    pub health: HealthPolicy,
    /// For how long a delivery is ours. A dead worker's deliveries wait until then.
    pub lease: Duration,
    /// How many requests may run at once for a webhook that does not say.
    pub lane_concurrency: usize,
    /// The name servers that are asked; those of the machine's configuration if there are none.
    pub name_servers: Vec<SocketAddr>,
    /// How long a connection takes requests. After that its host is looked up again.
    pub connection_max_age: Duration,
}

/// A worker's connections to Postgres.
#[derive(Clone)]
pub struct Pools {
    /// For everything but batches.
    pub work: Pool,
    /// For taking events in and for recording attempts, see [`Purpose::Batches`].
    pub batches: Pool,
}

impl Pools {
    /// They open when they are wanted: Postgres may be away when a worker starts.
    pub async fn connect(database_url: &str) -> Result<Self, webhook_store::ConnectError> {
        Ok(Self {
            work: connect(database_url, POOL_SIZE, Purpose::Events).await?,
            batches: connect(database_url, BATCHES_POOL_SIZE, Purpose::Batches).await?,
        })
    }
}

/// What every loop of a worker uses.
struct Worker<'a> {
    settings: &'a Settings,
    pool: &'a Pool,
    batches: &'a Pool,
    lanes: &'a Arc<Lanes>,
    connector: &'a Arc<Connector>,
    readiness: &'a Readiness,
    /// How many events may be in hand, which depends on what the broker lets through.
    max_prefetch: Arc<AtomicU16>,
    cancel: &'a CancellationToken,
}

/// Migrates, works as configured, and serves health and metrics on `listener`, until it is
/// stopped and its drain.
pub async fn serve(config: &Config, listener: TcpListener, stops: Stops) -> anyhow::Result<()> {
    let checked = config.check()?;
    webhook_store::check_sessions(&checked.database_url).await?;
    webhook_store::migrations::run(&checked.database_url).await?;
    let pools = Pools::connect(&checked.database_url).await?;
    let readiness = Arc::new(Readiness::default());
    let cancel = stops.cancel.clone();
    let health = health::start(listener, pools.work.clone(), readiness.clone(), cancel)
        .context("cannot serve health and metrics")?;
    // It is large: every loop is in it.
    let work = work(checked.settings, pools, checked.drain, readiness, stops);
    let worked = Box::pin(work).await;
    health.stop().await;
    worked.context("cannot make connections to receivers")
}

/// Works until `stops.cancel`; then takes nothing new, lets running attempts end and records
/// them.
///
/// What was leased and not begun is handed back at once, what runs at `stops.deadline` too.
pub async fn run(settings: Settings, pools: Pools, stops: Stops) -> anyhow::Result<()> {
    let worked = Box::pin(work(settings, pools, DEFAULT_DRAIN, Arc::default(), stops)).await;
    worked.context("cannot make connections to receivers")
}

async fn work(
    settings: Settings,
    pools: Pools,
    drain: Duration,
    readiness: Arc<Readiness>,
    stops: Stops,
) -> Result<(), NoConnector> {
    let Pools {
        work: pool,
        batches,
    } = pools;
    let (results, recording) = recorder::channel();
    let connector = connector(&settings)?;
    let courier = courier::Courier::new(&settings, connector.clone(), results);
    let tasks = TaskTracker::new();
    let lanes = Lanes::new(&settings, pool.clone(), courier, &tasks, stops.clone());
    let recorder = recorder::Recorder {
        pool: pool.clone(),
        batches: batches.clone(),
        worker_id: Uuid::new_v4(),
        health: settings.health.clone(),
        lanes: Arc::downgrade(&lanes),
        readiness: readiness.clone(),
    };
    let recorder = tokio::spawn(recorder.record_all(recording));
    let timer = tokio::spawn(time_drain(stops.clone(), drain));
    let broker = settings.broker.clone();
    let publisher = Publisher::start(broker, "webhook-dispatcher status", stops.cancel.clone());

    let worker = Worker {
        settings: &settings,
        pool: &pool,
        batches: &batches,
        lanes: &lanes,
        connector: &connector,
        readiness: &readiness,
        max_prefetch: Arc::new(AtomicU16::new(broker_check::CAREFUL_PREFETCH)),
        cancel: &stops.cancel,
    };
    let loops = async {
        tokio::join!(
            intake::take_in_for_ever(&worker),
            claims::claim_for_ever(&worker),
            sweeps::flush_closed_for_ever(&worker),
            sweeps::heed_holds_for_ever(&worker),
            sweeps::make_up_for_ever(&worker),
            outbox::publish_for_ever(&worker, &publisher),
            jobs::work_for_ever(&worker),
            rejected::write_down_for_ever(&worker),
            url_checks::check_for_ever(&worker),
            retention::remove_old_for_ever(&worker),
            broker_check::check_message_size(&worker),
        )
    };
    tokio::select! {
        _ = loops => {}
        () = stops.deadline.cancelled() => {}
    }

    hand_back(lanes.close()).await;
    tasks.close();
    wait_for_attempts(&tasks, &stops.deadline).await;
    hand_back(lanes.hand_back_aside()).await;
    // The recorder ends when its last sender is gone.
    drop(lanes);
    flush(recorder).await;
    timer.abort();
    Ok(())
}

fn connector(settings: &Settings) -> Result<Arc<Connector>, NoConnector> {
    let connector = Connector::new(settings.addresses.clone(), &settings.name_servers)?;
    Ok(Arc::new(connector))
}

/// Gives leased deliveries back, as far as there is time.
async fn hand_back(handing: impl Future<Output = ()>) {
    if timeout(FLUSH, handing).await.is_err() {
        log::warn!("could not hand everything back; the rest waits for its lease to end");
    }
}

/// Running attempts end by themselves, at the latest when they are cut off at the deadline.
async fn wait_for_attempts(tasks: &TaskTracker, deadline: &CancellationToken) {
    let cut_off = async {
        deadline.cancelled().await;
        tokio::time::sleep(FLUSH).await;
    };
    tokio::select! {
        () = tasks.wait() => {}
        () = cut_off => log::error!("attempts do not end; their leases will"),
    }
}

async fn time_drain(stops: Stops, drain: Duration) {
    stops.cancel.cancelled().await;
    tokio::time::sleep(drain).await;
    log::warn!("the drain's time is over; running attempts are cut off and handed back");
    stops.deadline.cancel();
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
