//! Taking what is due: retries, hand-backs, and what a dead worker had leased.
//!
//! A delivery whose time comes is first [promoted](promote_due) into its webhook's backlog, then
//! [claimed](claim_backlog) out of it when a lane has room. So a claim looks only at webhooks
//! that have something due, and at no more rows than it takes.

use std::collections::HashMap;

use bytes::Bytes;
use chrono::{DateTime, Utc};
use diesel::sql_types::{
    Array, BigInt, Bool, Bytea, Integer, Nullable, Text, Timestamptz, Uuid as SqlUuid,
};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use uuid::Uuid;
use webhook_domain::{DeliveryId, Event, EventId, OrderingKey, WebhookId};

use crate::error::name;
use crate::statement::statement;
use crate::{LaneRoom, LeasedDelivery, LeasedFrom, StoreError};

mod backlog;
mod probes;

pub use backlog::{hand_back, promote_due};
pub use probes::claim_probes;

/// What a worker has room for.
#[derive(Debug)]
pub struct ClaimRequest<'a> {
    /// Lanes whose room is not `default_free`.
    pub lanes: &'a [LaneRoom],
    /// The room of every other webhook, for first attempts and for retries each.
    pub default_free: i32,
    /// About so many deliveries in all, spread evenly over the webhooks; each gets one at least.
    pub limit: i32,
    /// At most so many bytes of bodies in all, but one delivery at least.
    pub max_bytes: i64,
    /// Until when they are ours.
    pub lease_until: DateTime<Utc>,
}

/// Leases what `kept` names and reads it, the oldest first. A body that several deliveries share
/// is read once.
macro_rules! lease_kept {
    () => {
        "claimed AS (
            UPDATE deliveries_pending AS delivery
            SET next_attempt_at = (SELECT lease_until FROM given), backlog = NULL
            WHERE delivery.id = ANY(ARRAY(SELECT id FROM kept))
            RETURNING delivery.id, event_id, webhook_id, attempts, schedule_from, ordering_key,
                coalesce(schedule_since, created_at) AS schedule_since, throttled
        )
        SELECT claimed.id, claimed.webhook_id, kept.version, kept.max_concurrency,
               claimed.attempts, claimed.schedule_from, claimed.ordering_key, kept.rate_limited,
               claimed.schedule_since, claimed.throttled,
               events.id, events.event_type, events.environment, occurred_at, test_webhook_id,
               CASE WHEN row_number() OVER (PARTITION BY events.id ORDER BY kept.rank, kept.id) = 1
                    THEN body END
        FROM claimed JOIN kept ON kept.id = claimed.id JOIN events ON events.id = claimed.event_id
        WHERE events.id = ANY(ARRAY(SELECT event_id FROM claimed))
        ORDER BY kept.rank, kept.id"
    };
}

pub(crate) use lease_kept;

type ClaimRow = (
    (
        SqlUuid,
        SqlUuid,
        BigInt,
        Nullable<Integer>,
        Integer,
        Integer,
        Nullable<SqlUuid>,
        Bool,
    ),
    (Timestamptz, Integer),
    (
        SqlUuid,
        Text,
        Text,
        Timestamptz,
        Nullable<SqlUuid>,
        Nullable<Bytea>,
    ),
);

statement! {
    /// `waiting` hops from webhook to webhook over the index of the backlog, so that a million
    /// rows waiting for one webhook cost no more than one.
    ///
    /// Rows are named by arrays, not by joins, so that the planner never reads a whole table.
    ///
    /// First attempts and retries are taken in turn, so that a mountain of either starves
    /// nobody. A webhook with a rate limit gets as many as its bucket has tokens; a bucket that
    /// another worker takes from at this moment is left to it.
    ClaimBacklog<'a> -> ClaimRow {
        "WITH RECURSIVE waiting AS (
            (SELECT webhook_id FROM deliveries_pending WHERE backlog IS NOT NULL
             ORDER BY webhook_id LIMIT 1)
            UNION ALL
            SELECT (SELECT delivery.webhook_id FROM deliveries_pending AS delivery
                    WHERE backlog IS NOT NULL AND delivery.webhook_id > waiting.webhook_id
                    ORDER BY delivery.webhook_id LIMIT 1)
            FROM waiting WHERE waiting.webhook_id IS NOT NULL
        ), room AS (
            SELECT * FROM unnest(", lanes: Vec<Uuid> => Array<SqlUuid>,
        ", ", first_attempts: Vec<i32> => Array<Integer>,
        ", ", retries: Vec<i32> => Array<Integer>,
        ", ", queued: Vec<i32> => Array<Integer>,
        ") AS room (webhook_id, first_attempts, retries, queued)
        ), given AS (
            SELECT ", default_free: i32 => Integer,
        " AS default_free, ", lease_until: DateTime<Utc> => Timestamptz,
        " AS lease_until, ", row_limit: &'a i32 => Integer,
        " AS row_limit, ", max_bytes: i64 => BigInt,
        concat!(" AS max_bytes
        ), served AS (
            SELECT webhooks.id, version, max_concurrency, rate_limit,
                   greatest(1, rate_limit / 10) AS burst,
                   coalesce(room.first_attempts, given.default_free) AS first_attempts,
                   coalesce(room.retries, given.default_free) AS retries,
                   coalesce(room.queued, 0) AS queued
            FROM given, webhooks
            LEFT JOIN room ON room.webhook_id = webhooks.id
            LEFT JOIN webhook_health ON webhook_health.webhook_id = webhooks.id
            WHERE webhooks.id = ANY(ARRAY(SELECT webhook_id FROM waiting))
              AND webhooks.status = 'active' AND webhook_health.paused_until IS NULL
              AND (webhook_health.held_until IS NULL OR webhook_health.held_until <= now())
        ), share AS (
            SELECT greatest(1, (SELECT row_limit FROM given) / greatest(1, count(*))) AS rows
            FROM served WHERE first_attempts > 0 OR retries > 0
        ), bucket AS (
            SELECT rate_buckets.webhook_id,
                   least(burst, tokens + rate_limit * greatest(0, extract(epoch FROM
                       now() - greatest(refilled_at, now() - interval '1 s')))) AS tokens
            FROM rate_buckets JOIN served ON served.id = rate_buckets.webhook_id
            WHERE rate_limit IS NOT NULL
            FOR UPDATE OF rate_buckets SKIP LOCKED
        ), picked AS (
            SELECT row.id, row.rank, row.webhook_id, version, max_concurrency,
                   rate_limit IS NOT NULL AS rate_limited,
                   (SELECT octet_length(body) FROM events WHERE events.id = row.event_id) AS bytes
            FROM share, served
            LEFT JOIN bucket ON bucket.webhook_id = served.id
            CROSS JOIN LATERAL (
                SELECT id, event_id, webhook_id, rank FROM (
                    SELECT id, event_id, webhook_id,
                           row_number() OVER (ORDER BY next_attempt_at) + random() AS rank
                    FROM (SELECT id, event_id, webhook_id, next_attempt_at FROM deliveries_pending
                          WHERE webhook_id = served.id AND backlog = 0
                          ORDER BY next_attempt_at
                          LIMIT least(served.first_attempts, share.rows)
                          FOR UPDATE SKIP LOCKED) AS first_attempt
                    UNION ALL
                    SELECT id, event_id, webhook_id,
                           row_number() OVER (ORDER BY next_attempt_at) + random() AS rank
                    FROM (SELECT id, event_id, webhook_id, next_attempt_at FROM deliveries_pending
                          WHERE webhook_id = served.id AND backlog = 1
                          ORDER BY next_attempt_at
                          LIMIT least(served.retries, share.rows)
                          FOR UPDATE SKIP LOCKED) AS retry
                ) AS both_kinds
                ORDER BY rank
                LIMIT CASE WHEN rate_limit IS NOT NULL
                      THEN greatest(0, least(floor(coalesce(bucket.tokens, 0)), burst - queued))::bigint
                      END
            ) AS row
        ), kept AS (
            SELECT * FROM (
                SELECT *, sum(bytes) OVER (ORDER BY rank, id) - bytes AS bytes_before FROM picked
            ) AS summed
            WHERE bytes_before < (SELECT max_bytes FROM given)
        ), spent AS (
            UPDATE rate_buckets
            SET tokens = bucket.tokens - taken.requests,
                -- A statement that began earlier may come later; no span is counted twice.
                refilled_at = greatest(refilled_at, now())
            FROM bucket
            JOIN (SELECT webhook_id, count(*) AS requests FROM kept GROUP BY webhook_id) AS taken
                USING (webhook_id)
            WHERE rate_buckets.webhook_id = bucket.webhook_id
        ), ", lease_kept!())
    }
}

/// Claims what waits for active webhooks, leased to the caller.
///
/// Rows that another worker is claiming at this moment are skipped, not waited for. A webhook
/// whose circuit is open gets nothing here, see [`claim_probes`]; one whose receiver is held gets
/// nothing at all.
pub async fn claim_backlog(
    connection: &mut AsyncPgConnection,
    request: &ClaimRequest<'_>,
) -> Result<Vec<LeasedDelivery>, StoreError> {
    let lanes = request.lanes;
    let statement = ClaimBacklog {
        lanes: lanes.iter().map(|l| l.webhook_id.0).collect(),
        first_attempts: lanes.iter().map(|l| l.first_attempts).collect(),
        retries: lanes.iter().map(|l| l.retries).collect(),
        queued: lanes.iter().map(|l| l.queued).collect(),
        default_free: request.default_free,
        lease_until: request.lease_until,
        row_limit: &request.limit,
        max_bytes: request.max_bytes,
    };
    let rows = statement.load(connection).await?;
    read(rows, request.lease_until, LeasedFrom::Backlog)
}

type Row = (
    (Uuid, Uuid, i64, Option<i32>, i32, i32, Option<Uuid>, bool),
    (DateTime<Utc>, i32),
    (
        Uuid,
        String,
        String,
        DateTime<Utc>,
        Option<Uuid>,
        Option<Vec<u8>>,
    ),
);

/// Reads rows of [`lease_kept`]: of the deliveries of one event the first brings the body.
fn read(
    rows: Vec<Row>,
    lease_until: DateTime<Utc>,
    leased_from: LeasedFrom,
) -> Result<Vec<LeasedDelivery>, StoreError> {
    let mut bodies: HashMap<Uuid, Bytes> = HashMap::new();
    let claimed = rows.into_iter().map(|(delivery, schedule, event)| {
        let body = match event.5 {
            Some(body) => {
                let body = Bytes::from(body);
                bodies.insert(event.0, body.clone());
                body
            }
            None => bodies.get(&event.0).cloned().unwrap_or_default(),
        };
        Ok(LeasedDelivery {
            id: DeliveryId(delivery.0),
            webhook_id: WebhookId(delivery.1),
            webhook_version: delivery.2,
            max_concurrency: delivery.3,
            attempts: delivery.4,
            schedule_from: delivery.5,
            schedule_since: schedule.0,
            throttled: schedule.1,
            ordering_key: delivery.6.map(OrderingKey),
            rate_limited: delivery.7,
            event: Event {
                id: EventId(event.0),
                event_type: name(&event.1)?,
                environment: name(&event.2)?,
                timestamp: event.3,
                test_for: event.4.map(WebhookId),
                body,
            },
            lease_until,
            leased_from,
        })
    });
    claimed.collect()
}
