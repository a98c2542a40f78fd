//! What a job is about, as its row keeps it.

use chrono::{DateTime, Utc};
use diesel_async::AsyncPgConnection;
use serde_json::{Value, json};
use webhook_domain::{AnswerRange, Environment, EventType, JobKind, StatusFilter, WebhookId};

use super::replay::{Replay, count_missed};
use super::until_now;
use crate::StoreError;
use crate::deliveries::{self, DeliveryFilter};
use crate::error::unreadable;

/// What a job is about.
#[derive(Debug, Clone)]
pub enum Selection {
    /// These deliveries are sent again.
    Retry(DeliveryFilter),
    /// These events are sent to a webhook that missed them.
    Replay(Replay),
}

impl Selection {
    /// What the job does.
    pub fn kind(&self) -> JobKind {
        match self {
            Self::Retry(_) => JobKind::Retry,
            Self::Replay(_) => JobKind::Replay,
        }
    }

    /// The webhook that it is about, if it is one.
    pub fn webhook_id(&self) -> Option<WebhookId> {
        match self {
            Self::Retry(filter) => filter.webhook_id,
            Self::Replay(replay) => Some(replay.webhook_id),
        }
    }

    /// Counts what the job would be about.
    pub async fn count(&self, connection: &mut AsyncPgConnection) -> Result<i64, StoreError> {
        match self {
            Self::Retry(filter) => deliveries::count(connection, filter).await,
            Self::Replay(replay) => count_missed(connection, replay).await,
        }
    }

    /// The same, without what comes from now on: a job does not chase its own tail.
    pub fn up_to_now(mut self) -> Self {
        match &mut self {
            Self::Retry(filter) => filter.until = Some(until_now(filter.until)),
            Self::Replay(replay) => replay.until = until_now(Some(replay.until)),
        }
        self
    }

    /// As JSON.
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
    parse(text)?.ok_or_else(|| unreadable("a job without all of its selection"))
}

fn range(json: Value) -> Result<AnswerRange, StoreError> {
    let [first, last] = serde_json::from_value(json).map_err(unreadable)?;
    Ok(AnswerRange { first, last })
}
