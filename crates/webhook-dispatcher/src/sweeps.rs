//! What nobody is woken for: webhooks that were closed or deleted elsewhere, turns that were missed.

use std::time::{Duration, Instant};

use chrono::Utc;
use webhook_store::ordering::release_stuck;
use webhook_store::{StoreError, acquire, deliveries, health, idempotency, webhooks};

use crate::Worker;

/// How soon a worker notices that an admin or another worker closed a webhook.
const CLOSED: Duration = Duration::from_secs(1);

/// How soon a worker notices that a receiver asked another one for no requests, or that an admin ended
/// such a hold. Until then it may send what it has in its lane already, up to the first answer.
const HELD: Duration = Duration::from_millis(250);

/// How soon a turn is made up for that was missed; that takes a crash.
const MISSED: Duration = Duration::from_secs(10);

/// How many missed turns are made up for at once.
const TURNS: i64 = 1_000;

/// How many deliveries of a deleted webhook are cancelled in one statement.
const CANCELLED: i64 = 5_000;

/// Looks for closed webhooks until the worker is asked to stop.
pub(crate) async fn flush_closed_for_ever(worker: &Worker<'_>) {
    while pause(worker, CLOSED).await {
        if let Err(error) = flush_closed(worker).await {
            log::warn!("cannot look for closed webhooks: {error}");
        }
    }
}

/// Looks for receivers that are held until the worker is asked to stop.
pub(crate) async fn heed_holds_for_ever(worker: &Worker<'_>) {
    while pause(worker, HELD).await {
        if let Err(error) = heed_holds(worker).await {
            // Whoever claims says so at the same moments.
            log::debug!("cannot look for receivers that are held: {error}");
        }
    }
}

/// Looks for missed turns, and for what deleted webhooks are still owed, until the worker is asked
/// to stop.
pub(crate) async fn make_up_for_ever(worker: &Worker<'_>) {
    while pause(worker, MISSED).await {
        if let Err(error) = find_missed_turns(worker).await {
            log::warn!("cannot look for missed turns: {error}");
        }
        if let Err(error) = cancel_for_deleted(worker).await {
            log::warn!("cannot cancel what deleted webhooks are owed: {error}");
        }
        if let Err(error) = forget_old_answers(worker).await {
            log::warn!("cannot forget old answers to creations: {error}");
        }
    }
}

/// `false`: the worker is asked to stop.
async fn pause(worker: &Worker<'_>, pause: Duration) -> bool {
    tokio::select! {
        () = tokio::time::sleep(pause) => true,
        () = worker.cancel.cancelled() => false,
    }
}

/// Gives back what waits here for webhooks that are Inactive or whose circuit is open, and lets what
/// waits for others be sent as they are now: a secret may have leaked, a URL may have been wrong.
async fn flush_closed(worker: &Worker<'_>) -> Result<(), StoreError> {
    worker.lanes.forget_idle();
    let open = worker.lanes.open();
    let mut connection = acquire(worker.pool).await?;
    let circuits = health::count_open_circuits(&mut connection).await?;
    #[allow(
        clippy::cast_precision_loss,
        reason = "there are not that many webhooks"
    )]
    metrics::gauge!("webhook_circuits_open").set(circuits as f64);
    if !open.is_empty() {
        let closed = webhooks::list_closed(&mut connection, &open).await?;
        let versions = webhooks::list_versions(&mut connection, &open).await?;
        drop(connection);
        worker.lanes.forget_older(&versions);
        worker.lanes.flush(&closed.inactive).await;
        worker.lanes.flush_but_probes(&closed.paused).await;
    }
    Ok(())
}

/// Gives back what waits here for receivers that are held, and lets lanes go on whose hold is over.
async fn heed_holds(worker: &Worker<'_>) -> Result<(), StoreError> {
    let asked_at = Instant::now();
    let mut connection = acquire(worker.pool).await?;
    let held = health::list_held(&mut connection, Utc::now()).await?;
    drop(connection);
    #[allow(
        clippy::cast_precision_loss,
        reason = "there are not that many webhooks"
    )]
    metrics::gauge!("webhook_receivers_held").set(held.len() as f64);
    worker.lanes.hold(&held).await;
    worker.lanes.end_holds(&held, asked_at);
    Ok(())
}

async fn find_missed_turns(worker: &Worker<'_>) -> Result<(), StoreError> {
    let mut connection = acquire(worker.pool).await?;
    let released = release_stuck(&mut connection, TURNS).await?;
    if released > 0 {
        log::info!("{released} ordered deliveries go on whose turn was missed");
        worker.lanes.look_for_more();
    }
    Ok(())
}

/// A deletion cancels only so much at once, and an event that was being taken in at that moment
/// may not have seen it.
async fn cancel_for_deleted(worker: &Worker<'_>) -> Result<(), StoreError> {
    let mut connection = acquire(worker.pool).await?;
    for webhook_id in deliveries::list_deleted_with_pending(&mut connection, 100).await? {
        while !worker.cancel.is_cancelled() {
            let cancelled =
                deliveries::cancel_pending(&mut connection, webhook_id, CANCELLED).await?;
            log::info!(webhook_id:% = webhook_id; "cancelled {cancelled} deliveries of a deleted webhook");
            if i64::try_from(cancelled).unwrap_or(0) < CANCELLED {
                break;
            }
        }
    }
    Ok(())
}

/// They hold secrets.
async fn forget_old_answers(worker: &Worker<'_>) -> Result<(), StoreError> {
    let mut connection = acquire(worker.pool).await?;
    idempotency::forget_old(&mut connection).await?;
    Ok(())
}
