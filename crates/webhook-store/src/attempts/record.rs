//! Attempts that were made, written in batches.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use diesel::sql_types::{
    Array, Bool, Integer, Nullable, SmallInt, Text, Timestamptz, Uuid as SqlUuid,
};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use uuid::Uuid;
use webhook_domain::{Durations, FailureClass, FailureKind, StatusEvent, WebhookId};

use super::{Attempt, Exchange, exchange};
use crate::StoreError;
use crate::activity::hour_of;
use crate::deliveries::move_to_ended;
use crate::statement::statement;

/// What a delivery becomes by an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NextState {
    /// It was accepted.
    Succeeded,
    /// It is tried again at this time.
    RetryAt(DateTime<Utc>),
    /// It is tried again at this time, and its schedule does not count this attempt.
    PutOffTo(DateTime<Utc>),
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

/// Whether the delivery of a result is still where the attempt found it.
macro_rules! is_ours {
    () => {
        "delivery.id = result.delivery_id AND delivery.attempts = result.number - 1
              AND (delivery.ordering_key IS NULL
                   OR (delivery.next_attempt_at = result.lease_until AND backlog IS NULL))"
    };
}

/// Adds the counts of `excluded` to those that are `known`. Written out, as Postgres would plan a
/// function anew at each call.
macro_rules! add_counts {
    () => {
        concat!(
            "attempts = known.attempts + excluded.attempts,
                failed_attempts = known.failed_attempts + excluded.failed_attempts,
                succeeded = known.succeeded + excluded.succeeded,
                failed = known.failed + excluded.failed,
                failures = ",
            add_arrays!("failures"),
            ", durations = ",
            add_arrays!("durations")
        )
    };
}

macro_rules! add_arrays {
    ($column:literal) => {
        concat!(
            "ARRAY(
                SELECT coalesce(one, 0) + coalesce(other, 0)
                FROM unnest(known.",
            $column,
            ", excluded.",
            $column,
            ") WITH ORDINALITY AS counts (one, other, place) ORDER BY place)"
        )
    };
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
    ///
    /// `$1` and `$2` are the ids and numbers that are bound first.
    Record<'a> -> SqlUuid {
        "WITH kept AS (
            INSERT INTO attempts (delivery_id, number, started_at, duration_ms, dns_ms, connect_ms,
                first_byte_ms, response_status, failure_class, failure_detail, exchange_id,
                exchange_place)
            SELECT * FROM unnest(", delivery_ids: Vec<Uuid> => Array<SqlUuid>,
        ", ", numbers: Vec<i32> => Array<Integer>,
        ", ", started: Vec<DateTime<Utc>> => Array<Timestamptz>,
        ", ", durations: Vec<i32> => Array<Integer>,
        ", ", dns: Vec<Option<i32>> => Array<Nullable<Integer>>,
        ", ", connects: Vec<Option<i32>> => Array<Nullable<Integer>>,
        ", ", first_bytes: Vec<Option<i32>> => Array<Nullable<Integer>>,
        ", ", statuses: Vec<Option<i32>> => Array<Nullable<Integer>>,
        ", ", classes: Vec<Option<&'a str>> => Array<Nullable<Text>>,
        ", ", details: Vec<Option<&'a str>> => Array<Nullable<Text>>,
        ", ", exchange_ids: Vec<Uuid> => Array<SqlUuid>,
        ", ", exchange_places: Vec<i16> => Array<SmallInt>,
        ")
            ON CONFLICT DO NOTHING
        ), said AS (
            INSERT INTO exchanges (id, said)
            SELECT * FROM unnest(", said_ids: Vec<Uuid> => Array<SqlUuid>,
        ", ", said: Vec<String> => Array<Text>,
        ")
        ), result AS (
            SELECT * FROM unnest($1, $2, ", answers: Vec<i16> => Array<SmallInt>,
        ", ", next_statuses: Vec<&'a str> => Array<Text>,
        ", ", next_times: Vec<Option<DateTime<Utc>>> => Array<Nullable<Timestamptz>>,
        ", ", leases: Vec<DateTime<Utc>> => Array<Timestamptz>,
        ", ", put_off: Vec<bool> => Array<Bool>,
        ") AS result (delivery_id, number, last_answer, next_status, next_attempt_at, lease_until,
                      put_off)
        ), ended AS (
            DELETE FROM deliveries_pending AS delivery USING result
            WHERE delivery.id = ANY(", ending_ids: Vec<Uuid> => Array<SqlUuid>,
        concat!(") AND ", is_ours!(), "
            RETURNING delivery.*, result.number, result.last_answer AS answer, next_status
        ), moved AS (
            ", move_to_ended!("ended", "next_status::delivery_status", "number", "answer"), "
        ), waiting AS (
            UPDATE deliveries_pending AS delivery SET
                attempts = result.number,
                last_answer = result.last_answer,
                next_attempt_at = result.next_attempt_at,
                schedule_from = schedule_from + put_off::integer,
                throttled = CASE WHEN put_off THEN throttled + 1 ELSE 0 END,
                backlog = NULL
            FROM result
            WHERE delivery.id = ANY("), waiting_ids: Vec<Uuid> => Array<SqlUuid>,
        concat!(") AND ", is_ours!(), "
        ), told AS (
            INSERT INTO status_events (id, routing_key, body)
            SELECT told.id, routing_key, body
            FROM unnest("), status_ids: Vec<Uuid> => Array<SqlUuid>,
        ", ", status_keys: Vec<String> => Array<Text>,
        ", ", status_bodies: Vec<String> => Array<Text>,
        ", ", status_deliveries: Vec<Uuid> => Array<SqlUuid>,
        ") AS told (id, routing_key, body, delivery_id) JOIN ended ON ended.id = delivery_id
        ), latest AS (
            INSERT INTO webhook_activity AS known (webhook_id, delivery_id, delivery_status,
                attempted_at, response_status, failure_class)
            SELECT * FROM unnest(", latest_webhooks: Vec<Uuid> => Array<SqlUuid>,
        ", ", latest_deliveries: Vec<Uuid> => Array<SqlUuid>,
        ", ", latest_next: Vec<&'a str> => Array<Text>,
        ", ", latest_started: Vec<DateTime<Utc>> => Array<Timestamptz>,
        ", ", latest_statuses: Vec<Option<i32>> => Array<Nullable<Integer>>,
        ", ", latest_classes: Vec<Option<&'a str>> => Array<Nullable<Text>>,
        ") AS latest (webhook_id) ORDER BY webhook_id
            ON CONFLICT (webhook_id) DO UPDATE SET
                delivery_id = excluded.delivery_id, delivery_status = excluded.delivery_status,
                attempted_at = excluded.attempted_at,
                response_status = excluded.response_status,
                failure_class = excluded.failure_class
            WHERE known.attempted_at <= excluded.attempted_at
        ), hours AS (
            SELECT * FROM unnest(", hour_webhooks: Vec<Option<Uuid>> => Array<Nullable<SqlUuid>>,
        ", ", hours: Vec<DateTime<Utc>> => Array<Timestamptz>,
        ", ", hour_attempts: Vec<i32> => Array<Integer>,
        ", ", hour_failed_attempts: Vec<i32> => Array<Integer>,
        ", ", hour_succeeded: Vec<i32> => Array<Integer>,
        ", ", hour_failed: Vec<i32> => Array<Integer>,
        ", ", hour_failures: Vec<String> => Array<Text>,
        ", ", hour_durations: Vec<String> => Array<Text>,
        concat!(") AS hours (webhook_id, hour, attempts, failed_attempts, succeeded, failed, failures,
            durations)
        ), counted AS (
            INSERT INTO webhook_hours AS known (webhook_id, hour, attempts, failed_attempts,
                succeeded, failed, failures, durations)
            SELECT webhook_id, hour, attempts, failed_attempts, succeeded, failed,
                failures::integer[], durations::integer[]
            FROM hours WHERE webhook_id IS NOT NULL ORDER BY webhook_id, hour
            ON CONFLICT (webhook_id, hour) DO UPDATE SET ", add_counts!(), "
        ), summed AS (
            INSERT INTO total_hours AS known (hour, worker_id, attempts, failed_attempts,
                succeeded, failed, failures, durations)
            SELECT hour, "), worker_id: Uuid => SqlUuid, concat!(", attempts, failed_attempts,
                succeeded, failed, failures::integer[], durations::integer[]
            FROM hours WHERE webhook_id IS NULL
            ON CONFLICT (hour, worker_id) DO UPDATE SET ", add_counts!(), "
        )
        SELECT webhook_id FROM webhook_health
        WHERE webhook_id = ANY(ARRAY(SELECT webhook_id FROM hours))")
    }
}

/// Records attempts and moves their deliveries on. Tells which of their webhooks are failing, as
/// far as [`health`](crate::health) knows.
///
/// A caller that lost the answer may repeat the call: no attempt is kept twice and no delivery moves
/// twice. Only the counts are then twice as high, and what was said is kept a second time, where
/// nobody looks for it.
#[allow(clippy::too_many_lines, reason = "a line for each value")]
pub async fn record(
    connection: &mut AsyncPgConnection,
    worker_id: Uuid,
    results: &[AttemptResult],
) -> Result<Vec<WebhookId>, StoreError> {
    let attempts = || results.iter().map(|result| &result.attempt);
    let said = exchange::Rows::of(results.iter().map(|result| &result.exchange));
    let ids_that = |wait: bool| {
        let those = results
            .iter()
            .filter(move |r| next_time(r.next).is_some() == wait);
        those.map(|r| r.attempt.delivery_id.0).collect()
    };
    let told = || {
        let told = results.iter();
        told.filter_map(|r| Some((r.status_event.as_ref()?, r.attempt.delivery_id)))
    };
    let latest = latest_by_webhook(results);
    let latest = || latest.values();
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
        classes: attempts().map(failure_class).collect(),
        details: attempts()
            .map(|a| Some(a.failure_detail.as_ref()?.as_str()))
            .collect(),
        exchange_ids: said.places.iter().map(|(id, _)| *id).collect(),
        exchange_places: said.places.iter().map(|(_, place)| *place).collect(),
        said_ids: said.ids,
        said: said.said,
        answers: attempts().map(|a| a.answer().code()).collect(),
        next_statuses: results.iter().map(|r| next_status(r.next)).collect(),
        next_times: results.iter().map(|r| next_time(r.next)).collect(),
        leases: results.iter().map(|r| r.lease_until).collect(),
        put_off: results
            .iter()
            .map(|r| matches!(r.next, NextState::PutOffTo(_)))
            .collect(),
        ending_ids: ids_that(false),
        waiting_ids: ids_that(true),
        status_ids: told().map(|(event, _)| event.id).collect(),
        status_keys: told().map(|(event, _)| event.routing_key()).collect(),
        status_bodies: told().map(|(event, _)| event.to_json()).collect(),
        status_deliveries: told().map(|(_, id)| id.0).collect(),
        latest_webhooks: latest().map(|r| r.webhook_id.0).collect(),
        latest_deliveries: latest().map(|r| r.attempt.delivery_id.0).collect(),
        latest_next: latest().map(|r| next_status(r.next)).collect(),
        latest_started: latest().map(|r| r.attempt.started_at).collect(),
        latest_statuses: latest().map(|r| r.attempt.response_status).collect(),
        latest_classes: latest().map(|r| failure_class(&r.attempt)).collect(),
        hour_webhooks: hours.keys().map(|(id, _)| Some((*id)?.0)).collect(),
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
        NextState::RetryAt(_) | NextState::PutOffTo(_) => "pending",
        NextState::Failed => "failed",
    }
}

fn next_time(next: NextState) -> Option<DateTime<Utc>> {
    match next {
        NextState::RetryAt(time) | NextState::PutOffTo(time) => Some(time),
        NextState::Succeeded | NextState::Failed => None,
    }
}

fn failure_class(attempt: &Attempt) -> Option<&'static str> {
    attempt.failure_class.map(FailureClass::as_str)
}

/// An array as Postgres reads it.
fn to_array(counts: &[i32]) -> String {
    let counts: Vec<String> = counts.iter().map(ToString::to_string).collect();
    format!("{{{}}}", counts.join(","))
}

/// The latest attempt of each webhook.
fn latest_by_webhook(results: &[AttemptResult]) -> BTreeMap<WebhookId, &AttemptResult> {
    let mut latest: BTreeMap<WebhookId, &AttemptResult> = BTreeMap::new();
    for result in results {
        let known = latest.entry(result.webhook_id).or_insert(result);
        if known.attempt.started_at < result.attempt.started_at {
            *known = result;
        }
    }
    latest
}

/// What is counted of a webhook in an hour, or of all.
#[derive(Default)]
struct HourCounts {
    attempts: i32,
    failed_attempts: i32,
    succeeded: i32,
    failed: i32,
    failures: [i32; FailureKind::ALL.len()],
    durations: [i32; Durations::BUCKETS],
}

impl HourCounts {
    fn add(&mut self, result: &AttemptResult) {
        let attempt = &result.attempt;
        self.attempts += 1;
        self.succeeded += i32::from(result.next == NextState::Succeeded);
        self.failed += i32::from(result.next == NextState::Failed);
        self.durations[Durations::bucket(attempt.timing.duration_ms.unsigned_abs())] += 1;
        if let Some(class) = attempt.failure_class {
            self.failed_attempts += 1;
            self.failures[FailureKind::of(class, attempt.status()).position()] += 1;
        }
    }
}

/// Counts results by webhook and hour, in that order. `None`: all webhooks together.
fn count_by_hour(
    results: &[AttemptResult],
) -> BTreeMap<(Option<WebhookId>, DateTime<Utc>), HourCounts> {
    let mut hours: BTreeMap<_, HourCounts> = BTreeMap::new();
    for result in results {
        let hour = hour_of(result.attempt.started_at);
        for webhook_id in [None, Some(result.webhook_id)] {
            hours.entry((webhook_id, hour)).or_default().add(result);
        }
    }
    hours
}
