//! Jobs of admins: deliveries sent again and events replayed, by the thousand, at a rate.

use std::time::Duration;

use webhook_store::{StoreError, acquire, jobs};

use crate::{Worker, ordering};

/// How often we look for a step that is due.
const POLL: Duration = Duration::from_millis(100);

/// Takes steps of whatever job's turn it is, until the worker is asked to stop.
pub(crate) async fn work_for_ever(worker: &Worker<'_>) {
    loop {
        tokio::select! {
            () = tokio::time::sleep(POLL) => {}
            () = worker.cancel.cancelled() => return,
        }
        if let Err(error) = take_steps(worker).await {
            log::warn!("a job goes on later: {error}");
        }
    }
}

/// Takes the steps that are due, of every job.
async fn take_steps(worker: &Worker<'_>) -> Result<(), StoreError> {
    while !worker.cancel.is_cancelled() {
        let mut connection = acquire(worker.pool).await?;
        let Some(turns) = jobs::take_step(&mut connection).await? else {
            return Ok(());
        };
        drop(connection);
        ordering::release(worker.pool, turns).await;
        worker.lanes.look_for_more();
    }
    Ok(())
}
