//! From the outbox to the exchange `webhooks.status`: what the platform's services are told.

use std::time::Duration;

use chrono::{TimeDelta, Utc};
use uuid::Uuid;
use webhook_broker::Publisher;
use webhook_store::status_events::{StatusMessage, claim, delete};
use webhook_store::{StoreError, acquire};

use crate::Worker;

/// How often we look.
const POLL: Duration = Duration::from_millis(500);

/// How many messages are published together.
const BATCH: i64 = 100;

/// For how long a message is ours: longer than the broker may take to confirm it.
const LEASE: TimeDelta = TimeDelta::seconds(30);

/// Publishes until the worker is asked to stop. What it leaves, another one publishes.
pub(crate) async fn publish_for_ever(worker: &Worker<'_>, publisher: &Publisher) {
    loop {
        tokio::select! {
            () = tokio::time::sleep(POLL) => {}
            () = worker.cancel.cancelled() => return,
        }
        if !publisher.is_connected() {
            continue;
        }
        if let Err(error) = publish(worker, publisher).await {
            log::warn!("status events wait in the outbox: {error}");
        }
    }
}

async fn publish(worker: &Worker<'_>, publisher: &Publisher) -> Result<(), StoreError> {
    let mut connection = acquire(worker.pool).await?;
    let messages = claim(&mut connection, Utc::now() + LEASE, BATCH).await?;
    // No connection is held while the broker is spoken to.
    drop(connection);
    // Side by side, so that the slowest confirm is the time of all.
    let publish = messages.iter().map(async |message| {
        let StatusMessage {
            id,
            routing_key,
            body,
        } = message;
        match publisher.publish_status(*id, routing_key, body).await {
            Ok(()) => Some(*id),
            Err(error) => {
                log::warn!("status event {id} is told later: {error}");
                None
            }
        }
    });
    let published = futures_util::future::join_all(publish).await;
    let published: Vec<Uuid> = published.into_iter().flatten().collect();
    if !published.is_empty() {
        delete(&mut *acquire(worker.pool).await?, &published).await?;
    }
    Ok(())
}
