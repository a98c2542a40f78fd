//! A batch of events is committed. One that Postgres refuses costs itself only, and trouble of
//! Postgres costs no event anything but time.

use std::time::{Duration, Instant};

use chrono::{SubsecRound, Utc};
use uuid::Uuid;
use webhook_domain::{Event, RejectionReason};
use webhook_store::intake::{IntakeRequest, TakenIn, take_in};
use webhook_store::{StoreError, acquire};

use crate::consuming::{BrokenOff, pause};
use crate::lanes::For;
use crate::parts::Parts;
use crate::{Worker, ordering};

/// How long a worker tries to write a batch down before it leaves it to another one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Patience {
    /// It may be only this worker's way to Postgres that is broken.
    TenSeconds,
    /// The messages were left to others often enough.
    Endless,
}

/// How a batch ended.
pub(super) enum Committed {
    /// Every event was taken in, but for those that Postgres refuses, by their places.
    All {
        refused: Vec<(usize, RejectionReason)>,
    },
    /// The worker was asked to stop before that was done.
    Stopped,
}

/// Commits a batch, and puts what is leased into its lanes.
pub(super) async fn commit(
    worker: &Worker<'_>,
    events: &[Event],
    patience: Patience,
) -> Result<Committed, BrokenOff> {
    let (mut parts, mut refused, began) = (Parts::of(events.len()), Vec::new(), Instant::now());
    while let Some(part) = parts.next() {
        let trouble = match try_commit(worker, &events[part.clone()]).await {
            Ok(taken) => {
                // An event for very many webhooks may leave the others to the next statement.
                parts.put_back(part.start + taken..part.end);
                continue;
            }
            Err(error) if error.is_unavailable() => error,
            Err(_) if part.len() > 1 => {
                parts.halve(part);
                continue;
            }
            // Of all other errors nobody can tell whether the event is at fault or Postgres, whose disk may
            // be full: so the event waits, however long.
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
        log::warn!("cannot take events in, they stay with the broker: {trouble}");
        parts.put_back(part);
        pause(worker.cancel).await;
        if worker.cancel.is_cancelled() {
            return Ok(Committed::Stopped);
        }
    }
    worker.readiness.set_intake_stuck(false);
    Ok(Committed::All { refused })
}

fn refusal(error: &StoreError) -> RejectionReason {
    RejectionReason::of(format_args!("Postgres refuses this event: {error}"))
}

/// Takes events in by one statement, the first ones of them at least. Tells how many.
async fn try_commit(worker: &Worker<'_>, events: &[Event]) -> Result<usize, StoreError> {
    let mut connection = acquire(worker.batches).await?;
    let room = worker.lanes.room(For::Events);
    // Anew for every try, as a lease begins when it is given.
    let lease_until = (Utc::now() + worker.settings.lease).trunc_subsecs(6);
    let request = IntakeRequest {
        lanes: &room.lanes,
        default_free: room.default_free,
        lease_until,
        delivery_id_seed: Uuid::now_v7(),
    };
    let taken_in = take_in(&mut connection, events, &request).await?;
    drop(connection);
    let taken = taken_in.events;
    pass_on(worker, taken_in).await;
    Ok(taken)
}

/// Puts what is ours into its lanes, and sees to it that somebody takes the rest.
async fn pass_on(worker: &Worker<'_>, taken_in: TakenIn) {
    worker.lanes.offer(taken_in.leased).await;
    let more_may_be_due = taken_in.waiting > 0 || !taken_in.turns.is_empty();
    ordering::release(worker.pool, taken_in.turns).await;
    if more_may_be_due {
        worker.lanes.look_for_more();
    }
}
