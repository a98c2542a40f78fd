//! Recording attempts in batches, with their consequences for deliveries.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use diesel::sql_types::{
    Array, Bool, Integer, Nullable, SmallInt, Text, Timestamptz, Uuid as SqlUuid,
};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use uuid::Uuid;
use webhook_domain::{
    DeliveryId, DeliveryStatus, Durations, Environment, EventType, FailureClass, FailureKind,
    LastResponse, StatusEvent, WebhookId,
};

use crate::StoreError;
use crate::column_types::{Code, Id, Named};
use crate::sql::sql;
use crate::tables::activity::hour_of;
use crate::tables::attempts::Attempt;
use crate::tables::transcripts::{Rows, Transcript};

/// The state of a delivery after an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NextState {
    /// The receiver accepted the delivery.
    Succeeded,
    /// The next attempt is due at the time.
    RetryAt(DateTime<Utc>),
    /// The next attempt is due at the time, and the retry schedule does not count the recorded one.
    PutOffTo(DateTime<Utc>),
    /// The delivery was given up.
    Failed,
}

/// An attempt and its consequences.
#[derive(Debug, Clone)]
pub struct AttemptResult {
    /// The attempt.
    pub attempt: Attempt,
    /// The transcript of the attempt.
    pub exchange: Transcript,
    /// The state of the delivery after the attempt.
    pub next: NextState,
    /// The webhook of the delivery.
    pub webhook_id: WebhookId,
    /// The environment of the event.
    pub environment: Environment,
    /// The type of the event.
    pub event_type: EventType,
    /// Whether the event is a test. Attempts of tests are kept, and left out of all statistics.
    pub is_test: bool,
    /// The end of the lease of the attempt.
    pub lease_until: DateTime<Utc>,
    /// The event for the platform's services, sent if the attempt ends the delivery.
    pub status_event: Option<StatusEvent>,
}

sql! {
    /// The head of the file explains the binds.
    #[derive(Default)]
    struct Record<'a> from "recording/record.sql" -> Id<WebhookId> {
        1 delivery_ids: Vec<DeliveryId> as Array<Id<DeliveryId>>,
        2 numbers: Vec<i32> as Array<Integer>,
        3 started: Vec<DateTime<Utc>> as Array<Timestamptz>,
        4 durations: Vec<i32> as Array<Integer>,
        5 dns: Vec<Option<i32>> as Array<Nullable<Integer>>,
        6 connects: Vec<Option<i32>> as Array<Nullable<Integer>>,
        7 first_bytes: Vec<Option<i32>> as Array<Nullable<Integer>>,
        8 statuses: Vec<Option<i32>> as Array<Nullable<Integer>>,
        9 classes: Vec<Option<FailureClass>> as Array<Nullable<Named<FailureClass>>>,
        10 details: Vec<Option<&'a str>> as Array<Nullable<Text>>,
        11 exchange_ids: Vec<Uuid> as Array<SqlUuid>,
        12 exchange_places: Vec<i16> as Array<SmallInt>,
        13 said_ids: Vec<Uuid> as Array<SqlUuid>,
        14 said: Vec<String> as Array<Text>,
        15 last_responses: Vec<LastResponse> as Array<Code<LastResponse>>,
        16 next_statuses: Vec<DeliveryStatus> as Array<Named<DeliveryStatus>>,
        17 next_times: Vec<Option<DateTime<Utc>>> as Array<Nullable<Timestamptz>>,
        18 leases: Vec<DateTime<Utc>> as Array<Timestamptz>,
        19 put_off: Vec<bool> as Array<Bool>,
        20 ending_ids: Vec<DeliveryId> as Array<Id<DeliveryId>>,
        21 waiting_ids: Vec<DeliveryId> as Array<Id<DeliveryId>>,
        22 status_ids: Vec<Uuid> as Array<SqlUuid>,
        23 status_keys: Vec<String> as Array<Text>,
        24 status_bodies: Vec<String> as Array<Text>,
        25 status_deliveries: Vec<DeliveryId> as Array<Id<DeliveryId>>,
        26 latest_webhooks: Vec<WebhookId> as Array<Id<WebhookId>>,
        27 latest_deliveries: Vec<DeliveryId> as Array<Id<DeliveryId>>,
        28 latest_next: Vec<DeliveryStatus> as Array<Named<DeliveryStatus>>,
        29 latest_started: Vec<DateTime<Utc>> as Array<Timestamptz>,
        30 latest_statuses: Vec<Option<i32>> as Array<Nullable<Integer>>,
        31 latest_classes: Vec<Option<FailureClass>> as Array<Nullable<Named<FailureClass>>>,
        32 hour_webhooks: Vec<Option<WebhookId>> as Array<Nullable<Id<WebhookId>>>,
        33 hours: Vec<DateTime<Utc>> as Array<Timestamptz>,
        34 hour_attempts: Vec<i32> as Array<Integer>,
        35 hour_failed_attempts: Vec<i32> as Array<Integer>,
        36 hour_succeeded: Vec<i32> as Array<Integer>,
        37 hour_failed: Vec<i32> as Array<Integer>,
        38 hour_failures: Vec<String> as Array<Text>,
        39 hour_durations: Vec<String> as Array<Text>,
        40 worker_id: Uuid as SqlUuid,
        41 spread_environments: Vec<Environment> as Array<Named<Environment>>,
        42 spread_hours: Vec<DateTime<Utc>> as Array<Timestamptz>,
        43 spread_types: Vec<EventType> as Array<Named<EventType>>,
        44 spread_attempts: Vec<i32> as Array<Integer>,
        45 spread_failed_attempts: Vec<i32> as Array<Integer>,
        46 spread_succeeded: Vec<i32> as Array<Integer>,
        47 spread_failed: Vec<i32> as Array<Integer>,
    }
}

/// Records attempts and moves the deliveries on. Returns the webhooks with a row in `webhook_health`.
///
/// After a lost reply the caller may repeat the call: no attempt is kept twice, and no delivery moves
/// twice. Only the counts are too high then, and a second copy of the transcripts is kept.
pub async fn record(
    connection: &mut AsyncPgConnection,
    worker_id: Uuid,
    results: &[AttemptResult],
) -> Result<Vec<WebhookId>, StoreError> {
    // Transcripts of one batch share rows.
    let transcripts = Rows::of(results.iter().map(|result| &result.exchange));
    let statement = Record::of(worker_id, results, transcripts);
    Ok(statement.load(connection).await?)
}

impl<'a> Record<'a> {
    fn of(worker_id: Uuid, results: &'a [AttemptResult], transcripts: Rows) -> Self {
        let mut record = Self {
            worker_id,
            ..Self::default()
        };
        record.set_attempts(results, transcripts);
        record.set_deliveries(results);
        record.set_status_events(results);
        record.set_latest(results);
        record.set_hours(results);
        record.set_spread(results);
        record
    }

    fn set_attempts(&mut self, results: &'a [AttemptResult], transcripts: Rows) {
        let attempts = || results.iter().map(|result| &result.attempt);
        self.delivery_ids = attempts().map(|a| a.delivery_id).collect();
        self.numbers = attempts().map(|a| a.number).collect();
        self.started = attempts().map(|a| a.started_at).collect();
        self.durations = attempts().map(|a| a.timing.duration_ms).collect();
        self.dns = attempts().map(|a| a.timing.dns_ms).collect();
        self.connects = attempts().map(|a| a.timing.connect_ms).collect();
        self.first_bytes = attempts().map(|a| a.timing.first_byte_ms).collect();
        self.statuses = attempts().map(|a| a.response_status).collect();
        self.classes = attempts().map(|a| a.failure_class).collect();
        let details = attempts().map(|a| a.failure_detail.as_ref());
        self.details = details.map(|detail| Some(detail?.as_str())).collect();
        let places = || transcripts.places.iter();
        self.exchange_ids = places().map(|(id, _)| *id).collect();
        self.exchange_places = places().map(|(_, place)| *place).collect();
        self.said_ids = transcripts.ids;
        self.said = transcripts.said;
    }

    fn set_deliveries(&mut self, results: &[AttemptResult]) {
        let put_off = |next| matches!(next, NextState::PutOffTo(_));
        self.last_responses = results.iter().map(|r| r.attempt.last_response()).collect();
        self.next_statuses = results.iter().map(|r| next_status(r.next)).collect();
        self.next_times = results.iter().map(|r| next_time(r.next)).collect();
        self.leases = results.iter().map(|r| r.lease_until).collect();
        self.put_off = results.iter().map(|r| put_off(r.next)).collect();
        // The statement names the rows to delete and to update by two arrays, so that the planner never
        // joins a whole table.
        for result in results {
            let ids = match next_time(result.next) {
                None => &mut self.ending_ids,
                Some(_) => &mut self.waiting_ids,
            };
            ids.push(result.attempt.delivery_id);
        }
    }

    fn set_status_events(&mut self, results: &[AttemptResult]) {
        for result in results {
            let Some(event) = &result.status_event else {
                continue;
            };
            self.status_ids.push(event.id);
            self.status_keys.push(event.routing_key());
            self.status_bodies.push(event.to_json());
            self.status_deliveries.push(result.attempt.delivery_id);
        }
    }

    fn set_latest(&mut self, results: &[AttemptResult]) {
        // One row a webhook, as one statement may not write a row twice.
        for result in latest_by_webhook(results).values() {
            self.latest_webhooks.push(result.webhook_id);
            self.latest_deliveries.push(result.attempt.delivery_id);
            self.latest_next.push(next_status(result.next));
            self.latest_started.push(result.attempt.started_at);
            self.latest_statuses.push(result.attempt.response_status);
            self.latest_classes.push(result.attempt.failure_class);
        }
    }

    fn set_spread(&mut self, results: &[AttemptResult]) {
        // Ordered, so that a repeated call meets the rows in the same order.
        let mut spread: BTreeMap<_, HourCounts> = BTreeMap::new();
        for result in counted(results) {
            let hour = hour_of(result.attempt.started_at);
            let place = (result.environment, hour, result.event_type);
            spread.entry(place).or_default().add(result);
        }
        for ((environment, hour, event_type), counts) in spread {
            self.spread_environments.push(environment);
            self.spread_hours.push(hour);
            self.spread_types.push(event_type);
            self.spread_attempts.push(counts.attempts);
            self.spread_failed_attempts.push(counts.failed_attempts);
            self.spread_succeeded.push(counts.succeeded);
            self.spread_failed.push(counts.failed);
        }
    }

    fn set_hours(&mut self, results: &[AttemptResult]) {
        for ((webhook_id, hour), counts) in count_by_hour(results) {
            self.hour_webhooks.push(webhook_id);
            self.hours.push(hour);
            self.hour_attempts.push(counts.attempts);
            self.hour_failed_attempts.push(counts.failed_attempts);
            self.hour_succeeded.push(counts.succeeded);
            self.hour_failed.push(counts.failed);
            self.hour_failures.push(to_array(&counts.failures));
            self.hour_durations.push(to_array(&counts.durations));
        }
    }
}

fn next_status(next: NextState) -> DeliveryStatus {
    match next {
        NextState::Succeeded => DeliveryStatus::Succeeded,
        NextState::RetryAt(_) | NextState::PutOffTo(_) => DeliveryStatus::Pending,
        NextState::Failed => DeliveryStatus::Failed,
    }
}

fn next_time(next: NextState) -> Option<DateTime<Utc>> {
    match next {
        NextState::RetryAt(time) | NextState::PutOffTo(time) => Some(time),
        NextState::Succeeded | NextState::Failed => None,
    }
}

/// An array literal, as `unnest` would flatten an array of arrays.
fn to_array(counts: &[i32]) -> String {
    let counts: Vec<String> = counts.iter().map(ToString::to_string).collect();
    format!("{{{}}}", counts.join(","))
}

/// The results that count: those of test events do not.
fn counted(results: &[AttemptResult]) -> impl Iterator<Item = &AttemptResult> {
    results.iter().filter(|result| !result.is_test)
}

/// The latest attempt of each webhook.
fn latest_by_webhook(results: &[AttemptResult]) -> BTreeMap<WebhookId, &AttemptResult> {
    // Ordered by webhook, so that two workers never deadlock on these rows.
    let mut latest: BTreeMap<WebhookId, &AttemptResult> = BTreeMap::new();
    for result in counted(results) {
        let known = latest.entry(result.webhook_id).or_insert(result);
        if known.attempt.started_at < result.attempt.started_at {
            *known = result;
        }
    }
    latest
}

/// The counts of a webhook, or of all webhooks, in an hour.
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

/// Counts results by webhook and hour, in the order of webhooks. `None`: all webhooks together.
fn count_by_hour(
    results: &[AttemptResult],
) -> BTreeMap<(Option<WebhookId>, DateTime<Utc>), HourCounts> {
    // Ordered, for the same reason.
    let mut hours: BTreeMap<_, HourCounts> = BTreeMap::new();
    for result in counted(results) {
        let hour = hour_of(result.attempt.started_at);
        for webhook_id in [None, Some(result.webhook_id)] {
            hours.entry((webhook_id, hour)).or_default().add(result);
        }
    }
    hours
}
