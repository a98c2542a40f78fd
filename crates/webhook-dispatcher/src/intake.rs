//! From the broker into Postgres: a batch is acknowledged when it is committed, never before.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use chrono::{DateTime, SubsecRound, Utc};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;
use webhook_broker::{BrokerError, Intake, Message, Queue};
use webhook_domain::Event;
use webhook_store::intake::{IntakeRequest, OwedDelivery, TakenIn, take_in};
use webhook_store::{StoreError, acquire};

use crate::consuming::{BrokenOff, Source, connect, leave, pause};
use crate::lanes::For;
use crate::leased::{Leased, Origin};
use crate::{Worker, ordering};

/// As many messages are in hand as a crash makes come again.
const SOURCE: Source = Source {
    queue: Queue::Events,
    name: "webhook-dispatcher",
    prefetch: 1_000,
};

/// The most events in one statement.
const BATCH: usize = 500;

/// The most after a time in which there were few: how fast their webhooks are is not known yet. It
/// doubles with each batch that is full.
const FIRST_BATCH: usize = 64;

/// How long a worker tries to write a batch down before it leaves it to another one.
const PATIENCE: Duration = Duration::from_secs(10);

/// Consumes until the worker is asked to stop, on a new connection whenever one breaks.
pub(crate) async fn take_in_for_ever(worker: &Worker<'_>, consuming: &AtomicBool) {
    while let Some(mut intake) = connect(worker, &SOURCE).await {
        consuming.store(true, Ordering::Relaxed);
        let ended = take_in_batches(&mut intake, worker).await;
        consuming.store(false, Ordering::Relaxed);
        leave(worker, intake, ended).await;
    }
}

async fn take_in_batches(intake: &mut Intake, worker: &Worker<'_>) -> Result<(), BrokenOff> {
    let mut most = FIRST_BATCH;
    loop {
        let limit = most.min(worker.lanes.wait_for_room().await);
        let batch = tokio::select! {
            batch = intake.next_batch(limit) => batch?,
            () = worker.cancel.cancelled() => return Ok(()),
        };
        most = if batch.len() == limit {
            BATCH.min(most * 2)
        } else {
            FIRST_BATCH
        };
        let Some(events) = read_events(intake, &batch, worker.cancel).await? else {
            return Ok(());
        };
        let mut rest = events.as_slice();
        while !rest.is_empty() {
            let Some((taken_in, lease_until)) = commit(worker, rest).await? else {
                return Ok(());
            };
            rest = &rest[taken_in.events..];
            pass_on(worker, taken_in, lease_until).await;
        }
        if let Some(last) = batch.last() {
            intake.ack_through(last).await?;
        }
        metrics::counter!("webhook_events_taken_in_total").increment(events.len() as u64);
    }
}

/// Puts what is ours into its lanes, and sees to it that somebody takes the rest.
async fn pass_on(worker: &Worker<'_>, taken_in: TakenIn, lease_until: DateTime<Utc>) {
    let leased = taken_in.leased.into_iter();
    let leased = leased.map(|owed| leased_by(owed, lease_until)).collect();
    worker.lanes.offer(leased).await;
    if !taken_in.ordered.is_empty() {
        ordering::release(worker.pool, &taken_in.ordered).await;
    }
    if taken_in.waiting > 0 || !taken_in.ordered.is_empty() {
        worker.lanes.look_for_more();
    }
}

fn leased_by(owed: OwedDelivery, lease_until: DateTime<Utc>) -> Leased {
    Leased {
        id: owed.id,
        webhook_id: owed.webhook_id,
        webhook_version: owed.webhook_version,
        max_concurrency: owed.max_concurrency,
        attempts: 0,
        schedule_from: 0,
        // What is ordered is never leased here.
        ordering_key: None,
        event: owed.event,
        lease_until,
        origin: Origin::Broker,
    }
}

/// Reads the messages that are events and sets the others aside. `None`: asked to stop before
/// that was done.
async fn read_events(
    intake: &Intake,
    batch: &[Message],
    cancel: &CancellationToken,
) -> Result<Option<Vec<Event>>, BrokerError> {
    let mut events = Vec::with_capacity(batch.len());
    for message in batch {
        match Event::parse(message.body.clone()) {
            Ok(event) => events.push(event),
            Err(error) => {
                metrics::counter!("webhook_events_rejected_total").increment(1);
                log::warn!("a message is no event and was rejected: {error}");
                if !reject(intake, message, &error.to_string(), cancel).await? {
                    return Ok(None);
                }
            }
        }
    }
    Ok(Some(events))
}

/// Sets a message aside, however long the broker refuses to store it: breaking off would bring the
/// good ones beside it nearer to their delivery limit. `false`: asked to stop before it was done.
async fn reject(
    intake: &Intake,
    message: &Message,
    reason: &str,
    cancel: &CancellationToken,
) -> Result<bool, BrokerError> {
    let id = Uuid::now_v7();
    loop {
        match intake.reject_event(message, id, reason).await {
            Ok(()) => return Ok(true),
            Err(error @ BrokerError::NotConfirmed) => log::error!("{error}"),
            Err(error) => return Err(error),
        }
        pause(cancel).await;
        if cancel.is_cancelled() {
            return Ok(false);
        }
    }
}

/// Commits a batch, if Postgres is not away for too long. `None`: asked to stop before it was.
async fn commit(
    worker: &Worker<'_>,
    events: &[Event],
) -> Result<Option<(TakenIn, DateTime<Utc>)>, BrokenOff> {
    let began = Instant::now();
    loop {
        // Anew for every try, as a lease begins when it is given.
        let lease_until = (Utc::now() + worker.settings.lease).trunc_subsecs(6);
        match try_commit(worker, events, lease_until).await {
            Ok(taken_in) => return Ok(Some((taken_in, lease_until))),
            Err(error) if began.elapsed() > PATIENCE => return Err(BrokenOff::Store(error)),
            Err(error) => log::warn!("cannot take events in, they stay with the broker: {error}"),
        }
        pause(worker.cancel).await;
        if worker.cancel.is_cancelled() {
            return Ok(None);
        }
    }
}

async fn try_commit(
    worker: &Worker<'_>,
    events: &[Event],
    lease_until: DateTime<Utc>,
) -> Result<TakenIn, StoreError> {
    let mut connection = acquire(worker.batches).await?;
    let room = worker.lanes.room(For::Events);
    let request = IntakeRequest {
        lanes: &room.lanes,
        default_free: room.default_free,
        lease_until,
        delivery_id_seed: Uuid::now_v7(),
    };
    take_in(&mut connection, events, &request).await
}
