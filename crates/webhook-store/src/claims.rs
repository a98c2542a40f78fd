//! Taking what is due: retries, hand-backs, and what a dead worker had leased.

use bytes::Bytes;
use chrono::{DateTime, Utc};
use diesel::sql_types::{Array, BigInt, Bytea, Integer, Text, Timestamptz, Uuid as SqlUuid};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use uuid::Uuid;
use webhook_domain::{DeliveryId, Event, EventId, WebhookId};

use crate::StoreError;
use crate::error::name;
use crate::statement::statement;

/// How many more deliveries a webhook's lane takes.
#[derive(Debug, Clone, Copy)]
pub struct LaneRoom {
    /// Whose lane.
    pub webhook_id: WebhookId,
    /// How many more; 0 keeps the webhook out of this claim.
    pub free: i32,
}

/// What a worker has room for.
#[derive(Debug)]
pub struct ClaimRequest<'a> {
    /// Lanes whose room is not `default_free`.
    pub lanes: &'a [LaneRoom],
    /// The room of every other webhook.
    pub default_free: i32,
    /// At most so many in all.
    pub limit: i32,
    /// Until when they are ours.
    pub lease_until: DateTime<Utc>,
}

/// A delivery that is ours until the lease ends.
#[derive(Debug, Clone)]
pub struct ClaimedDelivery {
    /// Its id.
    pub id: DeliveryId,
    /// To whom.
    pub webhook_id: WebhookId,
    /// The webhook's version at that moment.
    pub webhook_version: i64,
    /// Attempts recorded so far.
    pub attempts: i32,
    /// What is delivered.
    pub event: Event,
}

type ClaimRow = (
    (SqlUuid, SqlUuid, BigInt, Integer),
    (SqlUuid, Text, Text, Timestamptz, Bytea),
);

statement! {
    /// `pending` hops from webhook to webhook over the index of what is due, so that a million
    /// rows waiting for one webhook cost no more than one.
    ClaimDue<'a> -> ClaimRow {
        "WITH RECURSIVE lane AS (
            SELECT * FROM unnest(", lanes: &'a [Uuid] => Array<SqlUuid>,
        ", ", free: Vec<i32> => Array<Integer>,
        ") AS lane (webhook_id, free)
        ), given AS (
            SELECT ", default_free: i32 => Integer,
        " AS default_free, ", lease_until: DateTime<Utc> => Timestamptz,
        " AS lease_until
        ), pending AS (
            (SELECT webhook_id FROM deliveries WHERE status = 'pending'
             ORDER BY webhook_id LIMIT 1)
            UNION ALL
            SELECT (SELECT deliveries.webhook_id FROM deliveries
                    WHERE status = 'pending' AND deliveries.webhook_id > pending.webhook_id
                    ORDER BY deliveries.webhook_id LIMIT 1)
            FROM pending WHERE pending.webhook_id IS NOT NULL
        ), due AS (
            SELECT row.id, webhooks.version
            FROM given, pending
            JOIN webhooks ON webhooks.id = pending.webhook_id AND webhooks.status = 'active'
            LEFT JOIN lane ON lane.webhook_id = pending.webhook_id
            CROSS JOIN LATERAL (
                SELECT id FROM deliveries
                WHERE deliveries.webhook_id = pending.webhook_id AND status = 'pending'
                  AND next_attempt_at <= now()
                ORDER BY next_attempt_at
                LIMIT greatest(coalesce(lane.free, given.default_free), 0)
                FOR UPDATE SKIP LOCKED
            ) AS row
            LIMIT ", limit: i64 => BigInt,
        "), claimed AS (
            UPDATE deliveries SET next_attempt_at = given.lease_until
            FROM due, given
            WHERE deliveries.id = due.id
            RETURNING deliveries.id, event_id, webhook_id, due.version, attempts
        )
        SELECT claimed.id, webhook_id, version, attempts,
               events.id, event_type, environment, occurred_at, body
        FROM claimed JOIN events ON events.id = claimed.event_id"
    }
}

/// Claims what is due of active webhooks, oldest first per webhook, leased to the caller.
///
/// Rows that another worker is claiming at this moment are skipped, not waited for.
pub async fn claim_due(
    connection: &mut AsyncPgConnection,
    request: &ClaimRequest<'_>,
) -> Result<Vec<ClaimedDelivery>, StoreError> {
    let webhook_ids: Vec<Uuid> = request.lanes.iter().map(|l| l.webhook_id.0).collect();
    let statement = ClaimDue {
        lanes: &webhook_ids,
        free: request.lanes.iter().map(|l| l.free).collect(),
        default_free: request.default_free,
        lease_until: request.lease_until,
        limit: i64::from(request.limit),
    };
    type Row = (
        (Uuid, Uuid, i64, i32),
        (Uuid, String, String, DateTime<Utc>, Vec<u8>),
    );
    let rows: Vec<Row> = statement.load(connection).await?;
    let claimed = rows.into_iter().map(|(delivery, event)| {
        Ok(ClaimedDelivery {
            id: DeliveryId(delivery.0),
            webhook_id: WebhookId(delivery.1),
            webhook_version: delivery.2,
            attempts: delivery.3,
            event: Event {
                id: EventId(event.0),
                event_type: name(&event.1)?,
                environment: name(&event.2)?,
                timestamp: event.3,
                body: Bytes::from(event.4),
            },
        })
    });
    claimed.collect()
}

statement! {
    /// The lease's end and the attempt count fence it: what another worker took stays taken.
    HandBack<'a> -> diesel::sql_types::Untyped {
        "WITH ours AS (SELECT * FROM unnest(", ids: Vec<Uuid> => Array<SqlUuid>,
        ", ", attempts: &'a [i32] => Array<Integer>,
        ", ", lease_until: &'a [DateTime<Utc>] => Array<Timestamptz>,
        ") AS ours (id, attempts, lease_until))
        UPDATE deliveries SET next_attempt_at = now() FROM ours
        WHERE deliveries.id = ours.id AND deliveries.attempts = ours.attempts
          AND deliveries.next_attempt_at = ours.lease_until AND status = 'pending'"
    }
}

/// Gives leased deliveries back at once, where the lease is still ours. Tells how many were.
///
/// `lease_until` must be what was given at the claim, cut to microseconds as Postgres keeps it.
pub async fn hand_back(
    connection: &mut AsyncPgConnection,
    ids: &[DeliveryId],
    attempts: &[i32],
    lease_until: &[DateTime<Utc>],
) -> Result<usize, StoreError> {
    let statement = HandBack {
        ids: ids.iter().map(|id| id.0).collect(),
        attempts,
        lease_until,
    };
    Ok(statement.execute(connection).await?)
}
