//! A batch of events is committed. One that Postgres refuses costs itself only, and trouble of
//! Postgres costs no event anything but time.

use std::time::{Duration, Instant};

use chrono::{DateTime, SubsecRound, Utc};
use uuid::Uuid;
use webhook_domain::{Event, RejectionReason};
use webhook_store::intake::{IntakeRequest, OwedDelivery, TakenIn, take_in, takes_others_like};
use webhook_store::{StoreError, acquire};

use crate::consuming::{BrokenOff, pause};
use crate::lanes::For;
use crate::leased::{Leased, Origin};
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

/// How often Postgres must refuse an event, and take another one like it in between, until the
/// event is taken to be at fault: disks get full and have room again. Once for those that follow it in
/// a batch, as Postgres has shown by then that it takes events.
const ROUNDS: usize = 3;

/// The pause between two rounds.
const ROUND_PAUSE: Duration = Duration::from_millis(100);

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
                worker.readiness.set_intake_stuck(false);
                continue;
            }
            Err(error) if error.is_unavailable() => error,
            Err(_) if part.len() > 1 => {
                parts.halve(part);
                continue;
            }
            Err(_) => match judge(worker, &events[part.start], rounds(&refused)).await {
                Judgement::TakenIn => continue,
                Judgement::AtFault(error) => {
                    refused.push((part.start, refusal(&error)));
                    continue;
                }
                Judgement::NotAtFault(error) => error,
            },
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
    Ok(Committed::All { refused })
}

fn refusal(error: &StoreError) -> RejectionReason {
    RejectionReason::of(format_args!("Postgres refuses this event: {error}"))
}

/// Who is at fault that an event cannot be taken in.
enum Judgement {
    /// Nobody any more.
    TakenIn,
    /// The event: Postgres refuses it and takes others like it.
    AtFault(StoreError),
    /// Postgres takes no others either.
    NotAtFault(StoreError),
}

fn rounds(refused: &[(usize, RejectionReason)]) -> usize {
    if refused.is_empty() { ROUNDS } else { 1 }
}

async fn judge(worker: &Worker<'_>, event: &Event, rounds: usize) -> Judgement {
    let mut refused = None;
    for _ in 0..rounds {
        let like_it =
            async { takes_others_like(&mut *acquire(worker.batches).await?, event).await };
        if let Err(error) = like_it.await {
            return Judgement::NotAtFault(error);
        }
        match try_commit(worker, std::slice::from_ref(event)).await {
            Ok(_) => return Judgement::TakenIn,
            Err(error) if error.is_unavailable() => return Judgement::NotAtFault(error),
            Err(error) => refused = Some(error),
        }
        tokio::time::sleep(ROUND_PAUSE).await;
    }
    refused.map_or(Judgement::TakenIn, Judgement::AtFault)
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
    pass_on(worker, taken_in, lease_until).await;
    Ok(taken)
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
