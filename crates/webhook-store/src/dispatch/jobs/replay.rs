//! A step of a job that sends a webhook events that it missed: they are of its environment and of
//! types that it wants, and it was never owed them.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Bytea, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use serde_json::{Value, json};
use uuid::Uuid;
use webhook_domain::{DeliveryId, Event, EventId, EventType, JobId, OrderingKey, WebhookId};

use super::{Job, Step};
use crate::StoreError;
use crate::error::{name, unreadable};
use crate::ids::time_of;
use crate::ordering::{KeyedDelivery, Turns, set_keys};
use crate::schema::webhooks;
use crate::statement::statement;

/// Events that a webhook missed.
#[derive(Debug, Clone)]
pub struct Replay {
    /// Which webhook.
    pub webhook_id: WebhookId,
    /// Of which types.
    pub event_types: Vec<EventType>,
    /// Not taken in before this time.
    pub since: DateTime<Utc>,
    /// Taken in before this time.
    pub until: DateTime<Utc>,
}

impl Replay {
    fn types(&self) -> Vec<&'static str> {
        self.event_types.iter().map(|t| t.as_str()).collect()
    }
}

/// How many events a step looks at for each that it may make due: most may have been delivered.
const LOOKED_AT: i64 = 20;

/// Counts the events that a webhook missed.
pub(super) async fn count_missed(
    connection: &mut AsyncPgConnection,
    replay: &Replay,
) -> Result<i64, StoreError> {
    #[derive(QueryableByName)]
    struct Counted {
        #[diesel(sql_type = BigInt)]
        count: i64,
    }
    let counted: Counted = diesel::sql_query(
        "SELECT count(*) AS count
         FROM webhooks JOIN events ON events.environment = webhooks.environment
         WHERE webhooks.id = $1 AND event_type = ANY($2) AND matched IN (false, true)
           AND received_at >= $3 AND received_at < $4 AND test_webhook_id IS NULL
           AND NOT EXISTS (SELECT FROM deliveries
                           WHERE event_id = events.id AND webhook_id = webhooks.id)",
    )
    .bind::<SqlUuid, _>(replay.webhook_id.0)
    .bind::<Array<Text>, _>(replay.types())
    .bind::<Timestamptz, _>(replay.since)
    .bind::<Timestamptz, _>(replay.until)
    .get_result(connection)
    .await?;
    Ok(counted.count)
}

/// Where a replay got to.
type Position = (DateTime<Utc>, Uuid);

/// Makes the next ones due, the oldest first.
pub(super) async fn step(
    connection: &mut AsyncPgConnection,
    job: &Job,
    replay: &Replay,
    position: Option<Value>,
) -> Result<Step, StoreError> {
    let after: Position = match position {
        Some(position) => serde_json::from_value(position).map_err(unreadable)?,
        None => (replay.since, Uuid::nil()),
    };
    let limit = i64::from(job.rate.step()) * LOOKED_AT;
    // Of two replays for one webhook the later one sees what the other has made due: no index spans
    // what is pending and what has ended.
    let webhook = webhooks::table
        .find(crate::column_types::bind(replay.webhook_id))
        .select(webhooks::id);
    let _: Option<WebhookId> = webhook
        .for_no_key_update()
        .first(connection)
        .await
        .optional()?;
    let looked_at = look_at(connection, replay, after, limit).await?;
    let most = usize::from(job.rate.step());
    let missed: Vec<&Candidate> = looked_at.iter().filter(|c| c.missed).take(most).collect();
    let end = i64::try_from(looked_at.len()).is_ok_and(|count| count < limit);
    let last = match missed.last() {
        // There may be more among those that were looked at.
        Some(last) if missed.len() == most => Some(*last),
        _ => looked_at.last().filter(|_| !end),
    };
    let owed = owe(connection, job, replay, &missed).await?;
    Ok(Step {
        done: owed.count,
        skipped: missed.len() - owed.count,
        position: last.map(|last| json!((last.received_at, last.id))),
        turns: owed.turns,
    })
}

#[derive(QueryableByName)]
struct Candidate {
    #[diesel(sql_type = SqlUuid)]
    id: Uuid,
    #[diesel(sql_type = Timestamptz)]
    received_at: DateTime<Utc>,
    #[diesel(sql_type = diesel::sql_types::Bool)]
    missed: bool,
}

async fn look_at(
    connection: &mut AsyncPgConnection,
    replay: &Replay,
    (after, after_id): Position,
    limit: i64,
) -> Result<Vec<Candidate>, StoreError> {
    let next = diesel::sql_query(
        "SELECT id, received_at, NOT EXISTS (
             SELECT FROM deliveries WHERE event_id = event.id AND webhook_id = $1
         ) AS missed
         FROM (
             SELECT row.* FROM webhooks, unnest($2) AS wanted (event_type),
                 (VALUES (false), (true)) AS groups (matched)
             CROSS JOIN LATERAL (
                 SELECT id, received_at FROM events
                 WHERE event_type = wanted.event_type AND environment = webhooks.environment
                   AND matched = groups.matched AND test_webhook_id IS NULL
                   AND (received_at, id) > ($3, $4) AND received_at < $5
                 ORDER BY received_at, id LIMIT $6
             ) AS row
             WHERE webhooks.id = $1
             ORDER BY row.received_at, row.id LIMIT $6
         ) AS event
         ORDER BY received_at, id",
    );
    let rows = next
        .bind::<SqlUuid, _>(replay.webhook_id.0)
        .bind::<Array<Text>, _>(replay.types())
        .bind::<Timestamptz, _>(after)
        .bind::<SqlUuid, _>(after_id)
        .bind::<Timestamptz, _>(replay.until)
        .bind::<BigInt, _>(limit);
    Ok(rows.load(connection).await?)
}

/// What was written for a step.
#[derive(Default)]
struct Owed {
    count: usize,
    turns: Turns,
}

statement! {
    /// Like an intake, for one webhook as it is now. Deliveries wait among the retries, so that
    /// live ones go on beside them; what is ordered is held.
    Owe<'a> -> (SqlUuid, SqlUuid, Nullable<Text>, Text, Text, Timestamptz, Nullable<Bytea>) {
        "WITH given AS (
            SELECT id AS webhook_id, ordering_field FROM webhooks
            WHERE status = 'active' AND id = ", webhook_id: Uuid => SqlUuid,
        "), kept AS (
            -- Held, so that nobody removes what becomes owed here.
            SELECT events.* FROM unnest(", event_ids: Vec<Uuid> => Array<SqlUuid>,
        ") WITH ORDINALITY AS wanted (id, place) JOIN events USING (id)
            ORDER BY place FOR KEY SHARE OF events
        ), owed AS (
            INSERT INTO deliveries_pending (id, event_id, webhook_id, event_type, environment, created_at,
                next_attempt_at, backlog, ordering_sequence)
            SELECT (", id_start: &'a str => Text,
        " || lpad(to_hex(row_number() OVER ()), 8, '0'))::uuid,
                kept.id, webhook_id, event_type::event_type, environment::environment, ",
            created_at: DateTime<Utc> => Timestamptz,
        ", CASE WHEN ordering_field IS NULL THEN now() END,
                CASE WHEN ordering_field IS NULL THEN 1 END,
                CASE WHEN ordering_field IS NOT NULL THEN nextval('deliveries_ordering') END
            FROM given, kept
            RETURNING id, event_id
        ), noted AS (
            INSERT INTO resends (delivery_id, after_attempt, status_before, actor_name, job_id)
            SELECT id, 0, 'missed', ", actor_name: &'a str => Text,
        ", ", job_id: Uuid => SqlUuid,
        " FROM owed
        )
        SELECT owed.id, event_id, ordering_field, event_type, environment, occurred_at,
               CASE WHEN ordering_field IS NOT NULL THEN body END
        FROM given, owed JOIN kept ON kept.id = event_id"
    }
}

type OwedRow = (
    Uuid,
    Uuid,
    Option<String>,
    String,
    String,
    DateTime<Utc>,
    Option<Vec<u8>>,
);

async fn owe(
    connection: &mut AsyncPgConnection,
    job: &Job,
    replay: &Replay,
    missed: &[&Candidate],
) -> Result<Owed, StoreError> {
    if missed.is_empty() {
        return Ok(Owed::default());
    }
    let seed = Uuid::now_v7();
    let id_start = seed.simple().to_string();
    let JobId(job_id) = job.id;
    let statement = Owe {
        webhook_id: replay.webhook_id.0,
        id_start: &id_start[..24],
        created_at: time_of(seed),
        event_ids: missed.iter().map(|candidate| candidate.id).collect(),
        actor_name: &job.actor_name,
        job_id,
    };
    let rows: Vec<OwedRow> = statement.load(connection).await?;
    let mut owed = Owed {
        count: rows.len(),
        turns: Turns::default(),
    };
    let mut keyed = Vec::new();
    for (id, event_id, field, event_type, environment, timestamp, body) in rows {
        let (Some(field), Some(body)) = (field, body) else {
            continue;
        };
        let event = Event {
            id: EventId(event_id),
            event_type: name(&event_type)?,
            environment: name(&environment)?,
            timestamp,
            test_for: None,
            body: body.into(),
        };
        let key = OrderingKey::of(&event, &field);
        owed.turns.add(replay.webhook_id, key);
        keyed.push(KeyedDelivery {
            delivery: DeliveryId(id),
            key,
        });
    }
    if !keyed.is_empty() {
        set_keys(connection, &keyed).await?;
    }
    Ok(owed)
}
