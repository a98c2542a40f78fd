//! What is due in Postgres: retries, hand-backs, and what a dead worker had leased.

use std::time::Duration;

use chrono::{SubsecRound, Utc};
use tokio_util::sync::CancellationToken;
use webhook_store::claims::{ClaimRequest, claim_due};
use webhook_store::{Pool, StoreError, acquire};

use crate::Settings;
use crate::courier::{Courier, LANE_CAPACITY, Leased};

/// How often we look.
const POLL: Duration = Duration::from_millis(250);

/// The most deliveries in one claim.
const BATCH: i32 = 1_000;

/// Claims what lanes have room for, until `cancel`.
pub(crate) async fn claim_for_ever(
    settings: &Settings,
    pool: &Pool,
    courier: &Courier,
    cancel: &CancellationToken,
) {
    let mut poll = tokio::time::interval(POLL);
    loop {
        tokio::select! {
            _ = poll.tick() => {}
            () = cancel.cancelled() => return,
        }
        if let Err(error) = claim(settings, pool, courier).await {
            log::warn!("cannot claim what is due: {error}");
        }
        courier.hand_back_refused().await;
    }
}

async fn claim(settings: &Settings, pool: &Pool, courier: &Courier) -> Result<(), StoreError> {
    let lease_until = (Utc::now() + settings.lease).trunc_subsecs(6);
    let request = ClaimRequest {
        lanes: &courier.room(),
        default_free: i32::try_from(LANE_CAPACITY).unwrap_or(i32::MAX),
        limit: BATCH,
        lease_until,
    };
    let mut connection = acquire(pool).await?;
    for claimed in claim_due(&mut connection, &request).await? {
        courier.offer(Leased {
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
