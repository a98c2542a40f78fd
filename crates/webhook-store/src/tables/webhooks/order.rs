//! The orders of lists of webhooks, and the places in them.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use webhook_domain::WebhookId;

use super::joined::{Condition, lower};
use super::row::Webhook;
use crate::column_types::bind;
use crate::schema::{webhook_activity, webhook_days, webhooks};

/// The order of a list of webhooks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sort {
    /// The property to sort by.
    pub by: SortKey,
    /// Whether the greatest comes first.
    pub descending: bool,
}

/// A property to sort webhooks by. Equal webhooks are sorted by id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SortKey {
    /// The time of creation.
    Created,
    /// The name, in any case.
    Name,
    /// The start of the latest attempt. Webhooks without an attempt count as the oldest.
    LastAttempt,
    /// The share of failed attempts of the last 24 hours. Webhooks without an attempt count as the lowest.
    FailureRate,
    /// The time within which 95 % of the attempts of the last 24 hours ended. Webhooks without an attempt
    /// count as the fastest.
    ResponseTime,
}

impl Default for Sort {
    /// Newest first.
    fn default() -> Self {
        Self {
            by: SortKey::Created,
            descending: true,
        }
    }
}

/// A place in a sorted list: the place of a webhook when the page was made. A webhook that changes or
/// is deleted afterwards does not move the place.
#[derive(Debug, Clone, PartialEq)]
pub struct Position {
    /// The webhook.
    pub id: WebhookId,
    /// The webhook's name, for lists sorted by name.
    pub name: String,
    /// The webhook's latest attempt, for lists sorted by attempts.
    pub attempted_at: Option<DateTime<Utc>>,
    /// The webhook's failure rate, for lists sorted by failure rates.
    pub failure_rate: Option<f64>,
    /// The webhook's response time in milliseconds, for lists sorted by response times.
    pub p95_ms: Option<i32>,
}

impl Webhook {
    /// The webhook's place in a list.
    pub fn position(&self) -> Position {
        Position {
            id: self.id,
            name: self.settings.name.as_str().to_owned(),
            attempted_at: self.last_attempt.as_ref().map(|last| last.attempted_at),
            failure_rate: self.day.map(|day| day.failure_rate),
            p95_ms: self.day.and_then(|day| day.p95_ms),
        }
    }
}

/// The condition for the webhooks behind a value that some webhooks do not have: these come last when the
/// greatest comes first, and first otherwise.
macro_rules! beyond_value {
    ($column:expr, $value:expr, $id:expr, $descending:expr) => {{
        let (column, id) = ($column, $id);
        let condition: Condition = match ($value, $descending) {
            (None, true) => {
                let less = webhooks::id.lt(bind(id));
                Box::new(column.is_null().and(less).nullable())
            }
            (None, false) => {
                let same = column.is_null().and(webhooks::id.gt(bind(id)));
                Box::new(column.is_not_null().or(same).nullable())
            }
            (Some(value), true) => {
                let same = column.eq(value).and(webhooks::id.lt(bind(id)));
                let never = column.is_null().nullable();
                Box::new(column.lt(value).or(same).or(never))
            }
            (Some(value), false) => {
                let same = column.eq(value).and(webhooks::id.gt(bind(id)));
                Box::new(column.gt(value).or(same))
            }
        };
        condition
    }};
}

/// The condition for the webhooks behind a place, by the order of the list.
pub(super) fn beyond(sort: Sort, after: &Position) -> Condition {
    let id = after.id;
    match (sort.by, sort.descending) {
        (SortKey::Created, true) => Box::new(webhooks::id.lt(bind(id)).nullable()),
        (SortKey::Created, false) => Box::new(webhooks::id.gt(bind(id)).nullable()),
        (SortKey::Name, descending) => beyond_name(id, after.name.clone(), descending),
        (SortKey::LastAttempt, descending) => {
            let attempted = webhook_activity::attempted_at.nullable();
            beyond_value!(attempted, after.attempted_at, id, descending)
        }
        (SortKey::FailureRate, descending) => {
            let rate = webhook_days::failure_rate.nullable();
            beyond_value!(rate, after.failure_rate, id, descending)
        }
        (SortKey::ResponseTime, descending) => {
            let p95 = webhook_days::p95_ms.nullable();
            beyond_value!(p95, after.p95_ms, id, descending)
        }
    }
}

fn beyond_name(id: WebhookId, name: String, descending: bool) -> Condition {
    let by_name = lower(webhooks::name);
    let same = by_name.eq(lower(name.clone()));
    if descending {
        let same = same.and(webhooks::id.lt(bind(id)));
        Box::new(by_name.lt(lower(name)).or(same).nullable())
    } else {
        let same = same.and(webhooks::id.gt(bind(id)));
        Box::new(by_name.gt(lower(name)).or(same).nullable())
    }
}
