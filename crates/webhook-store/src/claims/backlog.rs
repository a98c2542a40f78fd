//! The backlog: deliveries that are due and wait for room in a lane.

use chrono::{DateTime, Utc};
use diesel::sql_types::{Array, BigInt, Integer, Timestamptz, Uuid as SqlUuid};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use uuid::Uuid;

use crate::statement::statement;
use crate::{LeasedDelivery, StoreError};

statement! {
    PromoteDue<'a> -> diesel::sql_types::Untyped {
        "WITH due AS (
            SELECT id FROM deliveries_pending
            WHERE backlog IS NULL AND next_attempt_at <= now()
            ORDER BY next_attempt_at LIMIT ", limit: &'a i64 => BigInt,
        " FOR UPDATE SKIP LOCKED
        )
        UPDATE deliveries_pending SET backlog = CASE WHEN attempts > 0 THEN 1 ELSE 0 END
        WHERE id = ANY(ARRAY(SELECT id FROM due))"
    }
}

/// Puts deliveries whose time has come into the backlog, up to `limit`, the oldest first. Tells
/// how many there were.
pub async fn promote_due(
    connection: &mut AsyncPgConnection,
    limit: i64,
) -> Result<usize, StoreError> {
    let limit = &limit;
    Ok(PromoteDue { limit }.execute(connection).await?)
}

statement! {
    /// The lease's end and the attempt count fence it: what another worker took stays taken. A
    /// first attempt goes back to its place in the order of time.
    HandBack<'a> -> diesel::sql_types::Untyped {
        "WITH ours AS (SELECT * FROM unnest(", ids: Vec<Uuid> => Array<SqlUuid>,
        ", ", attempts: &'a [i32] => Array<Integer>,
        ", ", lease_until: &'a [DateTime<Utc>] => Array<Timestamptz>,
        ") WITH ORDINALITY AS ours (id, attempts, lease_until, place))
        UPDATE deliveries_pending AS delivery
        SET next_attempt_at = CASE WHEN ours.attempts > 0 THEN now() ELSE least(created_at, now()) END
                + place * interval '1 microsecond',
            backlog = CASE WHEN ours.attempts > 0 THEN 1 ELSE 0 END
        FROM ours
        WHERE delivery.id = ANY(ARRAY(SELECT id FROM ours))
          AND delivery.id = ours.id AND delivery.attempts = ours.attempts
          AND delivery.next_attempt_at = ours.lease_until AND backlog IS NULL"
    }
}

/// Gives deliveries back, due at once, where the lease is still this worker's. Tells how many were.
pub async fn hand_back(
    connection: &mut AsyncPgConnection,
    leased: &[LeasedDelivery],
) -> Result<usize, StoreError> {
    let attempts: Vec<i32> = leased.iter().map(|delivery| delivery.attempts).collect();
    let lease_until: Vec<_> = leased.iter().map(|delivery| delivery.lease_until).collect();
    let statement = HandBack {
        ids: leased.iter().map(|delivery| delivery.id.0).collect(),
        attempts: &attempts,
        lease_until: &lease_until,
    };
    Ok(statement.execute(connection).await?)
}
