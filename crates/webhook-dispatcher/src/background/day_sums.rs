//! Day sums: each webhook's last 24 hours, by which the API sorts lists.

use std::time::{Duration, Instant};

use chrono::Utc;
use webhook_store::{StoreError, acquire, days};

use crate::worker::Worker;

/// How soon a list shows an attempt in its order.
const POLL_INTERVAL: Duration = Duration::from_secs(3);

/// How many webhooks are summed up together: some 12,000 rows of hours.
const BATCH: i64 = 500;

/// The pause after a batch, in times of the batch's duration: summing up takes a tenth of one connection's
/// time at most.
const PAUSE_FACTOR: u32 = 9;

/// Sums up until the worker is asked to stop.
pub(crate) async fn run_day_sums(worker: &Worker) {
    let mut pause = POLL_INTERVAL;
    while worker.sleep_or_stop(pause).await {
        let began = Instant::now();
        let is_full = match sum_up(worker).await {
            Ok(summed) => i64::try_from(summed).unwrap_or(BATCH) == BATCH,
            Err(error) => {
                log::warn!("cannot sum up the last 24 hours of webhooks: {error}");
                false
            }
        };
        pause = began.elapsed() * PAUSE_FACTOR;
        // More webhooks wait after a full batch.
        if !is_full {
            pause = pause.max(POLL_INTERVAL);
        }
    }
}

async fn sum_up(worker: &Worker) -> Result<usize, StoreError> {
    let mut connection = acquire(&worker.pools.work).await?;
    days::sum_up(&mut connection, Utc::now(), BATCH).await
}
