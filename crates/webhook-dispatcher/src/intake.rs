//! From the broker into Postgres: a batch is acknowledged when it is committed, never before.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use chrono::{DateTime, SubsecRound, Utc};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;
use webhook_broker::{BrokerError, Intake, Message, consume};
use webhook_domain::{Event, EventId};
use webhook_store::deliveries::{OwedDelivery, take_in};
use webhook_store::{Pool, StoreError, acquire};

use crate::Settings;
use crate::lanes::{Lanes, Leased};

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
    lanes: &Lanes,
    consuming: &AtomicBool,
    cancel: &CancellationToken,
) {
    while !cancel.is_cancelled() {
        match consume(&settings.broker, "webhook-dispatcher", PREFETCH).await {
            Ok(mut intake) => {
                consuming.store(true, Ordering::Relaxed);
                let ended = take_in_batches(&mut intake, settings, pool, lanes, cancel).await;
                consuming.store(false, Ordering::Relaxed);
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
    lanes: &Lanes,
    cancel: &CancellationToken,
) -> Result<(), BrokerError> {
    loop {
        let batch = tokio::select! {
            batch = intake.next_batch(BATCH) => batch?,
            () = cancel.cancelled() => return Ok(()),
        };
        let events = read_events(intake, &batch).await?;
        let Some((owed, lease_until)) = commit(pool, &events, settings.lease, cancel).await else {
            return Ok(());
        };
        if let Some(last) = batch.last() {
            intake.ack_through(last).await?;
        }
        metrics::counter!("webhook_events_taken_in_total").increment(events.len() as u64);
        let events: HashMap<EventId, &Event> = events.iter().map(|e| (e.id, e)).collect();
        for owed in owed {
            lanes.offer(Leased {
                id: owed.id,
                webhook_id: owed.webhook_id,
                webhook_version: owed.webhook_version,
                attempts: 0,
                event: events[&owed.event_id].clone(),
                lease_until,
            });
        }
        lanes.hand_back_aside().await;
    }
}

/// Reads the messages that are events and sets the others aside.
async fn read_events(intake: &Intake, batch: &[Message]) -> Result<Vec<Event>, BrokerError> {
    let mut events = Vec::with_capacity(batch.len());
    for message in batch {
        match Event::parse(message.body.clone()) {
            Ok(event) => events.push(event),
            Err(error) => {
                metrics::counter!("webhook_events_rejected_total").increment(1);
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
    lease: Duration,
    cancel: &CancellationToken,
) -> Option<(Vec<OwedDelivery>, DateTime<Utc>)> {
    loop {
        // Anew for every try: Postgres may be away for longer than a lease.
        let lease_until = (Utc::now() + lease).trunc_subsecs(6);
        match try_commit(pool, events, lease_until).await {
            Ok(owed) => return Some((owed, lease_until)),
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
    lease_until: DateTime<Utc>,
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
