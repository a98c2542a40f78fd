//! Taking events in: the events, and the deliveries owed for them, in one statement.

use chrono::{DateTime, Utc};
use diesel::sql_types::{Array, BigInt, Bytea, Text, Timestamptz, Uuid as SqlUuid};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use uuid::Uuid;
use webhook_domain::{DeliveryId, Event, EventId, WebhookId};

use crate::StoreError;
use crate::statement::statement;

/// A delivery that was just written, leased by the worker that wrote it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OwedDelivery {
    /// Its id.
    pub id: DeliveryId,
    /// What is owed.
    pub event_id: EventId,
    /// To whom.
    pub webhook_id: WebhookId,
    /// The webhook's version at that moment.
    pub webhook_version: i64,
}

statement! {
    /// Matching happens here, against the webhooks as they are committed at this moment.
    ///
    /// Delivery ids are UUIDs v7 that share a random start and count up: ordered, so that the
    /// index grows at its end, and cheaper than drawing one per row.
    TakeIn<'a> -> (SqlUuid, SqlUuid, SqlUuid, BigInt) {
        "WITH incoming AS (
            SELECT * FROM unnest(", ids: Vec<Uuid> => Array<SqlUuid>,
        ", ", event_types: Vec<&'a str> => Array<Text>,
        ", ", environments: Vec<&'a str> => Array<Text>,
        ", ", timestamps: Vec<DateTime<Utc>> => Array<Timestamptz>,
        ", ", bodies: Vec<&'a [u8]> => Array<Bytea>,
        ") AS incoming (id, event_type, environment, occurred_at, body)
        ), given AS (
            SELECT ", id_start: &'a str => Text,
        " AS id_start, ", lease_until: DateTime<Utc> => Timestamptz,
        " AS lease_until
        ), fresh AS (
            INSERT INTO events (id, event_type, environment, occurred_at, body)
            SELECT id, event_type, environment, occurred_at, body FROM incoming
            ON CONFLICT (id) DO NOTHING
            RETURNING id, event_type, environment
        ), matched AS (
            SELECT (given.id_start || lpad(to_hex(row_number() OVER ()), 8, '0'))::uuid AS id,
                   fresh.id AS event_id, webhooks.id AS webhook_id, webhooks.version,
                   given.lease_until
            FROM given, fresh
            JOIN subscriptions USING (environment, event_type)
            JOIN webhooks ON webhooks.id = subscriptions.webhook_id
            WHERE webhooks.status = 'active'
        ), owed AS (
            INSERT INTO deliveries (id, event_id, webhook_id, next_attempt_at)
            SELECT id, event_id, webhook_id, lease_until FROM matched
        )
        SELECT id, event_id, webhook_id, version FROM matched"
    }
}

/// Stores events and the deliveries owed for them, leased until `lease_until`.
///
/// An event whose id is known already, from before or from earlier in `events`, is passed over.
/// `delivery_id_seed` is a fresh UUID v7; the ids of these deliveries are made from it.
pub async fn take_in(
    connection: &mut AsyncPgConnection,
    events: &[Event],
    lease_until: DateTime<Utc>,
    delivery_id_seed: Uuid,
) -> Result<Vec<OwedDelivery>, StoreError> {
    let seed = delivery_id_seed.simple().to_string();
    let statement = TakeIn {
        ids: events.iter().map(|e| e.id.0).collect(),
        event_types: events.iter().map(|e| e.event_type.as_str()).collect(),
        environments: events.iter().map(|e| e.environment.as_str()).collect(),
        timestamps: events.iter().map(|e| e.timestamp).collect(),
        bodies: events.iter().map(|e| e.body.as_ref()).collect(),
        id_start: &seed[..24],
        lease_until,
    };
    let rows: Vec<(Uuid, Uuid, Uuid, i64)> = statement.load(connection).await?;
    let owed = rows
        .into_iter()
        .map(|(id, event_id, webhook_id, version)| OwedDelivery {
            id: DeliveryId(id),
            event_id: EventId(event_id),
            webhook_id: WebhookId(webhook_id),
            webhook_version: version,
        });
    Ok(owed.collect())
}
