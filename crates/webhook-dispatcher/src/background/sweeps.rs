//! Sweeps: looks into Postgres for changes that no signal tells a worker of. Admins and other workers
//! close webhooks, hold receivers and delete webhooks; a crash leaves ordering keys stuck.

use std::time::{Duration, Instant};

use chrono::Utc;
use webhook_store::ordering::release_stuck;
use webhook_store::{StoreError, acquire, deliveries, health, idempotency, webhooks};

use crate::worker::Worker;

/// How soon a worker notices that an admin or another worker has closed or changed a webhook.
const CLOSED_WEBHOOKS_INTERVAL: Duration = Duration::from_secs(1);

/// How soon a worker notices that a receiver has asked another worker for no requests, or that an admin
/// has ended such a hold. Until then the worker may send deliveries of its lane, up to the first
/// response.
const HOLDS_INTERVAL: Duration = Duration::from_millis(250);

/// How soon a stuck ordering key goes on, which takes a crash between a commit and the release of the
/// key; and how soon the rest of a deleted webhook's deliveries is cancelled.
const LEFTOVERS_INTERVAL: Duration = Duration::from_secs(10);

/// The most stuck ordering keys that one statement releases.
const MAX_RELEASED_KEYS: i64 = 1_000;

/// The most deliveries of a deleted webhook that one statement cancels.
const MAX_CANCELLED: i64 = 5_000;

/// Looks for closed webhooks until the worker is asked to stop.
pub(crate) async fn flush_closed_for_ever(worker: &Worker) {
    while worker.pause(CLOSED_WEBHOOKS_INTERVAL).await {
        if let Err(error) = flush_closed(worker).await {
            log::warn!("cannot look for closed webhooks: {error}");
        }
    }
}

/// Looks for held receivers until the worker is asked to stop.
pub(crate) async fn heed_holds_for_ever(worker: &Worker) {
    while worker.pause(HOLDS_INTERVAL).await {
        if let Err(error) = heed_holds(worker).await {
            // The claims, which run as often, warn of the same trouble.
            log::debug!("cannot look for receivers that are held: {error}");
        }
    }
}

/// Looks for leftovers until the worker is asked to stop: stuck ordering keys, pending deliveries of
/// deleted webhooks, remembered creations that are too old.
pub(crate) async fn make_up_for_ever(worker: &Worker) {
    while worker.pause(LEFTOVERS_INTERVAL).await {
        if let Err(error) = release_stuck_keys(worker).await {
            log::warn!("cannot look for missed turns: {error}");
        }
        if let Err(error) = cancel_for_deleted(worker).await {
            log::warn!("cannot cancel what deleted webhooks are owed: {error}");
        }
        if let Err(error) = forget_old_creations(worker).await {
            log::warn!("cannot forget old answers to creations: {error}");
        }
    }
}

/// Hands back the deliveries that wait here for webhooks that are Inactive or whose circuit is open.
/// Those of other webhooks are sent as the webhooks are now: a secret may have leaked, a URL may have
/// been wrong.
async fn flush_closed(worker: &Worker) -> Result<(), StoreError> {
    worker.lanes.forget_idle();
    let open = worker.lanes.open();
    let mut connection = acquire(&worker.pools.work).await?;
    let circuits = health::count_open_circuits(&mut connection).await?;
    #[allow(
        clippy::cast_precision_loss,
        reason = "there are not that many webhooks"
    )]
    metrics::gauge!("webhook_circuits_open").set(circuits as f64);
    if open.is_empty() {
        return Ok(());
    }
    let closed = webhooks::list_closed(&mut connection, &open).await?;
    let versions = webhooks::list_versions(&mut connection, &open).await?;
    // Handing back takes a connection of its own.
    drop(connection);
    worker.destinations.forget_older(&versions);
    worker.lanes.flush(&closed.inactive).await;
    worker.lanes.flush_but_probes(&closed.paused).await;
    Ok(())
}

/// Hands back the deliveries that wait here for held receivers, and lets lanes go on whose hold is over.
async fn heed_holds(worker: &Worker) -> Result<(), StoreError> {
    // Before the read: a hold that is settled later may be missing in it, and must not end for that.
    let asked_at = Instant::now();
    let mut connection = acquire(&worker.pools.work).await?;
    let held = health::list_held(&mut connection, Utc::now()).await?;
    drop(connection);
    #[allow(
        clippy::cast_precision_loss,
        reason = "there are not that many webhooks"
    )]
    metrics::gauge!("webhook_receivers_held").set(held.len() as f64);
    worker.lanes.hold(&held).await;
    let starting = worker.lanes.end_holds(&held, asked_at);
    worker.runners.start(starting);
    Ok(())
}

async fn release_stuck_keys(worker: &Worker) -> Result<(), StoreError> {
    let mut connection = acquire(&worker.pools.work).await?;
    let released = release_stuck(&mut connection, MAX_RELEASED_KEYS).await?;
    if released > 0 {
        log::info!("{released} ordered deliveries go on whose turn was missed");
        worker.backlog.wake_claims();
    }
    Ok(())
}

/// Cancels pending deliveries of deleted webhooks. The deletion itself cancels only a first part, and an
/// event that was being taken in at that moment may not have seen the deletion.
async fn cancel_for_deleted(worker: &Worker) -> Result<(), StoreError> {
    let mut connection = acquire(&worker.pools.work).await?;
    for webhook_id in deliveries::list_deleted_with_pending(&mut connection, 100).await? {
        while !worker.cancel.is_cancelled() {
            let cancelled =
                deliveries::cancel_pending(&mut connection, webhook_id, MAX_CANCELLED).await?;
            log::info!(webhook_id:% = webhook_id; "cancelled {cancelled} deliveries of a deleted webhook");
            if i64::try_from(cancelled).unwrap_or(0) < MAX_CANCELLED {
                break;
            }
        }
    }
    Ok(())
}

/// Forgets remembered creations that no client repeats any more: they hold secrets.
async fn forget_old_creations(worker: &Worker) -> Result<(), StoreError> {
    let mut connection = acquire(&worker.pools.work).await?;
    idempotency::forget_old(&mut connection).await?;
    Ok(())
}
