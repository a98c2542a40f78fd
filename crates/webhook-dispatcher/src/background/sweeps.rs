//! Sweeps: looks into Postgres for changes without a signal to the worker. Admins and other workers
//! close webhooks, hold receivers and delete webhooks; a crash leaves ordering keys stuck.

use std::time::{Duration, Instant};

use chrono::Utc;
use webhook_metrics::catalogue::DELIVERIES_ENDED;
use webhook_store::ordering::release_stuck;
use webhook_store::{StoreError, acquire, circuits, deliveries, idempotency, webhooks};

use crate::worker::Worker;

/// How soon a worker notices a webhook closed or changed by an admin or another worker.
const UNDELIVERABLE_INTERVAL: Duration = Duration::from_secs(1);

/// How soon a worker notices a hold asked of another worker, or ended by an admin. Until then the worker
/// may send deliveries waiting in the lane, up to the first response.
const HOLDS_INTERVAL: Duration = Duration::from_millis(250);

/// How soon a stuck ordering key goes on, which takes a crash between a commit and the release of the
/// key; and how soon the rest of a deleted webhook's deliveries is cancelled.
const LEFTOVERS_INTERVAL: Duration = Duration::from_secs(10);

/// The most stuck ordering keys released by a statement.
const MAX_RELEASED_KEYS: i64 = 1_000;

/// The most deliveries of a deleted webhook cancelled by a statement.
const MAX_CANCELLED: i64 = 5_000;

/// Looks for webhooks that are Inactive or have an open circuit, until the worker is asked to stop.
pub(crate) async fn run_undeliverable_sweep(worker: &Worker) {
    while worker.sleep_or_stop(UNDELIVERABLE_INTERVAL).await {
        if let Err(error) = hand_back_undeliverable(worker).await {
            log::warn!(
                "cannot look for webhooks that are Inactive or have an open circuit: {error}"
            );
        }
    }
}

/// Looks for holds until the worker is asked to stop.
pub(crate) async fn run_holds_sweep(worker: &Worker) {
    while worker.sleep_or_stop(HOLDS_INTERVAL).await {
        if let Err(error) = apply_holds(worker).await {
            // The claims run as often, and warn of the same trouble.
            log::debug!("cannot look for holds: {error}");
        }
    }
}

/// Looks for leftovers until the worker is asked to stop: stuck ordering keys, pending deliveries of
/// deleted webhooks, expired remembered creations.
pub(crate) async fn run_leftovers_sweep(worker: &Worker) {
    while worker.sleep_or_stop(LEFTOVERS_INTERVAL).await {
        if let Err(error) = release_stuck_keys(worker).await {
            log::warn!("cannot look for missed turns: {error}");
        }
        if let Err(error) = cancel_for_deleted(worker).await {
            log::warn!("cannot cancel pending deliveries of deleted webhooks: {error}");
        }
        if let Err(error) = forget_old_creations(worker).await {
            log::warn!("cannot remove old remembered creations: {error}");
        }
    }
}

/// Hands back the waiting deliveries of Inactive webhooks and of open circuits. Deliveries of other
/// webhooks are sent as the webhooks are now: a secret may have leaked, a URL may have been wrong.
async fn hand_back_undeliverable(worker: &Worker) -> Result<(), StoreError> {
    worker.lanes.forget_idle();
    let open = worker.lanes.webhook_ids();
    let mut connection = acquire(&worker.pools.work).await?;
    if open.is_empty() {
        return Ok(());
    }
    let undeliverable = webhooks::list_undeliverable(&mut connection, &open).await?;
    let versions = webhooks::list_versions(&mut connection, &open).await?;
    // The connection goes back first, as handing back needs a connection, too.
    drop(connection);
    worker.destinations.forget_older(&versions);
    worker.lanes.hand_back(&undeliverable.inactive).await;
    worker
        .lanes
        .hand_back_all_but_probes(&undeliverable.circuit_open)
        .await;
    Ok(())
}

/// Hands back the waiting deliveries of held receivers, and lets lanes go on after the end of a hold.
async fn apply_holds(worker: &Worker) -> Result<(), StoreError> {
    // Before the read: a hold stored later may be missing in the result, and must not end for that
    // reason.
    let asked_at = Instant::now();
    let mut connection = acquire(&worker.pools.work).await?;
    let held = circuits::list_held(&mut connection, Utc::now()).await?;
    drop(connection);
    worker.lanes.hold(&held).await;
    let starting = worker.lanes.end_holds(&held, asked_at);
    worker.runners.start(starting);
    Ok(())
}

async fn release_stuck_keys(worker: &Worker) -> Result<(), StoreError> {
    let mut connection = acquire(&worker.pools.work).await?;
    let released = release_stuck(&mut connection, MAX_RELEASED_KEYS).await?;
    if released > 0 {
        log::info!("released {released} ordered deliveries with a missed turn");
        worker.backlog.wake_claims();
    }
    Ok(())
}

/// Cancels pending deliveries of deleted webhooks. The deletion itself cancels only a first part, and an
/// intake at the same moment may not have seen the deletion.
async fn cancel_for_deleted(worker: &Worker) -> Result<(), StoreError> {
    let mut connection = acquire(&worker.pools.work).await?;
    for webhook_id in deliveries::list_deleted_with_pending(&mut connection, 100).await? {
        while !worker.cancel.is_cancelled() {
            let cancelled =
                deliveries::cancel_pending(&mut connection, webhook_id, MAX_CANCELLED).await?;
            DELIVERIES_ENDED.add_for(&["cancelled"], cancelled as u64);
            log::info!(webhook_id:% = webhook_id; "cancelled {cancelled} deliveries of a deleted webhook");
            if i64::try_from(cancelled).unwrap_or(0) < MAX_CANCELLED {
                break;
            }
        }
    }
    Ok(())
}

/// Forgets expired remembered creations, as each holds a secret.
async fn forget_old_creations(worker: &Worker) -> Result<(), StoreError> {
    let mut connection = acquire(&worker.pools.work).await?;
    idempotency::forget_old(&mut connection).await?;
    Ok(())
}
