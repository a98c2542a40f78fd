//! Probes: what an open circuit lets through.

use chrono::{DateTime, Utc};
use diesel::sql_types::Timestamptz;
use diesel_async::{AsyncPgConnection, RunQueryDsl};

use super::{ClaimRow, lease_kept, read};
use crate::statement::statement;
use crate::{LeasedDelivery, LeasedFrom, StoreError};

statement! {
    /// The row in `webhook_health` is locked and moved ahead by the lease, so that one worker
    /// sends one probe, and another one follows if that worker dies.
    ClaimProbes<'a> -> ClaimRow {
        "WITH given AS (SELECT ", lease_until: &'a DateTime<Utc> => Timestamptz,
        concat!(" AS lease_until
        ), probed AS (
            SELECT webhook_health.webhook_id, version, max_concurrency
            FROM webhook_health
            JOIN webhooks ON webhooks.id = webhook_health.webhook_id AND webhooks.status = 'active'
            WHERE paused_until <= now() AND (held_until IS NULL OR held_until <= now())
              AND EXISTS (SELECT FROM deliveries_pending AS delivery
                          WHERE delivery.webhook_id = webhook_health.webhook_id
                            AND backlog IS NOT NULL)
            ORDER BY paused_until LIMIT 100
            FOR UPDATE OF webhook_health SKIP LOCKED
        ), kept AS (
            SELECT row.id, probed.webhook_id, version, max_concurrency, 1 AS rank, false AS rate_limited
            FROM probed CROSS JOIN LATERAL (
                SELECT id FROM deliveries_pending AS delivery
                WHERE delivery.webhook_id = probed.webhook_id AND backlog IS NOT NULL
                ORDER BY next_attempt_at LIMIT 1
                FOR UPDATE SKIP LOCKED
            ) AS row
        ), moved AS (
            UPDATE webhook_health SET paused_until = (SELECT lease_until FROM given)
            WHERE webhook_id = ANY(ARRAY(SELECT webhook_id FROM kept))
        ), ", lease_kept!())
    }
}

/// Claims one delivery for each webhook whose circuit is open and whose pause is over.
pub async fn claim_probes(
    connection: &mut AsyncPgConnection,
    lease_until: DateTime<Utc>,
) -> Result<Vec<LeasedDelivery>, StoreError> {
    let statement = ClaimProbes {
        lease_until: &lease_until,
    };
    let rows = statement.load(connection).await?;
    read(rows, lease_until, LeasedFrom::Probe)
}
