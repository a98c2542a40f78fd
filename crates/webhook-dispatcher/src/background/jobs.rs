//! Jobs of admins: deliveries retried and events replayed by the thousand, at a rate.

use std::time::Duration;

use webhook_store::{StoreError, acquire, jobs};

use crate::worker::Worker;

/// How often a worker looks for due steps.
const POLL_INTERVAL: Duration = Duration::from_millis(100);

/// Takes steps of jobs until the worker is asked to stop.
pub(crate) async fn run_jobs(worker: &Worker) {
    while worker.sleep_or_stop(POLL_INTERVAL).await {
        if let Err(error) = take_steps(worker).await {
            log::warn!("cannot take a step of a job yet: {error}");
        }
    }
}

/// Takes steps of every job until none is due.
async fn take_steps(worker: &Worker) -> Result<(), StoreError> {
    while !worker.cancel.is_cancelled() {
        let mut connection = acquire(&worker.pools.work).await?;
        let Some(turns) = jobs::take_step(&mut connection).await? else {
            return Ok(());
        };
        drop(connection);
        worker.backlog.release_turns(turns).await;
        // Also without ordering keys: the step has made deliveries due.
        worker.backlog.wake_claims();
    }
    Ok(())
}
