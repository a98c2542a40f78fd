//! Claims: deliveries due in Postgres, into lanes. These are retries, deliveries handed back or without
//! room at first, probes, and the deliveries of dead workers.

use std::time::Duration;

use chrono::{SubsecRound, Utc};
use tokio::time::{Instant, sleep};
use webhook_metrics::catalogue::CLAIMED;
use webhook_store::claims::{ClaimRequest, claim_backlog, claim_probes, promote_due};
use webhook_store::{StoreError, acquire};

use super::lanes::RoomFor;
use crate::worker::Worker;

/// How often a worker claims at least. [`Backlog::wake_claims`](super::backlog::Backlog::wake_claims)
/// makes a claim happen sooner.
const POLL_INTERVAL: Duration = Duration::from_millis(250);

/// How often a worker claims while a webhook with a rate limit is being served: a full bucket holds one
/// burst, and tokens beyond are lost.
const RATE_LIMITED_POLL_INTERVAL: Duration = Duration::from_millis(50);

/// How long the short interval lasts after the last rate-limited delivery: the slowest pace of a format is a
/// delivery in 2.4 s. At a slower pace a claim comes up to a usual interval late.
const RATE_LIMITED_LINGER: Duration = Duration::from_secs(3);

/// About how many deliveries are claimed at once.
const CLAIM_BATCH: i32 = 1_000;

/// The most deliveries promoted into the backlog at once.
const MAX_PROMOTED: i64 = 2_000;

/// Claims deliveries, as many as lanes have room for, until the worker is asked to stop.
pub(crate) async fn run_claims(worker: &Worker) {
    let mut rate_limited_until = Instant::now();
    loop {
        let poll_interval = if Instant::now() < rate_limited_until {
            RATE_LIMITED_POLL_INTERVAL
        } else {
            POLL_INTERVAL
        };
        tokio::select! {
            () = sleep(poll_interval) => {}
            () = worker.backlog.claims_woken() => {}
            () = worker.cancel.cancelled() => return,
        }
        match claim(worker).await {
            Ok(RateLimitedClaim::Some) => {
                rate_limited_until = Instant::now() + RATE_LIMITED_LINGER;
            }
            Ok(RateLimitedClaim::None) => {}
            Err(error) => log::warn!("cannot claim due deliveries: {error}"),
        }
    }
}

/// Whether a claim leased a delivery of a webhook with a rate limit.
enum RateLimitedClaim {
    Some,
    None,
}

async fn claim(worker: &Worker) -> Result<RateLimitedClaim, StoreError> {
    let mut connection = acquire(&worker.pools.work).await?;
    if promote_due(&mut connection, MAX_PROMOTED).await?
        == usize::try_from(MAX_PROMOTED).unwrap_or(0)
    {
        // More deliveries are due than a statement promotes.
        worker.backlog.wake_claims();
    }
    // To the microsecond, the precision of Postgres: results and hand-backs name the lease by this time.
    let lease_until = (Utc::now() + worker.config.lease).trunc_subsecs(6);
    // The intake may fill the lanes until `offer`, which hands back the deliveries without room.
    let room = worker.lanes.room(RoomFor::Backlog);
    let request = ClaimRequest {
        lanes: &room.lanes,
        default_free: room.default_free,
        limit: CLAIM_BATCH,
        max_bytes: room.bytes,
        lease_until,
    };
    let mut leased = claim_backlog(&mut connection, &request).await?;
    leased.extend(claim_probes(&mut connection, lease_until).await?);
    // The connection goes back first, as lanes need connections for destinations and hand-backs.
    drop(connection);
    if !leased.is_empty() {
        CLAIMED.record(leased.len() as f64);
    }
    let claimed = match leased.iter().any(|delivery| delivery.rate_limited) {
        true => RateLimitedClaim::Some,
        false => RateLimitedClaim::None,
    };
    worker.runners.offer(leased).await;
    Ok(claimed)
}
