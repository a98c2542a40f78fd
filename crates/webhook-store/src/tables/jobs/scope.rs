//! The deliveries or events of a job, and their JSON in the job's row.

use chrono::{DateTime, TimeDelta, Utc};
use diesel_async::AsyncPgConnection;
use serde_json::{Value, json};
use webhook_domain::{Environment, EventType, JobKind, ResponseRange, StatusFilter, WebhookId};

use crate::StoreError;
use crate::error::unreadable;
use crate::tables::deliveries::{self, DeliveryFilter};
use crate::tables::events;

/// The deliveries or events of a job.
#[derive(Debug, Clone)]
pub enum JobScope {
    /// The deliveries to be retried.
    Retry(DeliveryFilter),
    /// The events to be sent to a webhook.
    Replay(Replay),
}

/// Events of a webhook's environment, never owed to the webhook.
#[derive(Debug, Clone)]
pub struct Replay {
    /// The webhook.
    pub webhook_id: WebhookId,
    /// Only events of the types.
    pub event_types: Vec<EventType>,
    /// Only events taken in at the time or later.
    pub since: DateTime<Utc>,
    /// Only events taken in before the time.
    pub until: DateTime<Utc>,
}

impl JobScope {
    /// The kind of job.
    pub fn kind(&self) -> JobKind {
        match self {
            Self::Retry(_) => JobKind::Retry,
            Self::Replay(_) => JobKind::Replay,
        }
    }

    /// The only webhook of the scope; `None`: several.
    pub fn webhook_id(&self) -> Option<WebhookId> {
        match self {
            Self::Retry(filter) => filter.webhook_id,
            Self::Replay(replay) => Some(replay.webhook_id),
        }
    }

    /// Counts the deliveries or events.
    pub async fn count(&self, connection: &mut AsyncPgConnection) -> Result<i64, StoreError> {
        match self {
            Self::Retry(filter) => deliveries::count(connection, filter).await,
            Self::Replay(replay) => {
                let span = (replay.since, replay.until);
                events::count_missed(connection, replay.webhook_id, &replay.event_types, span).await
            }
        }
    }

    /// Ends the span of time now: a job must not retry the deliveries made due by its own steps.
    pub fn up_to_now(mut self) -> Self {
        match &mut self {
            Self::Retry(filter) => filter.until = Some(until_now(filter.until)),
            Self::Replay(replay) => replay.until = until_now(Some(replay.until)),
        }
        self
    }

    /// Writes the scope as JSON.
    pub fn write(&self) -> Value {
        match self {
            Self::Retry(filter) => json!({
                "webhook_id": filter.webhook_id,
                "search": filter.search,
                "event_id": filter.event_id,
                "event_type": filter.event_type.map(EventType::as_str),
                "environment": filter.environment.map(Environment::as_str),
                "status": filter.status.map(StatusFilter::as_str),
                "response": filter.response.map(|range| [range.first, range.last]),
                "since": filter.since,
                "until": filter.until,
            }),
            Self::Replay(replay) => json!({
                "webhook_id": replay.webhook_id,
                "event_types": replay.event_types.iter().map(|t| t.as_str()).collect::<Vec<_>>(),
                "since": replay.since,
                "until": replay.until,
            }),
        }
    }

    pub(super) fn read(kind: JobKind, json: &Value) -> Result<Self, StoreError> {
        let field = |name: &str| json.get(name).filter(|value| !value.is_null());
        let text = |name: &str| field(name).and_then(Value::as_str);
        match kind {
            JobKind::Retry => Ok(Self::Retry(DeliveryFilter {
                webhook_id: parse(text("webhook_id"))?,
                search: text("search").map(ToOwned::to_owned),
                event_id: parse(text("event_id"))?,
                event_type: parse(text("event_type"))?,
                environment: parse(text("environment"))?,
                status: parse(text("status"))?,
                response: field("response").cloned().map(range).transpose()?,
                since: parse(text("since"))?,
                until: parse(text("until"))?,
            })),
            JobKind::Replay => {
                let types = field("event_types").and_then(Value::as_array);
                let types = types.into_iter().flatten().filter_map(Value::as_str);
                let types = types.map(|name| name.parse().map_err(unreadable));
                Ok(Self::Replay(Replay {
                    webhook_id: required(text("webhook_id"))?,
                    event_types: types.collect::<Result<Vec<EventType>, _>>()?,
                    since: required::<DateTime<Utc>>(text("since"))?,
                    until: required(text("until"))?,
                }))
            }
        }
    }
}

fn parse<T: std::str::FromStr<Err: ToString>>(text: Option<&str>) -> Result<Option<T>, StoreError> {
    text.map(|text| text.parse().map_err(unreadable))
        .transpose()
}

fn required<T: std::str::FromStr<Err: ToString>>(text: Option<&str>) -> Result<T, StoreError> {
    parse(text)?.ok_or_else(|| unreadable("a job without all of its scope"))
}

fn range(json: Value) -> Result<ResponseRange, StoreError> {
    let [first, last] = serde_json::from_value(json).map_err(unreadable)?;
    Ok(ResponseRange { first, last })
}

/// The end of the span of time of a new job.
fn until_now(until: Option<DateTime<Utc>>) -> DateTime<Utc> {
    // Ids of deliveries hold whole milliseconds: deliveries of the current one belong to the job.
    let now = Utc::now() + TimeDelta::milliseconds(1);
    until.map_or(now, |until| until.min(now))
}
