//! The outbox: status events for the platform's services, from Postgres to the exchange
//! `webhooks.status`.

use std::time::Duration;

use chrono::{TimeDelta, Utc};
use futures_util::future::join_all;
use uuid::Uuid;
use webhook_broker::Publisher;
use webhook_store::status_events::{StatusMessage, claim, delete};
use webhook_store::{StoreError, acquire};

use crate::worker::Worker;

/// How often a worker looks for status events.
const POLL_INTERVAL: Duration = Duration::from_millis(500);

/// How many status events are published together.
const OUTBOX_BATCH: i64 = 100;

/// How long a claimed status event belongs to a worker: longer than the broker may take to confirm. Then
/// another worker publishes the status events of a dead worker.
const OUTBOX_LEASE: TimeDelta = TimeDelta::seconds(30);

/// Publishes status events until the worker is asked to stop. Another worker publishes the rest.
pub(crate) async fn run_outbox(worker: &Worker, publisher: &Publisher) {
    while worker.sleep_or_stop(POLL_INTERVAL).await {
        if !publisher.is_connected() {
            continue;
        }
        if let Err(error) = publish(worker, publisher).await {
            log::warn!("status events wait in the outbox: {error}");
        }
    }
}

async fn publish(worker: &Worker, publisher: &Publisher) -> Result<(), StoreError> {
    let mut connection = acquire(&worker.pools.work).await?;
    let messages = claim(&mut connection, Utc::now() + OUTBOX_LEASE, OUTBOX_BATCH).await?;
    // No Postgres connection is held while the broker confirms.
    drop(connection);
    // Side by side, so the batch takes as long as the slowest confirm.
    let publishing = messages.iter().map(async |message| {
        let StatusMessage {
            id,
            routing_key,
            body,
        } = message;
        match publisher.publish_status(*id, routing_key, body).await {
            Ok(()) => Some(*id),
            Err(error) => {
                log::warn!("cannot publish status event {id} yet: {error}");
                None
            }
        }
    });
    let published: Vec<Uuid> = join_all(publishing).await.into_iter().flatten().collect();
    // After the confirm: a crash in between publishes a status event twice rather than never.
    if !published.is_empty() {
        delete(&mut *acquire(&worker.pools.work).await?, &published).await?;
    }
    Ok(())
}
