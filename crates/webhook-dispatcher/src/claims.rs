//! What is due in Postgres: retries, hand-backs, and what a dead worker had leased.

use std::time::Duration;

use chrono::{SubsecRound, Utc};
use tokio_util::sync::CancellationToken;
use webhook_store::claims::{ClaimRequest, claim_due};
use webhook_store::{Pool, StoreError, acquire};

use crate::Settings;
use crate::lanes::{LANE_CAPACITY, Lanes, Leased};

/// How often we look at least; a lane that was full and has room again makes it sooner.
const POLL: Duration = Duration::from_millis(250);

/// The most deliveries in one claim.
const BATCH: i32 = 1_000;

/// Claims what lanes have room for, until `cancel`.
pub(crate) async fn claim_for_ever(
    settings: &Settings,
    pool: &Pool,
    lanes: &Lanes,
    cancel: &CancellationToken,
) {
    let mut poll = tokio::time::interval(POLL);
    poll.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            _ = poll.tick() => {}
            () = lanes.room_again() => {}
            () = cancel.cancelled() => return,
        }
        if let Err(error) = claim(settings, pool, lanes).await {
            log::warn!("cannot claim what is due: {error}");
        }
        lanes.hand_back_aside().await;
    }
}

async fn claim(settings: &Settings, pool: &Pool, lanes: &Lanes) -> Result<(), StoreError> {
    let lease_until = (Utc::now() + settings.lease).trunc_subsecs(6);
    let request = ClaimRequest {
        lanes: &lanes.room(),
        default_free: i32::try_from(LANE_CAPACITY).unwrap_or(i32::MAX),
        limit: BATCH,
        lease_until,
    };
    let mut connection = acquire(pool).await?;
    for claimed in claim_due(&mut connection, &request).await? {
        lanes.offer(Leased {
            id: claimed.id,
            webhook_id: claimed.webhook_id,
            webhook_version: claimed.webhook_version,
            attempts: claimed.attempts,
            event: claimed.event,
            lease_until,
        });
    }
    Ok(())
}
