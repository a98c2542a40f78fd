//! Committing a batch of events. A refused event does not hold up the others; while Postgres is away,
//! all events wait.

use std::time::{Duration, Instant};

use chrono::{SubsecRound, Utc};
use uuid::Uuid;
use webhook_domain::{Event, RejectionReason};
use webhook_metrics::catalogue::{EVENTS_DUPLICATE, EVENTS_TAKEN_IN, EVENTS_UNMATCHED};
use webhook_store::intake::{IntakeRequest, TakenIn, take_in};
use webhook_store::{StoreError, acquire};

use crate::batch_parts::BatchParts;
use crate::consuming::{BrokenOff, PAUSE_AFTER_CONSUMER_FAILURE};
use crate::pipeline::lanes::RoomFor;
use crate::worker::Worker;

/// How long a worker tries to commit a batch before leaving it to another worker.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Patience {
    /// Another worker may reach Postgres where this worker cannot.
    TenSeconds,
    /// The messages were left to other workers often enough.
    Endless,
}

/// How a batch ended.
pub(super) enum BatchEnd {
    /// All events were taken in but the refused ones, given by places in the batch.
    Committed {
        refused: Vec<(usize, RejectionReason)>,
    },
    /// The worker was asked to stop before the batch was committed.
    Stopped,
}

/// Commits a batch, and puts the leased deliveries into lanes.
pub(super) async fn commit(
    worker: &Worker,
    events: &[Event],
    patience: Patience,
) -> Result<BatchEnd, BrokenOff> {
    let (mut parts, mut refused) = (BatchParts::of(events.len()), Vec::new());
    let began = Instant::now();
    while let Some(part) = parts.next() {
        let trouble = match try_commit(worker, &events[part.clone()]).await {
            Ok(taken) => {
                // Events for very many webhooks may leave the rest of the part to the next statement.
                parts.put_back(part.start + taken..part.end);
                continue;
            }
            Err(error) if error.is_unavailable() => error,
            Err(_) if part.len() > 1 => {
                parts.halve(part);
                continue;
            }
            // Other errors do not show whether the event is at fault or Postgres, whose disk may be
            // full: the event waits, however long.
            Err(error) if !error.is_refusal() => error,
            Err(error) => {
                refused.push((part.start, refusal(&error)));
                continue;
            }
        };
        worker.readiness.set_intake_stuck(true);
        if patience == Patience::TenSeconds && began.elapsed() > Duration::from_secs(10) {
            return Err(BrokenOff::Store(trouble));
        }
        log::warn!("cannot take events in yet, RabbitMQ keeps the events: {trouble}");
        parts.put_back(part);
        if !worker.sleep_or_stop(PAUSE_AFTER_CONSUMER_FAILURE).await {
            return Ok(BatchEnd::Stopped);
        }
    }
    worker.readiness.set_intake_stuck(false);
    Ok(BatchEnd::Committed { refused })
}

fn refusal(error: &StoreError) -> RejectionReason {
    RejectionReason::of(format_args!("Postgres refuses this event: {error}"))
}

/// Takes events in: all, or the first ones, as many as one statement may write. Returns the number.
async fn try_commit(worker: &Worker, events: &[Event]) -> Result<usize, StoreError> {
    let mut connection = acquire(&worker.pools.batches).await?;
    // The claims may fill the lanes until `offer`, which hands back the deliveries without room.
    let room = worker.lanes.room(RoomFor::NewEvents);
    // For each try, as a lease begins with the statement; to the microsecond, the precision of Postgres.
    let lease_until = (Utc::now() + worker.config.lease).trunc_subsecs(6);
    let request = IntakeRequest {
        lanes: &room.lanes,
        default_free: room.default_free,
        lease_until,
        delivery_id_seed: Uuid::now_v7(),
    };
    let taken_in = take_in(&mut connection, events, &request).await?;
    drop(connection);
    let taken = taken_in.events;
    EVENTS_TAKEN_IN.add(taken_in.fresh as u64);
    EVENTS_DUPLICATE.add(taken_in.known as u64);
    EVENTS_UNMATCHED.add(taken_in.unmatched as u64);
    pass_on(worker, taken_in).await;
    Ok(taken)
}

/// Passes committed deliveries on: leased ones into lanes, the others to the claims.
async fn pass_on(worker: &Worker, taken_in: TakenIn) {
    worker.runners.offer(taken_in.leased).await;
    worker.backlog.release_turns(taken_in.turns).await;
    if taken_in.in_backlog > 0 {
        worker.backlog.wake_claims();
    }
}
