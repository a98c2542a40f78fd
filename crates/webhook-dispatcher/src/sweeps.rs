//! What nobody is woken for: webhooks that were closed elsewhere, turns that were missed.

use std::time::Duration;

use webhook_store::ordering::release_stuck;
use webhook_store::{StoreError, acquire, health, webhooks};

use crate::Worker;

/// How soon a worker notices that an admin or another worker closed a webhook.
const CLOSED: Duration = Duration::from_secs(1);

/// How soon a turn is made up for that was missed; that takes a crash.
const MISSED: Duration = Duration::from_secs(10);

/// How many missed turns are made up for at once.
const TURNS: i64 = 1_000;

/// Looks for closed webhooks until the worker is asked to stop.
pub(crate) async fn flush_closed_for_ever(worker: &Worker<'_>) {
    while pause(worker, CLOSED).await {
        if let Err(error) = flush_closed(worker).await {
            log::warn!("cannot look for closed webhooks: {error}");
        }
    }
}

/// Looks for missed turns until the worker is asked to stop.
pub(crate) async fn find_missed_turns_for_ever(worker: &Worker<'_>) {
    while pause(worker, MISSED).await {
        if let Err(error) = find_missed_turns(worker).await {
            log::warn!("cannot look for missed turns: {error}");
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

/// Gives back what waits here for webhooks that are Inactive or whose circuit is open.
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
        drop(connection);
        worker.lanes.flush(&closed.inactive).await;
        worker.lanes.flush_but_probes(&closed.paused).await;
    }
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
