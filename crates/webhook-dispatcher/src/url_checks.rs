//! URLs that the API wants looked at: it never connects to any itself.

use std::time::Duration;

use chrono::{TimeDelta, Utc};
use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use webhook_store::url_checks::{OpenUrlCheck, finish, take_open};
use webhook_store::{StoreError, acquire};

use crate::Worker;

mod look;

/// How soon a check begins: somebody waits for it.
const POLL: Duration = Duration::from_millis(250);

/// How many URLs are looked at side by side.
const AT_ONCE: usize = 20;

/// For how long a check is ours: longer than all of its steps may take.
const LEASE: TimeDelta = TimeDelta::seconds(30);

/// Looks at URLs until the worker is asked to stop. What it leaves, another one looks at.
pub(crate) async fn check_for_ever(worker: &Worker<'_>) {
    let mut running = FuturesUnordered::new();
    let mut polls = tokio::time::interval(POLL);
    loop {
        tokio::select! {
            _ = polls.tick(), if running.len() < AT_ONCE => {
                match take(worker, AT_ONCE - running.len()).await {
                    Ok(taken) => running.extend(taken.into_iter().map(|open| check(worker, open))),
                    Err(error) => log::warn!("cannot look for URLs to be checked: {error}"),
                }
            }
            Some(()) = running.next() => {}
            () = worker.cancel.cancelled() => return,
        }
    }
}

async fn take(worker: &Worker<'_>, room: usize) -> Result<Vec<OpenUrlCheck>, StoreError> {
    let mut connection = acquire(worker.pool).await?;
    let limit = i64::try_from(room).unwrap_or(i64::MAX);
    take_open(&mut connection, Utc::now() + LEASE, limit).await
}

async fn check(worker: &Worker<'_>, open: OpenUrlCheck) {
    let report = look::look_at(&open.url, worker.connector).await;
    let finished = async { finish(&mut *acquire(worker.pool).await?, open.id, &report).await };
    let finished: Result<(), StoreError> = finished.await;
    if let Err(error) = finished {
        log::warn!("what a URL is like was not written down: {error}");
    }
}
