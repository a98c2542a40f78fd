//! A worker from start to end.

use std::sync::Arc;
use std::sync::atomic::AtomicU16;
use std::time::Duration;

use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use uuid::Uuid;
use webhook_broker::Publisher;

use crate::background::{
    broker_check, day_sums, gauges, heartbeat, jobs, outbox, rejected, retention, sweeps,
    url_checks,
};
use crate::client::{Client, Connector, NoConnector};
use crate::pipeline::backlog::Backlog;
use crate::pipeline::courier::Courier;
use crate::pipeline::destinations::Destinations;
use crate::pipeline::lanes::Lanes;
use crate::pipeline::message_links::LinksCache;
use crate::pipeline::meter::Meter;
use crate::pipeline::recorder::Recorder;
use crate::pipeline::results::{self, Results};
use crate::pipeline::runner::Runners;
use crate::pipeline::{claims, intake};
use crate::readiness::Readiness;
use crate::worker::{Pools, Stops, Worker, WorkerConfig};

/// How long running attempts may take to end after `drain`, where no configuration says otherwise.
pub(crate) const DEFAULT_DRAIN: Duration = Duration::from_secs(25);

/// How long each of the last steps of a stop may take: handing deliveries back, recording results.
/// Beyond, the deliveries left over wait for the ends of the leases, and are attempted again.
const LAST_STEP_TIMEOUT: Duration = Duration::from_secs(5);

/// Works until `stops.drain`, then stops: no new work begins, running attempts end, results are
/// recorded. The steps of the stop are the last lines, in order.
pub(crate) async fn work(
    config: WorkerConfig,
    pools: Pools,
    drain: Duration,
    readiness: Arc<Readiness>,
    stops: Stops,
) -> Result<(), NoConnector> {
    let (results, judged) = results::channel();
    let attempts = TaskTracker::new();
    let worker = build(config, pools, results, &attempts, readiness, &stops)?;
    let attempts_are_over = CancellationToken::new();
    let recorder = recorder_of(&worker).record_all(judged, attempts_are_over.clone());
    let recorder = tokio::spawn(recorder);
    let drain_timer = tokio::spawn(time_drain(stops.clone(), drain));

    tokio::select! {
        () = run_loops(&worker) => {}
        () = stops.cut_off.cancelled() => {}
    }

    // Closing the lanes hands back the waiting deliveries first: other workers attempt the deliveries
    // while attempts end here.
    within_last_step(worker.lanes.close()).await;
    attempts.close();
    wait_for(&attempts, &stops.cut_off).await;
    // Attempts cut off at the deadline have queued their deliveries for hand-back.
    within_last_step(worker.backlog.hand_back_queued()).await;
    // No attempt runs any more: the channel holds the last results.
    attempts_are_over.cancel();
    wait_for_recorder(recorder).await;
    drain_timer.abort();
    Ok(())
}

fn build(
    config: WorkerConfig,
    pools: Pools,
    results: Results,
    attempts: &TaskTracker,
    readiness: Arc<Readiness>,
    stops: &Stops,
) -> Result<Worker, NoConnector> {
    let connector = Connector::new(config.addresses.clone(), &config.name_servers)?;
    let connector = Arc::new(connector);
    let client = Client::new(connector.clone(), config.connection_max_age);
    let meter = Meter {
        detail: config.metrics,
    };
    let courier = Courier::new(client, config.lease, results, readiness.clone(), meter);
    let backlog = Arc::new(Backlog::new(pools.work.clone()));
    let lanes = Arc::new(Lanes::new(backlog.clone(), config.lane_concurrency));
    let destinations = Arc::new(Destinations::new(
        pools.work.clone(),
        config.sealing_keys.clone(),
        config.addresses.clone(),
    ));
    let runners = Runners {
        lanes: lanes.clone(),
        backlog: backlog.clone(),
        destinations: destinations.clone(),
        message_links: LinksCache::new(pools.work.clone()),
        courier,
        tasks: attempts.clone(),
        cut_off: stops.cut_off.clone(),
    };
    Ok(Worker {
        id: Uuid::new_v4(),
        config,
        pools,
        backlog,
        lanes,
        destinations,
        runners: Arc::new(runners),
        connector,
        readiness,
        events_prefetch: Arc::new(AtomicU16::new(broker_check::CAREFUL_PREFETCH)),
        cancel: stops.drain.clone(),
    })
}

fn recorder_of(worker: &Worker) -> Recorder {
    Recorder {
        pools: worker.pools.clone(),
        worker_id: worker.id,
        circuit_policy: worker.config.circuit_policy.clone(),
        backlog: worker.backlog.clone(),
        lanes: worker.lanes.clone(),
        readiness: worker.readiness.clone(),
    }
}

/// Runs every loop until all have heeded `worker.cancel`.
async fn run_loops(worker: &Worker) {
    let broker = worker.config.broker.clone();
    let publisher = Publisher::start(broker, "webhook-dispatcher status", worker.cancel.clone());
    // All loops in a single task. They wait for Postgres and the broker nearly all the time, so they
    // take no CPU from one another, and in one task they can borrow the worker. A panic in a loop ends
    // the whole worker, instead of leaving a worker without that loop. At the deadline the drop of this
    // future ends all loops.
    tokio::join!(
        intake::run_intake(worker),
        claims::run_claims(worker),
        sweeps::run_undeliverable_sweep(worker),
        sweeps::run_holds_sweep(worker),
        sweeps::run_leftovers_sweep(worker),
        outbox::run_outbox(worker, &publisher),
        jobs::run_jobs(worker),
        rejected::run_rejected_queue(worker),
        url_checks::run_url_checks(worker),
        retention::run_retention(worker),
        heartbeat::run_heartbeat(worker),
        day_sums::run_day_sums(worker),
        day_sums::run_ended_days(worker),
        broker_check::check_message_size(worker),
        gauges::run_gauges(worker, &publisher),
    );
}

async fn within_last_step(handing: impl Future<Output = ()>) {
    if timeout(LAST_STEP_TIMEOUT, handing).await.is_err() {
        log::warn!("cannot hand back all deliveries; the others become due when their leases end");
    }
}

/// Waits for running attempts, which end at once when `cut_off` is cancelled.
async fn wait_for(attempts: &TaskTracker, cut_off: &CancellationToken) {
    let too_late = async {
        cut_off.cancelled().await;
        sleep(LAST_STEP_TIMEOUT).await;
    };
    tokio::select! {
        () = attempts.wait() => {}
        () = too_late => log::error!("attempts did not end in time; other workers repeat them when the leases end"),
    }
}

/// Cuts running attempts off when the drain's time is over.
async fn time_drain(stops: Stops, drain: Duration) {
    stops.drain.cancelled().await;
    sleep(drain).await;
    log::warn!("the drain's time is over; running attempts are cut off and handed back");
    stops.cut_off.cancel();
}

async fn wait_for_recorder(mut recorder: JoinHandle<()>) {
    match timeout(LAST_STEP_TIMEOUT, &mut recorder).await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => log::error!("the recorder panicked: {error}"),
        Err(_) => {
            recorder.abort();
            log::error!(
                "results could not be recorded in time; the deliveries are repeated when the leases end"
            );
        }
    }
}
