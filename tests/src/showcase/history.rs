//! A month of events, with deliveries and attempts.

use std::collections::{BTreeMap, HashSet};
use std::time::Duration;

use chrono::{DateTime, SubsecRound, TimeDelta, Utc};
use rand::RngExt;
use rand::rngs::StdRng;
use serde_json::{Value, json};
use uuid::Uuid;
use webhook_domain::{Environment, EventType, FailureClass, RetryPolicy};

use super::answers::{ACCEPTED, Answer, FAILED, GONE};
use super::table::{bytes, id_at, insert};
use super::webhooks::{Fate, Shown};
use crate::World;

const EVENTS: usize = 700;
const MONTH: Duration = Duration::from_secs(30 * 86_400);

/// The last seconds, with an event each. The deliveries of those events wait for the first attempt.
const FRESH: i64 = 6;

/// The begin of the failures of failing webhooks, and of the silence of Inactive webhooks.
const TROUBLE: TimeDelta = TimeDelta::hours(70);

/// How long transcripts are kept.
const BODIES_KEPT: TimeDelta = TimeDelta::days(7);

/// Writes the month.
pub(super) async fn write(world: &World, webhooks: &[Shown], now: DateTime<Utc>, rng: &mut StdRng) {
    let mut history = History::new(now, rng);
    for (number, at) in times(now, history.rng).into_iter().enumerate() {
        history.happen(number, at, webhooks);
    }
    let latest = history.latest.into_values().map(|(_, row)| row);
    let latest: Vec<Value> = latest.collect();
    insert(world, "events", &history.events).await;
    insert(world, "deliveries", &history.deliveries).await;
    insert(world, "attempts", &history.attempts).await;
    insert(world, "exchanges", &history.exchanges).await;
    insert(world, "webhook_activity", &latest).await;
}

/// The times of the events, more of the times lately.
fn times(now: DateTime<Utc>, rng: &mut StdRng) -> Vec<DateTime<Utc>> {
    let past = (0..EVENTS).map(|_| {
        let share: f64 = rng.random();
        let ago = MONTH.mul_f64(share.powi(3));
        (now - TimeDelta::minutes(2) - ago).trunc_subsecs(3)
    });
    let mut times: Vec<_> = past.collect();
    times.extend((1..=FRESH).map(|seconds| now - TimeDelta::seconds(seconds)));
    times.sort_unstable();
    times
}

struct Happened {
    id: Uuid,
    at: DateTime<Utc>,
    event_type: EventType,
    environment: Environment,
}

/// Rows by table.
struct History<'a> {
    now: DateTime<Utc>,
    rng: &'a mut StdRng,
    schedule: Vec<Duration>,
    gone: HashSet<Uuid>,
    events: Vec<Value>,
    deliveries: Vec<Value>,
    attempts: Vec<Value>,
    exchanges: Vec<Value>,
    latest: BTreeMap<Uuid, (DateTime<Utc>, Value)>,
}

impl<'a> History<'a> {
    fn new(now: DateTime<Utc>, rng: &'a mut StdRng) -> Self {
        Self {
            now,
            rng,
            schedule: RetryPolicy::default().schedule().collect(),
            gone: HashSet::new(),
            events: Vec::new(),
            deliveries: Vec::new(),
            attempts: Vec::new(),
            exchanges: Vec::new(),
            latest: BTreeMap::new(),
        }
    }

    fn happen(&mut self, number: usize, at: DateTime<Utc>, webhooks: &[Shown]) {
        let event = Happened {
            id: id_at(at, self.rng),
            at,
            event_type: EventType::ALL[number % EventType::ALL.len()],
            environment: match self.rng.random_range(0..10) {
                0..=5 => Environment::Production,
                6..=8 => Environment::Staging,
                _ => Environment::Development,
            },
        };
        let before = self.deliveries.len();
        for webhook in webhooks {
            if self.is_owed(webhook, &event) {
                self.deliver(&event, webhook);
            }
        }
        let serial = self.rng.random_range(100_000..999_999).to_string();
        let data = event
            .event_type
            .example()
            .replace("_42", &format!("_{serial}"));
        let (id, event_type, environment) = (event.id, event.event_type, event.environment);
        let timestamp = at.format("%FT%T%.3fZ");
        let body = format!(
            r#"{{"id":"{id}","type":"{event_type}","environment":"{environment}","timestamp":"{timestamp}","data":{data}}}"#
        );
        self.events.push(json!({
            "id": id, "event_type": event_type.as_str(), "environment": environment.as_str(),
            "occurred_at": at, "received_at": at + TimeDelta::milliseconds(9),
            "body": bytes(body.as_bytes()), "matched": self.deliveries.len() > before,
        }));
    }

    fn is_owed(&self, webhook: &Shown, event: &Happened) -> bool {
        let wants =
            webhook.environment == event.environment && webhook.types.contains(&event.event_type);
        let is_closed = match webhook.fate {
            Fate::Inactive => event.at > self.now - TROUBLE,
            Fate::Gone => self.gone.contains(&webhook.id),
            Fate::Healthy | Fate::Flaky | Fate::Failing(_) => false,
        };
        wants && !is_closed
    }

    /// A delivery, attempt by attempt.
    fn deliver(&mut self, event: &Happened, webhook: &Shown) {
        let created_at = event.at + TimeDelta::milliseconds(12);
        let id = id_at(created_at, self.rng);
        let mut at = created_at + TimeDelta::milliseconds(self.rng.random_range(3..90));
        let is_fresh = event.at > self.now - TimeDelta::minutes(1);
        let is_cancelled = self.rng.random_bool(0.012);
        let (mut attempts, mut last_answer) = (0, 0);
        let status = loop {
            if is_fresh || at > self.now {
                break "pending";
            }
            if is_cancelled && attempts > 0 {
                break "cancelled";
            }
            let answer = if is_cancelled {
                &FAILED[0]
            } else {
                self.answer(webhook, event.at)
            };
            attempts += 1;
            last_answer = answer.code();
            let took = self.attempt(event, webhook, (id, attempts), at, answer);
            at += took;
            if answer.class.is_none() {
                break "succeeded";
            }
            match self.schedule.get(attempts - 1) {
                Some(pause) if last_answer != GONE.code() => {
                    let jitter = self.rng.random_range(0.8..1.2);
                    at += TimeDelta::from_std(pause.mul_f64(jitter)).expect("a short time");
                }
                _ => break "failed",
            }
        };
        let is_pending = status == "pending";
        if let Some((_, latest)) = self.latest.get_mut(&webhook.id)
            && latest["delivery_id"] == json!(id)
        {
            latest["delivery_status"] = json!(status);
        }
        self.deliveries.push(json!({
            "id": id, "event_id": event.id, "webhook_id": webhook.id,
            "event_type": event.event_type.as_str(), "environment": event.environment.as_str(),
            "status": status, "attempts": attempts, "last_answer": last_answer,
            "next_attempt_at": is_pending.then(|| at.max(self.now + TimeDelta::minutes(5))),
            "created_at": created_at, "ended_at": (!is_pending).then_some(at),
            "test": false, "schedule_from": 0,
        }));
    }

    /// The answer of a webhook to an attempt, by the time of the event.
    fn answer(&mut self, webhook: &Shown, event_at: DateTime<Utc>) -> &'static Answer {
        let is_trouble = event_at > self.now - TROUBLE;
        let share = match webhook.fate {
            Fate::Gone if is_trouble => {
                self.gone.insert(webhook.id);
                return &GONE;
            }
            Fate::Failing(answer) if is_trouble => return answer,
            Fate::Flaky => 0.3,
            Fate::Healthy | Fate::Failing(_) | Fate::Gone | Fate::Inactive => 0.01,
        };
        if self.rng.random_bool(share) {
            &FAILED[self.rng.random_range(0..FAILED.len())]
        } else {
            &ACCEPTED[self.rng.random_range(0..ACCEPTED.len())]
        }
    }

    /// Notes an attempt, and returns the duration of the attempt.
    fn attempt(
        &mut self,
        event: &Happened,
        webhook: &Shown,
        (delivery_id, number): (Uuid, usize),
        at: DateTime<Utc>,
        answer: &Answer,
    ) -> TimeDelta {
        let duration_ms = match answer.duration_ms {
            limit if limit >= 15_000 => limit,
            about => about * self.rng.random_range(60..170) / 100,
        };
        let is_first = number == 1 || self.rng.random_bool(0.5);
        let opened = is_first && duration_ms > 40;
        let exchange_id = (at > self.now - BODIES_KEPT).then(|| id_at(at, self.rng));
        self.attempts.push(json!({
            "delivery_id": delivery_id, "number": number, "started_at": at,
            "duration_ms": duration_ms, "response_status": answer.status,
            "failure_class": answer.class.map(FailureClass::as_str),
            "failure_detail": answer.class.map(|_| answer.detail),
            "dns_ms": is_first.then_some(duration_ms.min(4)),
            "connect_ms": opened.then_some(duration_ms.min(30)),
            "first_byte_ms": answer.status.map(|_| duration_ms - duration_ms / 10),
            "exchange_id": exchange_id, "exchange_place": exchange_id.map(|_| 0),
        }));
        if let Some(id) = exchange_id {
            let said = exchange(event, webhook, (delivery_id, number), at, answer);
            let row = json!({"id": id, "recorded_at": at, "said": json!([said]).to_string()});
            self.exchanges.push(row);
        }
        let latest = self.latest.get(&webhook.id);
        if latest.is_none_or(|(latest, _)| *latest < at) {
            let row = json!({
                "webhook_id": webhook.id, "delivery_id": delivery_id, "delivery_status": "pending",
                "attempted_at": at, "response_status": answer.status,
                "failure_class": answer.class.map(FailureClass::as_str),
            });
            self.latest.insert(webhook.id, (at, row));
        }
        TimeDelta::milliseconds(i64::from(duration_ms))
    }
}

fn exchange(
    event: &Happened,
    webhook: &Shown,
    (delivery_id, number): (Uuid, usize),
    at: DateTime<Utc>,
    answer: &Answer,
) -> Value {
    let seconds = at.timestamp();
    let request_headers = json!([
        ["Content-Type", "application/json"],
        ["User-Agent", "webhook-dispatcher/0.1.0"],
        [
            "X-Webhook-Signature",
            format!(
                "t={seconds},v1=5257a869e7ecebeda32affa62cdca3fa51cad7e77a0e56ff536d0ce8e108d8bd"
            )
        ],
        ["webhook-id", event.id],
        ["webhook-timestamp", seconds.to_string()],
        [
            "webhook-signature",
            "v1,K5oZfzN95Z9UVu1EsfQmfVNQhnkZ2pj9o9NDN/H/pI4="
        ],
        ["X-Webhook-Event", event.event_type.as_str()],
        ["X-Webhook-Environment", event.environment.as_str()],
        ["X-Webhook-Delivery", delivery_id],
        ["X-Webhook-Attempt", number.to_string()],
        ["authorization", null],
    ]);
    json!({
        "url": webhook.url, "sent": request_headers, "got": answer.headers,
        "body": answer.body, "truncated": false,
    })
}
