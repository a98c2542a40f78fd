//! A step of a replay, the job that creates deliveries of missed events.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Bool, Bytea, Nullable, Text, Timestamptz};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use serde_json::{Value, json};
use uuid::Uuid;
use webhook_domain::{
    DeliveryId, Environment, Event, EventId, EventType, JobId, OrderingKey, WebhookId,
};

use super::step::Step;
use crate::StoreError;
use crate::column_types::{Id, Named, bind};
use crate::dispatch::ordering::{KeyedDelivery, Turns, set_keys};
use crate::error::unreadable;
use crate::ids::time_of;
use crate::schema::webhooks;
use crate::sql::{Columns, row, sql};
use crate::tables::jobs::{Job, Replay};

/// The number of events looked at for each delivery of a step: most events of a span of time may have
/// been delivered.
const EVENTS_PER_DELIVERY: i64 = 20;

/// The place of an event in the order of a replay.
type Position = (DateTime<Utc>, EventId);

/// Creates the next deliveries, oldest first.
pub(super) async fn step(
    connection: &mut AsyncPgConnection,
    job: &Job,
    replay: &Replay,
    position: Option<Value>,
) -> Result<Step, StoreError> {
    let after: Position = match position {
        Some(position) => serde_json::from_value(position).map_err(unreadable)?,
        None => (replay.since, EventId(Uuid::nil())),
    };
    lock_webhook(connection, replay.webhook_id).await?;
    let limit = i64::from(job.rate.step()) * EVENTS_PER_DELIVERY;
    let candidates = list_candidates(connection, replay, after, limit).await?;
    let most = usize::from(job.rate.step());
    let missed: Vec<&Candidate> = candidates.iter().filter(|c| c.missed).take(most).collect();
    let is_last_step = i64::try_from(candidates.len()).is_ok_and(|count| count < limit);
    let last = match missed.last() {
        // The next step looks at the remaining candidates again.
        Some(last) if missed.len() == most => Some(*last),
        _ => candidates.last().filter(|_| !is_last_step),
    };
    let owed = owe(connection, job, replay, &missed).await?;
    Ok(Step {
        done: owed.count,
        skipped: missed.len() - owed.count,
        position: last.map(|last| json!((last.received_at, last.id))),
        turns: owed.turns,
    })
}

/// Makes other replays for a webhook wait until the transaction ends.
async fn lock_webhook(connection: &mut AsyncPgConnection, id: WebhookId) -> Result<(), StoreError> {
    // No unique index spans pending and ended deliveries, so two replays at once could create the same
    // delivery twice.
    let webhook = webhooks::table.find(bind(id)).select(webhooks::id);
    let locked: Result<WebhookId, _> = webhook.for_no_key_update().first(connection).await;
    locked.optional()?;
    Ok(())
}

row! {
    /// An event of the replay, missed by the webhook or not.
    struct Candidate {
        id: EventId as Id<EventId>,
        received_at: DateTime<Utc> as Timestamptz,
        missed: bool as Bool,
    }
}

sql! {
    struct ListCandidates<'a> from "list_candidates.sql" -> Columns<Candidate> {
        1 webhook_id: WebhookId as Id<WebhookId>,
        2 event_types: &'a [EventType] as Array<Named<EventType>>,
        3 after: DateTime<Utc> as Timestamptz,
        4 after_id: EventId as Id<EventId>,
        5 until: DateTime<Utc> as Timestamptz,
        6 limit: i64 as BigInt,
    }
}

async fn list_candidates(
    connection: &mut AsyncPgConnection,
    replay: &Replay,
    (after, after_id): Position,
    limit: i64,
) -> Result<Vec<Candidate>, StoreError> {
    let statement = ListCandidates {
        webhook_id: replay.webhook_id,
        event_types: &replay.event_types,
        after,
        after_id,
        until: replay.until,
        limit,
    };
    Ok(statement.load(connection).await?)
}

/// The created deliveries of a step.
#[derive(Default)]
struct OwedDeliveries {
    count: usize,
    turns: Turns,
}

row! {
    /// A created delivery. Only a webhook with an ordering field brings the event's body.
    struct OwedRow {
        id: DeliveryId as Id<DeliveryId>,
        event_id: EventId as Id<EventId>,
        ordering_field: Option<String> as Nullable<Text>,
        event_type: EventType as Named<EventType>,
        environment: Environment as Named<Environment>,
        occurred_at: DateTime<Utc> as Timestamptz,
        body: Option<Vec<u8>> as Nullable<Bytea>,
    }
}

impl OwedRow {
    /// The ordering key. The outer `None`: the webhook has no ordering field.
    fn key(self) -> Option<Option<OrderingKey>> {
        let (Some(field), Some(body)) = (self.ordering_field, self.body) else {
            return None;
        };
        let event = Event {
            id: self.event_id,
            event_type: self.event_type,
            environment: self.environment,
            timestamp: self.occurred_at,
            test_for: None,
            trace: None,
            body: body.into(),
        };
        Some(OrderingKey::of(&event, &field))
    }
}

sql! {
    struct OweMissed<'a> from "owe_missed.sql" -> Columns<OwedRow> {
        1 webhook_id: WebhookId as Id<WebhookId>,
        2 event_ids: Vec<EventId> as Array<Id<EventId>>,
        3 id_start: &'a str as Text,
        4 created_at: DateTime<Utc> as Timestamptz,
        5 actor_name: &'a str as Text,
        6 job_id: JobId as Id<JobId>,
    }
}

async fn owe(
    connection: &mut AsyncPgConnection,
    job: &Job,
    replay: &Replay,
    missed: &[&Candidate],
) -> Result<OwedDeliveries, StoreError> {
    if missed.is_empty() {
        return Ok(OwedDeliveries::default());
    }
    // The first 24 digits hold time and randomness, the statement counts the last 8.
    let seed = Uuid::now_v7();
    let id_start = seed.simple().to_string();
    let statement = OweMissed {
        webhook_id: replay.webhook_id,
        event_ids: missed.iter().map(|candidate| candidate.id).collect(),
        id_start: &id_start[..24],
        created_at: time_of(seed),
        actor_name: &job.actor_name,
        job_id: job.id,
    };
    let rows: Vec<OwedRow> = statement.load(connection).await?;
    Ok(OwedDeliveries {
        count: rows.len(),
        turns: write_keys(connection, replay.webhook_id, rows).await?,
    })
}

/// Computes and writes the ordering keys of created deliveries.
async fn write_keys(
    connection: &mut AsyncPgConnection,
    webhook_id: WebhookId,
    rows: Vec<OwedRow>,
) -> Result<Turns, StoreError> {
    let mut turns = Turns::default();
    let mut keyed = Vec::new();
    for row in rows {
        let delivery = row.id;
        if let Some(key) = row.key() {
            turns.add(webhook_id, key);
            keyed.push(KeyedDelivery { delivery, key });
        }
    }
    // Keys are hashes made in Rust, so they are written by a second statement.
    if !keyed.is_empty() {
        set_keys(connection, &keyed).await?;
    }
    Ok(turns)
}
