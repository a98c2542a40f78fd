//! URL checks: asked for by the API, which never connects to a webhook's URL.

use std::time::Duration;

use chrono::{TimeDelta, Utc};
use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use webhook_store::url_checks::{OpenUrlCheck, finish, take_open};
use webhook_store::{StoreError, acquire};

use crate::worker::Worker;

mod report;

/// How soon a check begins: an admin waits for the report.
const POLL_INTERVAL: Duration = Duration::from_millis(250);

/// How many URLs are checked side by side.
const MAX_RUNNING: usize = 20;

/// How long a taken check belongs to a worker: longer than all steps of a check may take.
const URL_CHECK_LEASE: TimeDelta = TimeDelta::seconds(30);

/// Checks URLs until the worker is asked to stop. Another worker takes the checks left over.
pub(crate) async fn run_url_checks(worker: &Worker) {
    let mut running = FuturesUnordered::new();
    let mut polls = tokio::time::interval(POLL_INTERVAL);
    loop {
        tokio::select! {
            _ = polls.tick(), if running.len() < MAX_RUNNING => {
                match take(worker, MAX_RUNNING - running.len()).await {
                    Ok(taken) => running.extend(taken.into_iter().map(|open| check(worker, open))),
                    Err(error) => log::warn!("cannot look for URLs to be checked: {error}"),
                }
            }
            Some(()) = running.next() => {}
            () = worker.cancel.cancelled() => return,
        }
    }
}

async fn take(worker: &Worker, room: usize) -> Result<Vec<OpenUrlCheck>, StoreError> {
    let mut connection = acquire(&worker.pools.work).await?;
    let limit = i64::try_from(room).unwrap_or(i64::MAX);
    take_open(&mut connection, Utc::now() + URL_CHECK_LEASE, limit).await
}

async fn check(worker: &Worker, open: OpenUrlCheck) {
    let report = report::check_url(&open.url, &worker.connector).await;
    let finished =
        async { finish(&mut *acquire(&worker.pools.work).await?, open.id, &report).await };
    let finished: Result<(), StoreError> = finished.await;
    if let Err(error) = finished {
        log::warn!("cannot store the report of a URL check: {error}");
    }
}
