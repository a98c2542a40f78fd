//! Table `deliveries`, as the API reads it and admins act on it.

use bytes::Bytes;
use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::{
    BigInt, Bool, Bytea, Integer, Nullable, SmallInt, Text, Timestamptz, Uuid as SqlUuid,
};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use uuid::Uuid;
use webhook_domain::{
    DeliveryId, DeliveryStatus, Environment, EventId, EventType, LastAnswer, WebhookId,
};

use crate::statement::statement;
use crate::{StoreError, error::name};

mod again;
mod list;

pub use again::{Again, Due, Resend, cancel, list_resends, make_due};
pub use list::{DeliveryFilter, Order, Place, count, list};

/// A delivery.
#[derive(Debug, Clone)]
pub struct DeliveryRow {
    /// Its id.
    pub id: DeliveryId,
    /// What is delivered.
    pub event_id: EventId,
    /// To whom.
    pub webhook_id: WebhookId,
    /// What that is called, deleted or not.
    pub webhook_name: String,
    /// The event's type.
    pub event_type: EventType,
    /// The event's environment.
    pub environment: Environment,
    /// Whether it is a test event, for this webhook only.
    pub test: bool,
    /// Where it stands.
    pub status: DeliveryStatus,
    /// What its latest attempt got.
    pub last_answer: LastAnswer,
    /// How many attempts were recorded.
    pub attempts: i32,
    /// How many of them its schedule does not count: those before it began anew, as somebody asked
    /// for the delivery again, and those since that were answered 429 and cost none.
    pub schedule_from: i32,
    /// When it is tried next, while it is pending.
    pub next_attempt_at: Option<DateTime<Utc>>,
    /// When it was owed.
    pub created_at: DateTime<Utc>,
    /// When it ended.
    pub ended_at: Option<DateTime<Utc>>,
}

/// What a row is read from.
macro_rules! columns {
    () => {
        "deliveries.id, event_id, webhook_id, webhooks.name AS webhook_name,
         deliveries.event_type::text, deliveries.environment::text, test, deliveries.status::text,
         last_answer, attempts, schedule_from, next_attempt_at, deliveries.created_at, ended_at"
    };
}

pub(crate) use columns;

#[derive(QueryableByName)]
#[diesel(check_for_backend(diesel::pg::Pg))]
struct Row {
    #[diesel(sql_type = SqlUuid)]
    id: Uuid,
    #[diesel(sql_type = SqlUuid)]
    event_id: Uuid,
    #[diesel(sql_type = SqlUuid)]
    webhook_id: Uuid,
    #[diesel(sql_type = Text)]
    webhook_name: String,
    #[diesel(sql_type = Text)]
    event_type: String,
    #[diesel(sql_type = Text)]
    environment: String,
    #[diesel(sql_type = Bool)]
    test: bool,
    #[diesel(sql_type = Text)]
    status: String,
    #[diesel(sql_type = SmallInt)]
    last_answer: i16,
    #[diesel(sql_type = Integer)]
    attempts: i32,
    #[diesel(sql_type = Integer)]
    schedule_from: i32,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    next_attempt_at: Option<DateTime<Utc>>,
    #[diesel(sql_type = Timestamptz)]
    created_at: DateTime<Utc>,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    ended_at: Option<DateTime<Utc>>,
}

impl Row {
    fn read(self) -> Result<DeliveryRow, StoreError> {
        Ok(DeliveryRow {
            id: DeliveryId(self.id),
            event_id: EventId(self.event_id),
            webhook_id: WebhookId(self.webhook_id),
            webhook_name: self.webhook_name,
            event_type: name(&self.event_type)?,
            environment: name(&self.environment)?,
            test: self.test,
            status: name(&self.status)?,
            last_answer: LastAnswer::from_code(self.last_answer),
            attempts: self.attempts,
            schedule_from: self.schedule_from,
            next_attempt_at: self.next_attempt_at,
            created_at: self.created_at,
            ended_at: self.ended_at,
        })
    }
}

/// Finds a delivery.
pub async fn find(
    connection: &mut AsyncPgConnection,
    id: DeliveryId,
) -> Result<Option<DeliveryRow>, StoreError> {
    let by_id = concat!(
        "SELECT ",
        columns!(),
        " FROM deliveries JOIN webhooks ON webhooks.id = webhook_id
         WHERE deliveries.id = $1"
    );
    let query = diesel::sql_query(by_id).bind::<SqlUuid, _>(id.0);
    let row: Option<Row> = query.get_result(connection).await.optional()?;
    row.map(Row::read).transpose()
}

/// Finds the delivery of an event to a webhook.
pub async fn find_by_event(
    connection: &mut AsyncPgConnection,
    event_id: EventId,
    webhook_id: WebhookId,
) -> Result<Option<DeliveryRow>, StoreError> {
    let by_event = concat!(
        "SELECT ",
        columns!(),
        " FROM deliveries JOIN webhooks ON webhooks.id = webhook_id
         WHERE event_id = $1 AND webhook_id = $2"
    );
    let query = diesel::sql_query(by_event)
        .bind::<SqlUuid, _>(event_id.0)
        .bind::<SqlUuid, _>(webhook_id.0);
    let row: Option<Row> = query.get_result(connection).await.optional()?;
    row.map(Row::read).transpose()
}

/// Writes what the statement has taken out of `deliveries_pending` to where what has ended lies.
/// `$from`: its name there; the others: what has become of it.
///
/// An event that is published again after it was removed as old, while the delivery of its first time
/// is kept still, has that delivery there: the new one leaves no row, as an event seen before leaves
/// none.
macro_rules! move_to_ended {
    ($from:literal, $status:literal, $attempts:literal, $last_answer:literal) => {
        concat!(
            "INSERT INTO deliveries_ended (id, event_id, webhook_id, event_type, environment, test,
                schedule_from, ordering_key, ordering_sequence, created_at, ended_at,
                status, attempts, last_answer)
            SELECT id, event_id, webhook_id, event_type, environment, test,
                schedule_from, ordering_key, ordering_sequence, created_at, now(), ",
            $status,
            ", ",
            $attempts,
            ", ",
            $last_answer,
            " FROM ",
            $from,
            " ON CONFLICT (event_id, webhook_id) DO NOTHING"
        )
    };
}

pub(crate) use move_to_ended;

statement! {
    FindSentBody<'a> -> Bytea {
        "SELECT body FROM events WHERE id = coalesce(
            (SELECT id FROM events WHERE id = ", event_id: &'a Option<Uuid> => Nullable<SqlUuid>,
        "), (SELECT event_id FROM deliveries WHERE id = ", delivery_id: &'a Option<Uuid> => Nullable<SqlUuid>,
        "))"
    }
}

/// Finds what was sent for an event, or else for a delivery.
pub async fn find_sent_body(
    connection: &mut AsyncPgConnection,
    event_id: Option<EventId>,
    delivery_id: Option<DeliveryId>,
) -> Result<Option<Bytes>, StoreError> {
    let statement = FindSentBody {
        event_id: &event_id.map(|id| id.0),
        delivery_id: &delivery_id.map(|id| id.0),
    };
    let body: Option<Vec<u8>> = statement.get_result(connection).await.optional()?;
    Ok(body.map(Bytes::from))
}

statement! {
    /// What another worker is moving on at this moment is left to a later call.
    CancelPending<'a> -> diesel::sql_types::Untyped {
        "WITH gone AS (
            DELETE FROM deliveries_pending WHERE id = ANY(ARRAY(
                SELECT id FROM deliveries_pending
                WHERE webhook_id = ", webhook_id: &'a Uuid => SqlUuid,
        " LIMIT ", limit: i64 => BigInt,
        concat!(" FOR UPDATE SKIP LOCKED))
            RETURNING *
        ) ", move_to_ended!("gone", "'cancelled'", "attempts", "last_answer"))
    }
}

statement! {
    CountPending<'a> -> BigInt {
        "SELECT count(*) FROM (SELECT FROM deliveries_pending
            WHERE webhook_id = ", webhook_id: &'a Uuid => SqlUuid,
        " LIMIT ", limit: i64 => BigInt,
        ") AS counted"
    }
}

/// Counts what is pending for a webhook, up to `limit`.
pub async fn count_pending(
    connection: &mut AsyncPgConnection,
    webhook_id: WebhookId,
    limit: i64,
) -> Result<usize, StoreError> {
    let statement = CountPending {
        webhook_id: &webhook_id.0,
        limit,
    };
    let count: i64 = statement.get_result(connection).await?;
    Ok(usize::try_from(count).unwrap_or_default())
}

statement! {
    /// One look into the index for each kind of backlog, however much there is.
    FindOldestDue<'a> -> Nullable<Timestamptz> {
        "SELECT least(
            (SELECT min(next_attempt_at) FROM deliveries_pending WHERE backlog = 0 AND webhook_id = ",
        webhook_id: &'a Uuid => SqlUuid,
        "), (SELECT min(next_attempt_at) FROM deliveries_pending WHERE backlog = 1 AND webhook_id = ",
        same_webhook_id: &'a Uuid => SqlUuid,
        "))"
    }
}

/// Since when the delivery of a webhook is due that waits for room the longest. `None`: none waits.
pub async fn find_oldest_due(
    connection: &mut AsyncPgConnection,
    webhook_id: WebhookId,
) -> Result<Option<DateTime<Utc>>, StoreError> {
    let statement = FindOldestDue {
        webhook_id: &webhook_id.0,
        same_webhook_id: &webhook_id.0,
    };
    Ok(statement.get_result(connection).await?)
}

/// Cancels what is pending for a webhook, up to `limit`. Tells how many were.
pub async fn cancel_pending(
    connection: &mut AsyncPgConnection,
    webhook_id: WebhookId,
    limit: i64,
) -> Result<usize, StoreError> {
    let webhook_id = &webhook_id.0;
    let statement = CancelPending { webhook_id, limit };
    Ok(statement.execute(connection).await?)
}

statement! {
    ListDeletedWithPending<'a> -> SqlUuid {
        "SELECT id FROM webhooks WHERE deleted_at IS NOT NULL
           AND EXISTS (SELECT FROM deliveries_pending WHERE webhook_id = webhooks.id)
         LIMIT ", limit: &'a i64 => BigInt, ""
    }
}

/// Of the webhooks that were deleted, those that still have something pending, up to `limit`.
pub async fn list_deleted_with_pending(
    connection: &mut AsyncPgConnection,
    limit: i64,
) -> Result<Vec<WebhookId>, StoreError> {
    let ids: Vec<Uuid> = ListDeletedWithPending { limit: &limit }
        .load(connection)
        .await?;
    Ok(ids.into_iter().map(WebhookId).collect())
}
