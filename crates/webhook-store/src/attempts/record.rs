//! Attempts that were made, written in batches.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use diesel::sql_types::{
    Array, Bool, Bytea, Integer, Nullable, SmallInt, Text, Timestamptz, Uuid as SqlUuid,
};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use uuid::Uuid;
use webhook_domain::{Durations, FailureClass, FailureKind, StatusEvent, WebhookId};

use super::{Attempt, Exchange};
use crate::StoreError;
use crate::activity::hour_of;
use crate::statement::statement;

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
    /// What was said.
    pub exchange: Exchange,
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
        ", ", dns: Vec<Option<i32>> => Array<Nullable<Integer>>,
        ", ", connects: Vec<Option<i32>> => Array<Nullable<Integer>>,
        ", ", first_bytes: Vec<Option<i32>> => Array<Nullable<Integer>>,
        ", ", statuses: Vec<Option<i32>> => Array<Nullable<Integer>>,
        ", ", classes: Vec<Option<&'a str>> => Array<Nullable<Text>>,
        ", ", details: Vec<Option<&'a str>> => Array<Nullable<Text>>,
        ", ", answers: Vec<i16> => Array<SmallInt>,
        ", ", urls: Vec<&'a str> => Array<Text>,
        ", ", request_headers: Vec<String> => Array<Text>,
        ", ", response_headers: Vec<String> => Array<Text>,
        ", ", bodies: Vec<&'a [u8]> => Array<Bytea>,
        ", ", truncated: Vec<bool> => Array<Bool>,
        ", ", next_statuses: Vec<&'a str> => Array<Text>,
        ", ", next_times: Vec<Option<DateTime<Utc>>> => Array<Nullable<Timestamptz>>,
        ", ", webhook_ids: Vec<Uuid> => Array<SqlUuid>,
        ", ", leases: Vec<DateTime<Utc>> => Array<Timestamptz>,
        ", ", status_ids: Vec<Option<Uuid>> => Array<Nullable<SqlUuid>>,
        ", ", status_keys: Vec<Option<String>> => Array<Nullable<Text>>,
        ", ", status_bodies: Vec<Option<String>> => Array<Nullable<Text>>,
        ") AS result (delivery_id, number, started_at, duration_ms, dns_ms, connect_ms,
            first_byte_ms, response_status, failure_class, failure_detail, last_answer,
            request_url, request_headers, response_headers, response_body,
            response_body_truncated, next_status, next_attempt_at, webhook_id, lease_until,
            status_id, status_key, status_body)
        ), kept AS (
            INSERT INTO attempts (delivery_id, number, started_at, duration_ms, dns_ms, connect_ms,
                first_byte_ms, response_status, failure_class, failure_detail)
            SELECT delivery_id, number, started_at, duration_ms, dns_ms, connect_ms,
                first_byte_ms, response_status, failure_class, failure_detail FROM result
            ON CONFLICT DO NOTHING
        ), said AS (
            INSERT INTO exchanges (started_at, delivery_id, number, request_url, request_headers,
                response_headers, response_body, response_body_truncated)
            SELECT started_at, delivery_id, number, request_url, request_headers,
                response_headers, response_body, response_body_truncated FROM result
            ON CONFLICT DO NOTHING
        ), moved AS (
            UPDATE deliveries SET
                status = result.next_status,
                attempts = result.number,
                last_answer = result.last_answer,
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
        ), hours AS (
            SELECT * FROM unnest(", hour_webhooks: Vec<Uuid> => Array<SqlUuid>,
        ", ", hours: Vec<DateTime<Utc>> => Array<Timestamptz>,
        ", ", hour_attempts: Vec<i32> => Array<Integer>,
        ", ", hour_failed_attempts: Vec<i32> => Array<Integer>,
        ", ", hour_succeeded: Vec<i32> => Array<Integer>,
        ", ", hour_failed: Vec<i32> => Array<Integer>,
        ", ", hour_failures: Vec<String> => Array<Text>,
        ", ", hour_durations: Vec<String> => Array<Text>,
        ") AS hours (webhook_id, hour, attempts, failed_attempts, succeeded, failed, failures,
            durations)
        ), counted AS (
            INSERT INTO webhook_hours AS known (webhook_id, hour, attempts, failed_attempts,
                succeeded, failed, failures, durations)
            SELECT webhook_id, hour, attempts, failed_attempts, succeeded, failed,
                failures::integer[], durations::integer[]
            FROM hours ORDER BY webhook_id, hour
            ON CONFLICT (webhook_id, hour) DO UPDATE SET
                attempts = known.attempts + excluded.attempts,
                failed_attempts = known.failed_attempts + excluded.failed_attempts,
                succeeded = known.succeeded + excluded.succeeded,
                failed = known.failed + excluded.failed,
                failures = add_counts(known.failures, excluded.failures),
                durations = add_counts(known.durations, excluded.durations)
        ), summed AS (
            INSERT INTO total_hours AS known (hour, worker_id, attempts, failed_attempts,
                succeeded, failed, failures, durations)
            SELECT hour, ", worker_id: Uuid => SqlUuid, ", sum(attempts), sum(failed_attempts),
                sum(succeeded), sum(failed),
                sum_counts(failures::integer[]), sum_counts(durations::integer[])
            FROM hours GROUP BY hour
            ON CONFLICT (hour, worker_id) DO UPDATE SET
                attempts = known.attempts + excluded.attempts,
                failed_attempts = known.failed_attempts + excluded.failed_attempts,
                succeeded = known.succeeded + excluded.succeeded,
                failed = known.failed + excluded.failed,
                failures = add_counts(known.failures, excluded.failures),
                durations = add_counts(known.durations, excluded.durations)
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
    worker_id: Uuid,
    results: &[AttemptResult],
) -> Result<Vec<WebhookId>, StoreError> {
    let status_events = || results.iter().map(|result| result.status_event.as_ref());
    let attempts = || results.iter().map(|result| &result.attempt);
    let said = || results.iter().map(|result| &result.exchange);
    let hours = count_by_hour(results);
    let statement = Record {
        delivery_ids: attempts().map(|a| a.delivery_id.0).collect(),
        numbers: attempts().map(|a| a.number).collect(),
        started: attempts().map(|a| a.started_at).collect(),
        durations: attempts().map(|a| a.timing.duration_ms).collect(),
        dns: attempts().map(|a| a.timing.dns_ms).collect(),
        connects: attempts().map(|a| a.timing.connect_ms).collect(),
        first_bytes: attempts().map(|a| a.timing.first_byte_ms).collect(),
        statuses: attempts().map(|a| a.response_status).collect(),
        classes: attempts()
            .map(|a| a.failure_class.map(FailureClass::as_str))
            .collect(),
        details: attempts().map(|a| a.failure_detail.as_deref()).collect(),
        answers: attempts().map(|a| a.answer().code()).collect(),
        urls: said().map(|e| e.request_url.as_str()).collect(),
        request_headers: said().map(|e| to_json(&e.request_headers)).collect(),
        response_headers: said().map(|e| to_json(&e.response_headers)).collect(),
        bodies: said().map(|e| e.response_body.as_slice()).collect(),
        truncated: said().map(|e| e.response_body_truncated).collect(),
        next_statuses: results.iter().map(|r| next_status(r.next)).collect(),
        next_times: results.iter().map(|r| next_time(r.next)).collect(),
        webhook_ids: results.iter().map(|r| r.webhook_id.0).collect(),
        leases: results.iter().map(|r| r.lease_until).collect(),
        status_ids: status_events().map(|e| Some(e?.id)).collect(),
        status_keys: status_events().map(|e| Some(e?.routing_key())).collect(),
        status_bodies: status_events().map(|e| Some(e?.to_json())).collect(),
        hour_webhooks: hours.keys().map(|(webhook_id, _)| webhook_id.0).collect(),
        hours: hours.keys().map(|(_, hour)| *hour).collect(),
        hour_attempts: hours.values().map(|h| h.attempts).collect(),
        hour_failed_attempts: hours.values().map(|h| h.failed_attempts).collect(),
        hour_succeeded: hours.values().map(|h| h.succeeded).collect(),
        hour_failed: hours.values().map(|h| h.failed).collect(),
        hour_failures: hours.values().map(|h| to_array(&h.failures)).collect(),
        hour_durations: hours.values().map(|h| to_array(&h.durations)).collect(),
        worker_id,
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

fn to_json(headers: &impl serde::Serialize) -> String {
    serde_json::to_string(headers).expect("pairs of strings are JSON")
}

/// An array as Postgres reads it.
fn to_array(counts: &[i32]) -> String {
    let counts: Vec<String> = counts.iter().map(ToString::to_string).collect();
    format!("{{{}}}", counts.join(","))
}

/// What is counted of a webhook in an hour.
#[derive(Default)]
struct HourCounts {
    attempts: i32,
    failed_attempts: i32,
    succeeded: i32,
    failed: i32,
    failures: [i32; FailureKind::ALL.len()],
    durations: [i32; Durations::BUCKETS],
}

/// Counts results by webhook and hour, in that order.
fn count_by_hour(results: &[AttemptResult]) -> BTreeMap<(WebhookId, DateTime<Utc>), HourCounts> {
    let mut hours: BTreeMap<_, HourCounts> = BTreeMap::new();
    for result in results {
        let attempt = &result.attempt;
        let hour = hours
            .entry((result.webhook_id, hour_of(attempt.started_at)))
            .or_default();
        hour.attempts += 1;
        hour.succeeded += i32::from(result.next == NextState::Succeeded);
        hour.failed += i32::from(result.next == NextState::Failed);
        hour.durations[Durations::bucket(attempt.timing.duration_ms.unsigned_abs())] += 1;
        if let Some(class) = attempt.failure_class {
            hour.failed_attempts += 1;
            hour.failures[FailureKind::of(class, attempt.status()).position()] += 1;
        }
    }
    hours
}
