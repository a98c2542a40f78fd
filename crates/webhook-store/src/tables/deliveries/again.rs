//! Deliveries that an admin asks for again, or wants no more.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::{Array, Nullable, Text, Uuid as SqlUuid};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use uuid::Uuid;
use webhook_domain::{DeliveryId, DeliveryStatus, JobId, OrderingKey, WebhookId};

use super::move_to_ended;
use crate::StoreError;
use crate::ordering::Turns;
use crate::statement::statement;

/// Deliveries that are asked for again.
#[derive(Debug)]
pub struct Again<'a> {
    /// Which, and the status that each is known to be in: another one is left alone.
    pub deliveries: &'a [(DeliveryId, DeliveryStatus)],
    /// Who asks for it, by name.
    pub actor_name: &'a str,
    /// By which job, if by one.
    pub job_id: Option<JobId>,
}

/// What was made due.
#[derive(Debug, Default)]
pub struct Due {
    /// These deliveries.
    pub ids: Vec<DeliveryId>,
    /// The keys of those that are ordered.
    pub turns: Turns,
}

statement! {
    /// One that had ended begins its schedule anew; one that waits for its retry goes on with it
    /// at once. Both wait among the retries. What is ordered waits for its turn.
    ///
    /// Left alone is what cannot be sent: the event's body is not kept any more, or its webhook is
    /// not Active. Its event is held meanwhile, so that nobody removes it. Left alone is also what
    /// was not tried yet: it is on its way, and to take it from its worker would send it twice.
    MakeDue<'a> -> (SqlUuid, SqlUuid, Nullable<SqlUuid>) {
        "WITH wanted AS (
            SELECT * FROM unnest(", ids: Vec<Uuid> => Array<SqlUuid>,
        ", ", statuses: Vec<&'a str> => Array<Text>,
        ") AS wanted (id, status)
        ), kept AS (
            SELECT id FROM events WHERE id = ANY(ARRAY(
                SELECT event_id FROM deliveries WHERE id = ANY(ARRAY(SELECT id FROM wanted))
            )) FOR KEY SHARE
        ), ended AS (
            DELETE FROM deliveries_ended AS delivery USING wanted
            WHERE delivery.id = ANY(ARRAY(SELECT id FROM wanted))
              AND delivery.id = wanted.id AND delivery.status = wanted.status::delivery_status
              AND event_id IN (SELECT id FROM kept)
              AND EXISTS (SELECT FROM webhooks
                          WHERE webhooks.id = webhook_id AND webhooks.status = 'active')
            RETURNING delivery.*
        ), moved AS (
            INSERT INTO deliveries_pending (id, event_id, webhook_id, event_type, environment, test,
                attempts, last_answer, schedule_from, schedule_since, ordering_key,
                ordering_sequence, created_at, next_attempt_at, backlog)
            SELECT id, event_id, webhook_id, event_type, environment, test,
                attempts, last_answer, attempts, now(), ordering_key,
                ordering_sequence, created_at,
                CASE WHEN ordering_key IS NULL THEN now() END,
                CASE WHEN ordering_key IS NULL THEN 1 END
            FROM ended
        ), hurried AS (
            UPDATE deliveries_pending AS delivery SET
                next_attempt_at = CASE WHEN ordering_key IS NULL OR next_attempt_at IS NOT NULL
                    THEN now() END,
                backlog = CASE WHEN ordering_key IS NULL OR next_attempt_at IS NOT NULL THEN 1 END
            FROM wanted
            WHERE delivery.id = ANY(ARRAY(SELECT id FROM wanted))
              AND delivery.id = wanted.id AND wanted.status = 'pending' AND attempts > 0
              AND event_id IN (SELECT id FROM kept)
              AND EXISTS (SELECT FROM webhooks
                          WHERE webhooks.id = webhook_id AND webhooks.status = 'active')
            RETURNING delivery.*
        ), due AS (
            SELECT id, webhook_id, ordering_key, attempts, status FROM ended
            UNION ALL
            SELECT id, webhook_id, ordering_key, attempts, status FROM hurried
        ), noted AS (
            INSERT INTO resends (delivery_id, after_attempt, status_before, actor_name, job_id)
            SELECT id, attempts, status, ", actor_name: &'a str => Text,
        ", ", job_id: Option<Uuid> => Nullable<SqlUuid>,
        " FROM due
        )
        SELECT id, webhook_id, ordering_key FROM due"
    }
}

/// Makes deliveries due, whatever they were, and writes down who asked for it.
pub async fn make_due(
    connection: &mut AsyncPgConnection,
    again: &Again<'_>,
) -> Result<Due, StoreError> {
    let (ids, statuses) = again
        .deliveries
        .iter()
        .map(|(id, status)| (id.0, status.as_str()))
        .unzip();
    let statement = MakeDue {
        ids,
        statuses,
        actor_name: again.actor_name,
        job_id: again.job_id.map(|id| id.0),
    };
    let rows: Vec<(Uuid, Uuid, Option<Uuid>)> = statement.load(connection).await?;
    let mut due = Due::default();
    for (id, webhook_id, key) in rows {
        due.ids.push(DeliveryId(id));
        due.turns.add(WebhookId(webhook_id), key.map(OrderingKey));
    }
    Ok(due)
}

statement! {
    Cancel<'a> -> (SqlUuid, Nullable<SqlUuid>) {
        "WITH gone AS (DELETE FROM deliveries_pending WHERE id = ", id: &'a Uuid => SqlUuid,
        concat!(" RETURNING *
        ), moved AS (
            ", move_to_ended!("gone", "'cancelled'", "attempts", "last_answer"), "
        )
        SELECT webhook_id, ordering_key FROM gone")
    }
}

/// Cancels a pending delivery. An attempt that is running ends, and is recorded; it changes nothing
/// any more. `None`: it is not pending.
pub async fn cancel(
    connection: &mut AsyncPgConnection,
    id: DeliveryId,
) -> Result<Option<Turns>, StoreError> {
    let cancelled: Option<(Uuid, Option<Uuid>)> = Cancel { id: &id.0 }
        .get_result(connection)
        .await
        .optional()?;
    Ok(cancelled.map(|(webhook_id, key)| {
        let mut turns = Turns::default();
        turns.add(WebhookId(webhook_id), key.map(OrderingKey));
        turns
    }))
}

/// When and by whom a delivery was asked for again.
#[derive(Debug, Clone, Queryable, Selectable)]
#[diesel(table_name = crate::schema::resends, check_for_backend(diesel::pg::Pg))]
pub struct Resend {
    /// When.
    pub requested_at: DateTime<Utc>,
    /// After how many attempts.
    pub after_attempt: i32,
    /// What it was then: `succeeded`, and it is a resend.
    pub status_before: String,
    /// By whom.
    pub actor_name: String,
    /// By which job, if by one.
    pub job_id: Option<JobId>,
}

/// Lists when a delivery was asked for again, in order.
pub async fn list_resends(
    connection: &mut AsyncPgConnection,
    id: DeliveryId,
) -> Result<Vec<Resend>, StoreError> {
    use crate::schema::resends::dsl;
    let resends = dsl::resends
        .filter(dsl::delivery_id.eq(crate::column_types::bind(id)))
        .order(dsl::requested_at)
        .select(Resend::as_select());
    Ok(resends.load(connection).await?)
}
