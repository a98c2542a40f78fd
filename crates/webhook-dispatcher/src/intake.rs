//! From the broker into Postgres: a batch is acknowledged when it is committed, never before.

use std::collections::HashMap;
use std::time::Duration;

use chrono::{SubsecRound, Utc};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;
use webhook_broker::{BrokerError, Intake, Message, consume};
use webhook_domain::{Event, EventId};
use webhook_store::deliveries::{OwedDelivery, take_in};
use webhook_store::{Pool, StoreError, acquire};

use crate::Settings;
use crate::courier::{Courier, Leased};

/// The most messages in hand, and so the most that a crash makes come again.
const PREFETCH: u16 = 1_000;

/// The most events in one statement.
const BATCH: usize = 500;

/// The pause after the broker or Postgres failed.
const PAUSE: Duration = Duration::from_millis(500);

/// Consumes until `cancel`, on a new connection whenever one breaks.
pub(crate) async fn take_in_for_ever(
    settings: &Settings,
    pool: &Pool,
    courier: &Courier,
    cancel: &CancellationToken,
) {
    while !cancel.is_cancelled() {
        match consume(&settings.broker, "webhook-dispatcher", PREFETCH).await {
            Ok(mut intake) => {
                let ended = take_in_batches(&mut intake, settings, pool, courier, cancel).await;
                if let Err(error) = ended {
                    log::warn!("intake broke off, unacknowledged events come again: {error}");
                }
                intake.close().await;
            }
            Err(error) => log::warn!("cannot consume from {:?}: {error}", settings.broker),
        }
        pause(cancel).await;
    }
}

async fn take_in_batches(
    intake: &mut Intake,
    settings: &Settings,
    pool: &Pool,
    courier: &Courier,
    cancel: &CancellationToken,
) -> Result<(), BrokerError> {
    loop {
        let batch = tokio::select! {
            batch = intake.next_batch(BATCH) => batch?,
            () = cancel.cancelled() => return Ok(()),
        };
        let events = read_events(intake, &batch).await?;
        let lease_until = (Utc::now() + settings.lease).trunc_subsecs(6);
        let Some(owed) = commit(pool, &events, lease_until, cancel).await else {
            return Ok(());
        };
        if let Some(last) = batch.last() {
            intake.ack_through(last).await?;
        }
        let events: HashMap<EventId, &Event> = events.iter().map(|e| (e.id, e)).collect();
        for owed in owed {
            courier.offer(Leased {
                id: owed.id,
                webhook_id: owed.webhook_id,
                webhook_version: owed.webhook_version,
                attempts: 0,
                event: events[&owed.event_id].clone(),
                lease_until,
            });
        }
        courier.hand_back_refused().await;
    }
}

/// Reads the messages that are events and sets the others aside.
async fn read_events(intake: &Intake, batch: &[Message]) -> Result<Vec<Event>, BrokerError> {
    let mut events = Vec::with_capacity(batch.len());
    for message in batch {
        match Event::parse(message.body.clone()) {
            Ok(event) => events.push(event),
            Err(error) => {
                log::warn!("a message is no event and was rejected: {error}");
                intake.reject_event(message, &error.to_string()).await?;
            }
        }
    }
    Ok(events)
}

/// Commits a batch, however long Postgres is away. `None`: asked to stop before it was.
async fn commit(
    pool: &Pool,
    events: &[Event],
    lease_until: chrono::DateTime<Utc>,
    cancel: &CancellationToken,
) -> Option<Vec<OwedDelivery>> {
    loop {
        match try_commit(pool, events, lease_until).await {
            Ok(owed) => return Some(owed),
            Err(error) => log::warn!("cannot take events in, they stay with the broker: {error}"),
        }
        pause(cancel).await;
        if cancel.is_cancelled() {
            return None;
        }
    }
}

async fn try_commit(
    pool: &Pool,
    events: &[Event],
    lease_until: chrono::DateTime<Utc>,
) -> Result<Vec<OwedDelivery>, StoreError> {
    let mut connection = acquire(pool).await?;
    take_in(&mut connection, events, lease_until, Uuid::now_v7()).await
}

async fn pause(cancel: &CancellationToken) {
    tokio::select! {
        () = tokio::time::sleep(PAUSE) => {}
        () = cancel.cancelled() => {}
    }
}
