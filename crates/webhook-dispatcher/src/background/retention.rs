//! Retention: rows older than allowed by the platform's settings are removed, a few at a time.

use std::time::Duration;

use webhook_metrics::catalogue::ROWS_REMOVED;
use webhook_store::retention::{Step, step};
use webhook_store::{StoreError, acquire};

use crate::worker::Worker;

/// How often a worker asks for the sweep lock at least: an owner may have shortened the retention, or
/// the worker with the lock may be gone.
const POLL_INTERVAL: Duration = Duration::from_secs(1);

/// Removes old rows until the worker is asked to stop.
pub(crate) async fn run_retention(worker: &Worker) {
    let mut pause = POLL_INTERVAL;
    while worker.sleep_or_stop(pause).await {
        pause = match remove_old(worker).await {
            Ok(step) => step.map_or(POLL_INTERVAL, |step| step.pause.min(POLL_INTERVAL)),
            Err(error) => {
                log::warn!("cannot remove old rows: {error}");
                POLL_INTERVAL
            }
        };
    }
}

/// Takes a step. `None`: another worker has the sweep lock, or no row is old.
async fn remove_old(worker: &Worker) -> Result<Option<Step>, StoreError> {
    let mut connection = acquire(&worker.pools.work).await?;
    let done = step(&mut connection).await?;
    if let Some(Step { table, removed, .. }) = done {
        ROWS_REMOVED.add_for(&[table], removed);
        log::debug!("removed {removed} old rows of {table}");
    }
    Ok(done)
}
