//! Table `attempts`: every request that was made, and what it means for its delivery.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::{
    Array, Bool, Bytea, Integer, Nullable, Text, Timestamptz, Uuid as SqlUuid,
};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use uuid::Uuid;
use webhook_domain::{DeliveryId, FailureClass, StatusEvent, WebhookId};

use crate::StoreError;
use crate::error::name;
use crate::schema::attempts;
use crate::statement::statement;

/// One HTTP request made for a delivery.
#[derive(Debug, Clone)]
pub struct Attempt {
    /// For which delivery.
    pub delivery_id: DeliveryId,
    /// Its number, from 1.
    pub number: i32,
    /// When it began.
    pub started_at: DateTime<Utc>,
    /// How long it took, in milliseconds.
    pub duration_ms: i32,
    /// The answer's status, if there was an answer.
    pub response_status: Option<i32>,
    /// The answer's headers of interest.
    pub response_headers: Vec<(String, String)>,
    /// The first 16 KiB of the answer's body.
    pub response_body: Vec<u8>,
    /// Whether there was more.
    pub response_body_truncated: bool,
    /// Why it failed, if it did.
    pub failure_class: Option<FailureClass>,
    /// The failure in words.
    pub failure_detail: Option<String>,
}

/// What a delivery becomes by an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NextState {
    /// It was accepted.
    Succeeded,
    /// It is tried again at this time.
    RetryAt(DateTime<Utc>),
    /// It was given up.
    Failed,
}

/// An attempt and its consequence.
#[derive(Debug, Clone)]
pub struct AttemptResult {
    /// What was done.
    pub attempt: Attempt,
    /// What follows.
    pub next: NextState,
    /// Whose delivery it is.
    pub webhook_id: WebhookId,
    /// Until when the delivery was ours.
    pub lease_until: DateTime<Utc>,
    /// What is told to the platform's services if it follows.
    pub status_event: Option<StatusEvent>,
}

statement! {
    /// Attempts are kept either way; a delivery moves only if nobody recorded this number before.
    /// One that is ordered moves only while its lease is ours: another worker that has taken it
    /// may still send it, and the next of its key must not go first.
    ///
    /// Webhooks are counted in their order, so that two workers wait for each other and not for
    /// ever, see [`activity`](crate::activity).
    ///
    /// Tells which of the webhooks are failing, so that nobody needs to ask for healthy ones.
    Record<'a> -> SqlUuid {
        "WITH result AS (SELECT * FROM unnest(", delivery_ids: Vec<Uuid> => Array<SqlUuid>,
        ", ", numbers: Vec<i32> => Array<Integer>,
        ", ", started: Vec<DateTime<Utc>> => Array<Timestamptz>,
        ", ", durations: Vec<i32> => Array<Integer>,
        ", ", statuses: Vec<Option<i32>> => Array<Nullable<Integer>>,
        ", ", headers: Vec<String> => Array<Text>,
        ", ", bodies: Vec<&'a [u8]> => Array<Bytea>,
        ", ", truncated: Vec<bool> => Array<Bool>,
        ", ", classes: Vec<Option<&'a str>> => Array<Nullable<Text>>,
        ", ", details: Vec<Option<&'a str>> => Array<Nullable<Text>>,
        ", ", next_statuses: Vec<&'a str> => Array<Text>,
        ", ", next_times: Vec<Option<DateTime<Utc>>> => Array<Nullable<Timestamptz>>,
        ", ", webhook_ids: Vec<Uuid> => Array<SqlUuid>,
        ", ", leases: Vec<DateTime<Utc>> => Array<Timestamptz>,
        ", ", status_ids: Vec<Option<Uuid>> => Array<Nullable<SqlUuid>>,
        ", ", status_keys: Vec<Option<String>> => Array<Nullable<Text>>,
        ", ", status_bodies: Vec<Option<String>> => Array<Nullable<Text>>,
        ") AS result (delivery_id, number, started_at, duration_ms, response_status,
            response_headers, response_body, response_body_truncated, failure_class,
            failure_detail, next_status, next_attempt_at, webhook_id, lease_until, status_id, status_key,
            status_body)
        ), kept AS (
            INSERT INTO attempts (delivery_id, number, started_at, duration_ms, response_status,
                response_headers, response_body, response_body_truncated, failure_class,
                failure_detail)
            SELECT delivery_id, number, started_at, duration_ms, response_status,
                response_headers, response_body, response_body_truncated, failure_class,
                failure_detail FROM result
            ON CONFLICT DO NOTHING
        ), moved AS (
            UPDATE deliveries SET
                status = result.next_status,
                attempts = result.number,
                next_attempt_at = result.next_attempt_at,
                backlog = NULL,
                ended_at = CASE WHEN result.next_attempt_at IS NULL THEN now() END
            FROM result
            WHERE deliveries.id = ANY(ARRAY(SELECT delivery_id FROM result))
              AND deliveries.id = result.delivery_id
              AND deliveries.attempts = result.number - 1
              AND deliveries.status = 'pending'
              AND (deliveries.ordering_key IS NULL
                   OR (deliveries.next_attempt_at = result.lease_until AND backlog IS NULL))
            RETURNING status_id, status_key, status_body
        ), told AS (
            INSERT INTO status_events (id, routing_key, body)
            SELECT status_id, status_key, status_body FROM moved WHERE status_id IS NOT NULL
        ), latest AS (
            INSERT INTO webhook_activity AS known (webhook_id, delivery_id, delivery_status,
                attempted_at, response_status, failure_class)
            SELECT DISTINCT ON (webhook_id) webhook_id, delivery_id, next_status,
                started_at, response_status, failure_class
            FROM result ORDER BY webhook_id, started_at DESC
            ON CONFLICT (webhook_id) DO UPDATE SET
                delivery_id = excluded.delivery_id, delivery_status = excluded.delivery_status,
                attempted_at = excluded.attempted_at,
                response_status = excluded.response_status,
                failure_class = excluded.failure_class
            WHERE known.attempted_at <= excluded.attempted_at
        ), counted AS (
            INSERT INTO webhook_hours AS known
                (webhook_id, hour, attempts, failed_attempts, succeeded, failed)
            SELECT webhook_id, date_trunc('hour', started_at, 'UTC'), count(*), count(failure_class),
                count(*) FILTER (WHERE next_status = 'succeeded'),
                count(*) FILTER (WHERE next_status = 'failed')
            FROM result GROUP BY 1, 2 ORDER BY 1, 2
            ON CONFLICT (webhook_id, hour) DO UPDATE SET
                attempts = known.attempts + excluded.attempts,
                failed_attempts = known.failed_attempts + excluded.failed_attempts,
                succeeded = known.succeeded + excluded.succeeded,
                failed = known.failed + excluded.failed
        )
        SELECT webhook_id FROM webhook_health
        WHERE webhook_id = ANY(ARRAY(SELECT DISTINCT webhook_id FROM result))"
    }
}

/// Records attempts and moves their deliveries on. Tells which of their webhooks are failing, as
/// far as [`health`](crate::health) knows.
///
/// Called again with the same results it changes nothing, so a caller that lost the answer may
/// repeat the call.
pub async fn record(
    connection: &mut AsyncPgConnection,
    results: &[AttemptResult],
) -> Result<Vec<WebhookId>, StoreError> {
    let status_events = || results.iter().map(|result| result.status_event.as_ref());
    let attempts = || results.iter().map(|result| &result.attempt);
    let statement = Record {
        delivery_ids: attempts().map(|a| a.delivery_id.0).collect(),
        numbers: attempts().map(|a| a.number).collect(),
        started: attempts().map(|a| a.started_at).collect(),
        durations: attempts().map(|a| a.duration_ms).collect(),
        statuses: attempts().map(|a| a.response_status).collect(),
        headers: attempts()
            .map(|a| write_headers(&a.response_headers))
            .collect(),
        bodies: attempts().map(|a| a.response_body.as_slice()).collect(),
        truncated: attempts().map(|a| a.response_body_truncated).collect(),
        classes: attempts()
            .map(|a| a.failure_class.map(FailureClass::as_str))
            .collect(),
        details: attempts().map(|a| a.failure_detail.as_deref()).collect(),
        next_statuses: results.iter().map(|r| next_status(r.next)).collect(),
        next_times: results.iter().map(|r| next_time(r.next)).collect(),
        webhook_ids: results.iter().map(|r| r.webhook_id.0).collect(),
        leases: results.iter().map(|r| r.lease_until).collect(),
        status_ids: status_events().map(|e| Some(e?.id)).collect(),
        status_keys: status_events().map(|e| Some(e?.routing_key())).collect(),
        status_bodies: status_events().map(|e| Some(e?.to_json())).collect(),
    };
    let failing: Vec<Uuid> = statement.load(connection).await?;
    Ok(failing.into_iter().map(WebhookId).collect())
}

fn next_status(next: NextState) -> &'static str {
    match next {
        NextState::Succeeded => "succeeded",
        NextState::RetryAt(_) => "pending",
        NextState::Failed => "failed",
    }
}

fn next_time(next: NextState) -> Option<DateTime<Utc>> {
    match next {
        NextState::RetryAt(time) => Some(time),
        NextState::Succeeded | NextState::Failed => None,
    }
}

fn write_headers(headers: &[(String, String)]) -> String {
    serde_json::to_string(headers).expect("pairs of strings are JSON")
}

/// Lists a delivery's attempts in order.
pub async fn list(
    connection: &mut AsyncPgConnection,
    id: DeliveryId,
) -> Result<Vec<Attempt>, StoreError> {
    type Row = (
        (Uuid, i32, DateTime<Utc>, i32, Option<i32>),
        (String, Vec<u8>, bool, Option<String>, Option<String>),
    );
    use attempts::dsl as a;
    let rows: Vec<Row> = a::attempts
        .filter(a::delivery_id.eq(id.0))
        .order((a::number, a::started_at))
        .select((
            (
                a::delivery_id,
                a::number,
                a::started_at,
                a::duration_ms,
                a::response_status,
            ),
            (
                a::response_headers,
                a::response_body,
                a::response_body_truncated,
                a::failure_class,
                a::failure_detail,
            ),
        ))
        .load(connection)
        .await?;
    rows.into_iter()
        .map(|(made, answer)| {
            Ok(Attempt {
                delivery_id: DeliveryId(made.0),
                number: made.1,
                started_at: made.2,
                duration_ms: made.3,
                response_status: made.4,
                response_headers: serde_json::from_str(&answer.0)
                    .map_err(|error| StoreError::Unreadable(error.to_string()))?,
                response_body: answer.1,
                response_body_truncated: answer.2,
                failure_class: answer.3.as_deref().map(name).transpose()?,
                failure_detail: answer.4,
            })
        })
        .collect()
}
