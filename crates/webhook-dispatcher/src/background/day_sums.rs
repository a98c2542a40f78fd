//! Day sums: each webhook's last 24 hours, by which the API sorts lists, and the ended days of each environment,
//! which the overview of 30 days reads.

use std::time::{Duration, Instant};

use chrono::Utc;
use webhook_store::{StoreError, acquire, days, environment_hours};

use crate::worker::Worker;

/// How soon a list shows an attempt in its order.
const POLL_INTERVAL: Duration = Duration::from_secs(3);

/// How many webhooks are summed up together: some 12,000 rows of hours.
const BATCH: i64 = 500;

/// The pause after a batch, in times of the batch's duration: summing up takes a tenth of one connection's
/// time at most.
const PAUSE_FACTOR: u32 = 9;

/// How soon the hours of an ended day become a row of the day. The overview counts hours and days alike.
const ENDED_DAYS_INTERVAL: Duration = Duration::from_secs(300);

/// Sums up each webhook's last 24 hours until the worker is asked to stop.
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

/// Sums up the ended days of environments until the worker is asked to stop.
pub(crate) async fn run_ended_days(worker: &Worker) {
    while worker.sleep_or_stop(ENDED_DAYS_INTERVAL).await {
        if let Err(error) = sum_up_ended_days(worker).await {
            log::warn!("cannot sum up ended days of environments: {error}");
        }
    }
}

async fn sum_up_ended_days(worker: &Worker) -> Result<(), StoreError> {
    let mut connection = acquire(&worker.pools.work).await?;
    environment_hours::sum_up_days(&mut connection, Utc::now()).await
}

async fn sum_up(worker: &Worker) -> Result<usize, StoreError> {
    let mut connection = acquire(&worker.pools.work).await?;
    days::sum_up(&mut connection, Utc::now(), BATCH).await
}
