//! What nobody is woken for: webhooks that were closed elsewhere, turns that were missed.

use std::time::Duration;

use webhook_store::ordering::release_stuck;
use webhook_store::{StoreError, acquire, health, webhooks};

use crate::Worker;

/// How soon a worker notices that an admin or another worker closed a webhook.
const CLOSED: Duration = Duration::from_secs(1);

/// How many looks at closed webhooks there are for one at missed turns: those take a crash.
const LOOKS_PER_TURN: u32 = 5;

/// How many missed turns are made up for at once.
const TURNS: i64 = 1_000;

/// Sweeps until the worker is asked to stop.
pub(crate) async fn sweep_for_ever(worker: &Worker<'_>) {
    let mut looks = 0_u32;
    loop {
        tokio::select! {
            () = tokio::time::sleep(CLOSED) => {}
            () = worker.cancel.cancelled() => return,
        }
        looks = looks.wrapping_add(1);
        let swept = async {
            flush_closed(worker).await?;
            if looks.is_multiple_of(LOOKS_PER_TURN) {
                find_missed_turns(worker).await?;
            }
            Ok::<_, StoreError>(())
        };
        if let Err(error) = swept.await {
            log::warn!("cannot look after closed webhooks and missed turns: {error}");
        }
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
        worker.lanes.flush(&closed).await;
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
