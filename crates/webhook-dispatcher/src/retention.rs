//! What is older than the platform's settings say goes, a little at a time.

use std::time::Duration;

use webhook_store::retention::{Step, step};
use webhook_store::{StoreError, acquire};

use crate::Worker;

/// How often we look whether it is our turn, at least: an owner may have shortened what is kept,
/// or the worker whose turn it was may be gone.
const POLL: Duration = Duration::from_secs(1);

/// Removes what is old until the worker is asked to stop.
pub(crate) async fn remove_old_for_ever(worker: &Worker<'_>) {
    let mut pause = POLL;
    loop {
        tokio::select! {
            () = tokio::time::sleep(pause) => {}
            () = worker.cancel.cancelled() => return,
        }
        pause = match remove_old(worker).await {
            Ok(step) => step.map_or(POLL, |step| step.pause.min(POLL)),
            Err(error) => {
                log::warn!("cannot remove what is old: {error}");
                POLL
            }
        };
    }
}

async fn remove_old(worker: &Worker<'_>) -> Result<Option<Step>, StoreError> {
    let mut connection = acquire(worker.pool).await?;
    let done = step(&mut connection).await?;
    if let Some(Step { table, removed, .. }) = done {
        metrics::counter!("webhook_old_rows_removed_total", "table" => table).increment(removed);
        log::debug!("removed {removed} old rows of {table}");
    }
    Ok(done)
}
