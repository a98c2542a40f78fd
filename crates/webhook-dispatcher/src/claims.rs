//! What is due in Postgres: retries, hand-backs, probes, and what a dead worker had leased.

use std::time::Duration;

use chrono::{SubsecRound, Utc};
use tokio::time::Instant;
use webhook_store::claims::{ClaimRequest, claim_backlog, claim_probes, promote_due};
use webhook_store::{StoreError, acquire};

use crate::Worker;
use crate::lanes::For;

/// How often we look at least; whoever knows that there is more makes it sooner.
const POLL: Duration = Duration::from_millis(250);

/// How often we look while a webhook with a rate limit is being served: a bucket holds a tenth of
/// a second's worth, and must not flow over.
const RATE_POLL: Duration = Duration::from_millis(50);

/// For how long after the last delivery that had a rate limit we look that often: the slowest
/// rate is one a second.
const RATE_LINGER: Duration = Duration::from_secs(2);

/// How many deliveries are claimed at once, about.
const BATCH: i32 = 1_000;

/// The most deliveries that are promoted at once.
const PROMOTED: i64 = 2_000;

/// Claims what lanes have room for, until the worker is asked to stop.
pub(crate) async fn claim_for_ever(worker: &Worker<'_>) {
    let mut rated_until = Instant::now();
    loop {
        let poll = if Instant::now() < rated_until {
            RATE_POLL
        } else {
            POLL
        };
        tokio::select! {
            () = tokio::time::sleep(poll) => {}
            () = worker.lanes.more_to_claim() => {}
            () = worker.cancel.cancelled() => return,
        }
        match claim(worker).await {
            Ok(Claimed { rate_limited: true }) => rated_until = Instant::now() + RATE_LINGER,
            Ok(Claimed {
                rate_limited: false,
            }) => {}
            Err(error) => log::warn!("cannot claim what is due: {error}"),
        }
    }
}

struct Claimed {
    rate_limited: bool,
}

async fn claim(worker: &Worker<'_>) -> Result<Claimed, StoreError> {
    let mut connection = acquire(worker.pool).await?;
    if promote_due(&mut connection, PROMOTED).await? == usize::try_from(PROMOTED).unwrap_or(0) {
        worker.lanes.look_for_more();
    }
    let lease_until = (Utc::now() + worker.settings.lease).trunc_subsecs(6);
    let room = worker.lanes.room(For::Backlog);
    let request = ClaimRequest {
        lanes: &room.lanes,
        default_free: room.default_free,
        limit: BATCH,
        max_bytes: room.bytes,
        lease_until,
    };
    let mut claimed = claim_backlog(&mut connection, &request).await?;
    let probes = claim_probes(&mut connection, lease_until).await?;
    drop(connection);
    let rate_limited = claimed.iter().any(|delivery| delivery.rate_limited);
    claimed.extend(probes);
    worker.lanes.offer(claimed).await;
    Ok(Claimed { rate_limited })
}
