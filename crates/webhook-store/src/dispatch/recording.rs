//! Recording attempts in batches, with their consequences for deliveries.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use diesel::sql_types::{
    Array, Bool, Integer, Nullable, SmallInt, Text, Timestamptz, Uuid as SqlUuid,
};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use uuid::Uuid;
use webhook_domain::{
    DeliveryId, DeliveryStatus, Durations, FailureClass, FailureKind, LastAnswer, StatusEvent,
    WebhookId,
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
    /// The end of the lease of the attempt.
    pub lease_until: DateTime<Utc>,
    /// The event for the platform's services, sent if the attempt ends the delivery.
    pub status_event: Option<StatusEvent>,
}

sql! {
    /// The file's head explains the binds.
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
        15 answers: Vec<LastAnswer> as Array<Code<LastAnswer>>,
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
    let transcripts = Rows::of(results.iter().map(|result| &result.exchange));
    let statement = Record::of(worker_id, results, transcripts);
    Ok(statement.load(connection).await?)
}

impl<'a> Record<'a> {
    #[allow(clippy::too_many_lines, reason = "a line for each bind")]
    fn of(worker_id: Uuid, results: &'a [AttemptResult], transcripts: Rows) -> Self {
        let attempts = || results.iter().map(|result| &result.attempt);
        let ids_that = |go_on: bool| {
            let those = results
                .iter()
                .filter(move |r| next_time(r.next).is_some() == go_on);
            those.map(|r| r.attempt.delivery_id).collect()
        };
        let status_events = || {
            let events = results.iter();
            events.filter_map(|r| Some((r.status_event.as_ref()?, r.attempt.delivery_id)))
        };
        let latest = latest_by_webhook(results);
        let latest = || latest.values();
        let hours = count_by_hour(results);
        Self {
            delivery_ids: attempts().map(|a| a.delivery_id).collect(),
            numbers: attempts().map(|a| a.number).collect(),
            started: attempts().map(|a| a.started_at).collect(),
            durations: attempts().map(|a| a.timing.duration_ms).collect(),
            dns: attempts().map(|a| a.timing.dns_ms).collect(),
            connects: attempts().map(|a| a.timing.connect_ms).collect(),
            first_bytes: attempts().map(|a| a.timing.first_byte_ms).collect(),
            statuses: attempts().map(|a| a.response_status).collect(),
            classes: attempts().map(|a| a.failure_class).collect(),
            details: attempts()
                .map(|a| Some(a.failure_detail.as_ref()?.as_str()))
                .collect(),
            exchange_ids: transcripts.places.iter().map(|(id, _)| *id).collect(),
            exchange_places: transcripts.places.iter().map(|(_, place)| *place).collect(),
            said_ids: transcripts.ids,
            said: transcripts.said,
            answers: attempts().map(Attempt::answer).collect(),
            next_statuses: results.iter().map(|r| next_status(r.next)).collect(),
            next_times: results.iter().map(|r| next_time(r.next)).collect(),
            leases: results.iter().map(|r| r.lease_until).collect(),
            put_off: results
                .iter()
                .map(|r| matches!(r.next, NextState::PutOffTo(_)))
                .collect(),
            ending_ids: ids_that(false),
            waiting_ids: ids_that(true),
            status_ids: status_events().map(|(event, _)| event.id).collect(),
            status_keys: status_events()
                .map(|(event, _)| event.routing_key())
                .collect(),
            status_bodies: status_events().map(|(event, _)| event.to_json()).collect(),
            status_deliveries: status_events().map(|(_, id)| id).collect(),
            latest_webhooks: latest().map(|r| r.webhook_id).collect(),
            latest_deliveries: latest().map(|r| r.attempt.delivery_id).collect(),
            latest_next: latest().map(|r| next_status(r.next)).collect(),
            latest_started: latest().map(|r| r.attempt.started_at).collect(),
            latest_statuses: latest().map(|r| r.attempt.response_status).collect(),
            latest_classes: latest().map(|r| r.attempt.failure_class).collect(),
            hour_webhooks: hours.keys().map(|(id, _)| *id).collect(),
            hours: hours.keys().map(|(_, hour)| *hour).collect(),
            hour_attempts: hours.values().map(|h| h.attempts).collect(),
            hour_failed_attempts: hours.values().map(|h| h.failed_attempts).collect(),
            hour_succeeded: hours.values().map(|h| h.succeeded).collect(),
            hour_failed: hours.values().map(|h| h.failed).collect(),
            hour_failures: hours.values().map(|h| to_array(&h.failures)).collect(),
            hour_durations: hours.values().map(|h| to_array(&h.durations)).collect(),
            worker_id,
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
    let mut hours: BTreeMap<_, HourCounts> = BTreeMap::new();
    for result in results {
        let hour = hour_of(result.attempt.started_at);
        for webhook_id in [None, Some(result.webhook_id)] {
            hours.entry((webhook_id, hour)).or_default().add(result);
        }
    }
    hours
}
