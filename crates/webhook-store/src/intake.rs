//! Taking events in: the events, and the deliveries owed for them, in one transaction.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use diesel::sql_types::{
    Array, BigInt, Bytea, Integer, Nullable, Text, Timestamptz, Uuid as SqlUuid,
};
use diesel_async::{AsyncConnection, AsyncPgConnection, RunQueryDsl};
use uuid::Uuid;
use webhook_domain::{DeliveryId, Event, EventId, OrderingKey, WebhookId};

use crate::StoreError;
use crate::claims::LaneRoom;
use crate::ids::time_of;
use crate::ordering::{KeyedDelivery, set_keys};
use crate::statement::statement;

/// What a worker that takes events in has room for.
#[derive(Debug)]
pub struct IntakeRequest<'a> {
    /// Lanes whose room is not `default_free`.
    pub lanes: &'a [LaneRoom],
    /// The room of every other webhook.
    pub default_free: i32,
    /// Until when what has room is ours.
    pub lease_until: DateTime<Utc>,
    /// A fresh UUID v7; the ids of these deliveries are made from it.
    pub delivery_id_seed: Uuid,
}

/// What became of a batch of events.
#[derive(Debug, Default)]
pub struct TakenIn {
    /// Deliveries that are ours until the lease ends.
    pub leased: Vec<OwedDelivery>,
    /// How many wait in the backlog, for whoever has room.
    pub waiting: usize,
    /// Whose turn may have come: give them to [`release_heads`](crate::ordering::release_heads)
    /// once this is committed.
    pub ordered: Vec<(WebhookId, OrderingKey)>,
}

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
    /// How many requests it wants at once; `None`: as the worker likes.
    pub max_concurrency: Option<i32>,
}

type OwedRow = (
    (SqlUuid, SqlUuid, SqlUuid),
    (BigInt, Nullable<Integer>, Nullable<Text>, Text),
);

statement! {
    /// Matching happens here, against the webhooks as they are committed at this moment. It comes
    /// before the events are written, as each event's row tells whether anybody wanted it. Events
    /// that are known already are matched too, and dropped: they are rare.
    ///
    /// A test event is for one webhook, whatever it subscribed to; it has no order, and it does not
    /// wait for an open circuit or for a rate, as somebody waits for its answer.
    ///
    /// What the worker has room for is leased to it at once. The rest waits in the backlog: what
    /// has no room, has a rate limit, or goes to an open circuit. What is ordered is held until
    /// its turn is found.
    ///
    /// Delivery ids are UUIDs v7 that share a random start and count up: ordered, so that the
    /// index grows at its end, and cheaper than drawing one per row. They tell when deliveries were
    /// made.
    TakeIn<'a> -> OwedRow {
        "WITH incoming AS (
            SELECT DISTINCT ON (id) * FROM unnest(", ids: Vec<Uuid> => Array<SqlUuid>,
        ", ", event_types: Vec<&'a str> => Array<Text>,
        ", ", environments: Vec<&'a str> => Array<Text>,
        ", ", timestamps: Vec<DateTime<Utc>> => Array<Timestamptz>,
        ", ", bodies: Vec<&'a [u8]> => Array<Bytea>,
        ", ", test_for: Vec<Option<Uuid>> => Array<Nullable<SqlUuid>>,
        ") WITH ORDINALITY AS incoming (id, event_type, environment, occurred_at, body, test_for, position)
            ORDER BY id, position
        ), room AS (
            SELECT * FROM unnest(", lanes: Vec<Uuid> => Array<SqlUuid>,
        ", ", free: Vec<i32> => Array<Integer>,
        ") AS room (webhook_id, free)
        ), given AS (
            SELECT ", id_start: &'a str => Text,
        " AS id_start, ", default_free: i32 => Integer,
        " AS default_free, ", lease_until: DateTime<Utc> => Timestamptz,
        " AS lease_until, ", created_at: DateTime<Utc> => Timestamptz,
        " AS created_at
        ), wanted AS (
            SELECT incoming.id AS event_id, incoming.event_type, incoming.environment,
                   position, test_for, webhooks.id AS webhook_id,
                   webhooks.version, webhooks.max_concurrency, webhooks.rate_limit,
                   CASE WHEN test_for IS NULL THEN webhooks.ordering_field END AS ordering_field
            FROM incoming
            CROSS JOIN LATERAL (
                SELECT webhook_id FROM subscriptions
                WHERE test_for IS NULL AND subscriptions.environment = incoming.environment
                  AND subscriptions.event_type = incoming.event_type
                UNION ALL SELECT test_for WHERE test_for IS NOT NULL
            ) AS chosen
            JOIN webhooks ON webhooks.id = chosen.webhook_id
            WHERE webhooks.status = 'active'
        ), fresh AS (
            INSERT INTO events (id, event_type, environment, occurred_at, body, test_webhook_id, matched)
            SELECT id, event_type, environment, occurred_at, body, test_for, event_id IS NOT NULL
            FROM incoming
            LEFT JOIN (SELECT DISTINCT event_id FROM wanted) AS wanted ON event_id = id
            ORDER BY id
            ON CONFLICT (id) DO NOTHING
            RETURNING id
        ), matched AS (
            SELECT (given.id_start || lpad(to_hex(row_number() OVER (ORDER BY position)), 8, '0'))::uuid AS id,
                   event_id, event_type, environment, test_for IS NOT NULL AS test,
                   wanted.webhook_id, version, max_concurrency, position, lease_until,
                   ordering_field,
                   CASE
                     WHEN ordering_field IS NOT NULL THEN 'held'
                     WHEN (test_for IS NOT NULL
                           OR (rate_limit IS NULL AND webhook_health.paused_until IS NULL))
                       AND row_number() OVER (PARTITION BY wanted.webhook_id ORDER BY position)
                           <= coalesce(room.free, given.default_free)
                       THEN 'leased'
                     ELSE 'waiting'
                   END AS place
            FROM given, fresh
            JOIN wanted ON event_id = fresh.id
            LEFT JOIN room ON room.webhook_id = wanted.webhook_id
            LEFT JOIN webhook_health ON webhook_health.webhook_id = wanted.webhook_id
        ), owed AS (
            INSERT INTO deliveries
                (id, event_id, webhook_id, event_type, environment, test, created_at,
                 next_attempt_at, backlog, ordering_sequence)
            SELECT id, event_id, webhook_id, event_type::event_type, environment::environment,
                   test, created_at,
                   CASE place WHEN 'leased' THEN matched.lease_until WHEN 'waiting' THEN now() END,
                   CASE place WHEN 'waiting' THEN 0 END,
                   CASE place WHEN 'held' THEN nextval('deliveries_ordering') END
            FROM given, (SELECT * FROM matched ORDER BY position) AS matched
        )
        SELECT id, event_id, webhook_id, version, max_concurrency, ordering_field, place
        FROM matched ORDER BY position"
    }
}

/// Stores events and the deliveries owed for them.
///
/// An event whose id is known already, from before or from earlier in `events`, is passed over.
pub async fn take_in(
    connection: &mut AsyncPgConnection,
    events: &[Event],
    request: &IntakeRequest<'_>,
) -> Result<TakenIn, StoreError> {
    let seed = request.delivery_id_seed.simple().to_string();
    let statement = TakeIn {
        ids: events.iter().map(|e| e.id.0).collect(),
        event_types: events.iter().map(|e| e.event_type.as_str()).collect(),
        environments: events.iter().map(|e| e.environment.as_str()).collect(),
        timestamps: events.iter().map(|e| e.timestamp).collect(),
        bodies: events.iter().map(|e| e.body.as_ref()).collect(),
        test_for: events.iter().map(|e| Some(e.test_for?.0)).collect(),
        lanes: request.lanes.iter().map(|l| l.webhook_id.0).collect(),
        free: request.lanes.iter().map(|l| l.first_attempts).collect(),
        id_start: &seed[..24],
        default_free: request.default_free,
        lease_until: request.lease_until,
        created_at: time_of(request.delivery_id_seed),
    };
    let transaction = async |connection: &mut AsyncPgConnection| {
        let rows: Vec<Row> = statement.load(connection).await?;
        let (taken_in, keyed) = sort_out(rows, events);
        if !keyed.is_empty() {
            set_keys(connection, &keyed).await?;
        }
        Ok(taken_in)
    };
    connection.transaction(transaction).await
}

type Row = (
    (Uuid, Uuid, Uuid),
    (i64, Option<i32>, Option<String>, String),
);

/// Tells apart what is ours, what waits, and what is held with the key that it is held by.
fn sort_out(rows: Vec<Row>, events: &[Event]) -> (TakenIn, Vec<KeyedDelivery>) {
    let (mut taken_in, mut keyed) = (TakenIn::default(), Vec::new());
    let mut by_id: HashMap<Uuid, &Event> = HashMap::new();
    for ((id, event_id, webhook_id), (webhook_version, max_concurrency, field, place)) in rows {
        let webhook_id = WebhookId(webhook_id);
        if let Some(field) = field {
            if by_id.is_empty() {
                by_id.extend(events.iter().map(|event| (event.id.0, event)));
            }
            let key = OrderingKey::of(by_id[&event_id], &field);
            let delivery = DeliveryId(id);
            taken_in.ordered.extend(key.map(|key| (webhook_id, key)));
            taken_in.waiting += usize::from(key.is_none());
            keyed.push(KeyedDelivery { delivery, key });
        } else if place == "leased" {
            taken_in.leased.push(OwedDelivery {
                id: DeliveryId(id),
                event_id: EventId(event_id),
                webhook_id,
                webhook_version,
                max_concurrency,
            });
        } else {
            taken_in.waiting += 1;
        }
    }
    (taken_in, keyed)
}
