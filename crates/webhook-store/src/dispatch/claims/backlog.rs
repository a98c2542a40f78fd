//! The backlog: due deliveries without room in a lane.

use chrono::{DateTime, Utc};
use diesel::sql_types::{Array, BigInt, Integer, Timestamptz, Untyped};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use webhook_domain::{DeliveryId, WebhookId};

use super::claimed::{ClaimedRow, read};
use crate::StoreError;
use crate::column_types::Id;
use crate::dispatch::leased::{LaneRoom, LeasedDelivery, LeasedFrom};
use crate::sql::{Columns, sql};

sql! {
    struct PromoteDue from "promote_due.sql" -> Untyped {
        1 limit: i64 as BigInt,
    }
}

/// Moves up to `limit` due deliveries into the backlog, oldest first. Returns the number.
pub async fn promote_due(
    connection: &mut AsyncPgConnection,
    limit: i64,
) -> Result<usize, StoreError> {
    Ok(PromoteDue { limit }.execute(connection).await?)
}

/// The room of a worker for deliveries of the backlog.
#[derive(Debug)]
pub struct ClaimRequest<'a> {
    /// The lanes whose room differs from `default_free`.
    pub lanes: &'a [LaneRoom],
    /// The room of every other webhook, for first attempts and for retries each.
    pub default_free: i32,
    /// About the most deliveries in all, spread evenly over the webhooks; every webhook may get one.
    pub limit: i32,
    /// The most bytes of event bodies in all; a single delivery may have more.
    pub max_bytes: i64,
    /// The end of the lease.
    pub lease_until: DateTime<Utc>,
}

sql! {
    struct ClaimBacklog from "claim_backlog.sql" -> Columns<ClaimedRow> {
        1 lanes: Vec<WebhookId> as Array<Id<WebhookId>>,
        2 first_attempts: Vec<i32> as Array<Integer>,
        3 retries: Vec<i32> as Array<Integer>,
        4 queued: Vec<i32> as Array<Integer>,
        5 default_free: i32 as Integer,
        6 lease_until: DateTime<Utc> as Timestamptz,
        7 row_limit: i32 as Integer,
        8 max_bytes: i64 as BigInt,
    }
}

/// Leases deliveries of active webhooks to the caller.
///
/// Skips rows locked by another worker's claim. Skips webhooks with an open circuit, see
/// [`claim_probes`](super::probes::claim_probes), and held webhooks.
pub async fn claim_backlog(
    connection: &mut AsyncPgConnection,
    request: &ClaimRequest<'_>,
) -> Result<Vec<LeasedDelivery>, StoreError> {
    let lanes = request.lanes;
    let statement = ClaimBacklog {
        lanes: lanes.iter().map(|lane| lane.webhook_id).collect(),
        first_attempts: lanes.iter().map(|lane| lane.first_attempts).collect(),
        retries: lanes.iter().map(|lane| lane.retries).collect(),
        queued: lanes.iter().map(|lane| lane.queued).collect(),
        default_free: request.default_free,
        lease_until: request.lease_until,
        row_limit: request.limit,
        max_bytes: request.max_bytes,
    };
    let rows = statement.load(connection).await?;
    Ok(read(rows, request.lease_until, LeasedFrom::Backlog))
}

sql! {
    struct HandBack from "hand_back.sql" -> Untyped {
        1 ids: Vec<DeliveryId> as Array<Id<DeliveryId>>,
        2 attempts: Vec<i32> as Array<Integer>,
        3 lease_until: Vec<DateTime<Utc>> as Array<Timestamptz>,
    }
}

/// Gives deliveries back, due at once, as far as the lease has not passed to another worker. Returns the
/// number.
pub async fn hand_back(
    connection: &mut AsyncPgConnection,
    leased: &[LeasedDelivery],
) -> Result<usize, StoreError> {
    let statement = HandBack {
        ids: leased.iter().map(|delivery| delivery.id).collect(),
        attempts: leased.iter().map(|delivery| delivery.attempts).collect(),
        lease_until: leased.iter().map(|delivery| delivery.lease_until).collect(),
    };
    Ok(statement.execute(connection).await?)
}
