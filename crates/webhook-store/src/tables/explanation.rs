//! Table `webhook_history`, and the explanation of an event: the outcome for every webhook, as of the
//! time of the intake.
//!
//! The outcome of a delivery is in its row. Without a delivery, the history tells the reason: a trigger
//! writes a version to the history whenever a webhook is created or changed.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use diesel::sql_types::{Array, BigInt, Bool, Integer, Jsonb, Nullable, Text, Timestamptz};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use serde_json::Value;
use uuid::Uuid;
use webhook_domain::{
    DeliveryId, Environment, EventId, EventOutcome, EventPattern, WebhookId, WebhookThen,
};

use crate::StoreError;
use crate::column_types::{Id, Named};
use crate::error::{name, unreadable};
use crate::sql::{Columns, row, sql};
use crate::tables::events::EventRow;

/// The outcomes of an event.
#[derive(Debug)]
pub struct Explanation {
    /// The number of webhooks with each outcome, on all pages. Outcomes of no webhook are left out.
    pub counts: HashMap<EventOutcome, i64>,
    /// A page of webhooks: webhooks with a delivery, then webhooks of the event's environment, then the
    /// rest.
    pub webhooks: Vec<ExplainedWebhook>,
}

/// The outcome of an event for a webhook.
#[derive(Debug, Clone)]
pub struct ExplainedWebhook {
    /// The webhook's place in the list.
    pub position: ExplainedPosition,
    /// The outcome.
    pub outcome: EventOutcome,
    /// The delivery; `None`: the webhook was not owed the event.
    pub delivery_id: Option<DeliveryId>,
    /// The number of recorded attempts.
    pub attempts: u32,
    /// The webhook's version at the intake; `None`: not kept any more.
    pub then: Option<WebhookThen>,
    /// The name of the webhook today.
    pub name: String,
    /// Whether the webhook is Inactive today.
    pub is_inactive: bool,
    /// Whether the webhook's name, environment, status or event types differ today, or the webhook was
    /// deleted.
    pub changed_since: bool,
}

/// Selects the webhooks of an explanation, page by page.
#[derive(Debug, Default)]
pub struct ExplanationFilter {
    /// Only the webhook.
    pub webhook_id: Option<WebhookId>,
    /// Only webhooks with the outcome.
    pub outcome: Option<EventOutcome>,
    /// The last webhook of the page before; `None`: the first page.
    pub after: Option<ExplainedPosition>,
    /// The most webhooks of a page.
    pub limit: i64,
}

/// The place of a webhook in the list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ExplainedPosition {
    /// 0: with a delivery; 1: of the event's environment; 2: the rest.
    pub rank: u8,
    /// The webhook.
    pub webhook_id: WebhookId,
}

row! {
    /// The columns behind `counts` are null in the only row of an empty page.
    struct ExplainedRow {
        counts: Option<Value> as Nullable<Jsonb>,
        rank: Option<i32> as Nullable<Integer>,
        webhook_id: Option<WebhookId> as Nullable<Id<WebhookId>>,
        outcome: Option<EventOutcome> as Nullable<Named<EventOutcome>>,
        delivery_id: Option<DeliveryId> as Nullable<Id<DeliveryId>>,
        attempts: Option<i32> as Nullable<Integer>,
        name: Option<String> as Nullable<Text>,
        is_inactive: Option<bool> as Nullable<Bool>,
        changed_since: bool as Bool,
        name_then: Option<String> as Nullable<Text>,
        environment_then: Option<Environment> as Nullable<Named<Environment>>,
        patterns_then: Option<Vec<String>> as Nullable<Array<Text>>,
        disabled_reason_then: Option<String> as Nullable<Text>,
    }
}

sql! {
    struct Explain<'a> from "explanation/explain.sql" -> Columns<ExplainedRow> {
        1 event_id: EventId as Id<EventId>,
        2 environment: Environment as Named<Environment>,
        3 received_at: DateTime<Utc> as Timestamptz,
        4 test_for: Option<WebhookId> as Nullable<Id<WebhookId>>,
        5 patterns: &'a [EventPattern] as Array<Named<EventPattern>>,
        6 after_rank: i32 as Integer,
        7 after_id: WebhookId as Id<WebhookId>,
        8 webhook_id: Option<WebhookId> as Nullable<Id<WebhookId>>,
        9 outcome: Option<EventOutcome> as Nullable<Named<EventOutcome>>,
        10 limit: i64 as BigInt,
    }
}

/// Explains an event.
pub async fn explain(
    connection: &mut AsyncPgConnection,
    event: &EventRow,
    filter: &ExplanationFilter,
) -> Result<Explanation, StoreError> {
    let patterns = [
        EventPattern::All,
        EventPattern::Group(event.event_type.group()),
        EventPattern::One(event.event_type),
    ];
    let statement = Explain::of(event, filter, &patterns);
    let rows: Vec<ExplainedRow> = statement.load(connection).await?;
    // Every row repeats the counts.
    let counts = rows.iter().find_map(|row| row.counts.clone());
    let webhooks = rows.into_iter().filter_map(|row| row.read().transpose());
    Ok(Explanation {
        counts: read_counts(counts.unwrap_or_default())?,
        webhooks: webhooks.collect::<Result<_, _>>()?,
    })
}

impl<'a> Explain<'a> {
    fn of(event: &EventRow, filter: &ExplanationFilter, patterns: &'a [EventPattern]) -> Self {
        let first_page = (-1, WebhookId(Uuid::nil()));
        let (after_rank, after_id) = filter.after.map_or(first_page, |after| {
            (i32::from(after.rank), after.webhook_id)
        });
        Self {
            event_id: event.id,
            environment: event.environment,
            received_at: event.received_at,
            test_for: event.test_for,
            patterns,
            after_rank,
            after_id,
            webhook_id: filter.webhook_id,
            outcome: filter.outcome,
            limit: filter.limit,
        }
    }
}

fn read_counts(counts: Value) -> Result<HashMap<EventOutcome, i64>, StoreError> {
    let counts: Option<HashMap<String, i64>> =
        serde_json::from_value(counts).map_err(unreadable)?;
    let counts = counts.unwrap_or_default().into_iter();
    let read = |(outcome, count): (String, i64)| Ok((name(&outcome)?, count));
    counts.map(read).collect()
}

impl ExplainedRow {
    /// `None`: the row of an empty page.
    fn read(self) -> Result<Option<ExplainedWebhook>, StoreError> {
        let (Some(webhook_id), Some(rank), Some(outcome)) =
            (self.webhook_id, self.rank, self.outcome)
        else {
            return Ok(None);
        };
        // The history of that time may have been removed as old.
        let then = match (self.name_then, self.environment_then, self.patterns_then) {
            (Some(name), Some(environment), Some(patterns)) => Some(WebhookThen {
                name,
                environment,
                patterns,
                disabled_reason: self.disabled_reason_then,
            }),
            _ => None,
        };
        Ok(Some(ExplainedWebhook {
            position: ExplainedPosition {
                rank: u8::try_from(rank).map_err(unreadable)?,
                webhook_id,
            },
            outcome,
            delivery_id: self.delivery_id,
            attempts: self.attempts.unwrap_or_default().unsigned_abs(),
            then,
            name: self.name.unwrap_or_default(),
            is_inactive: self.is_inactive.unwrap_or_default(),
            changed_since: self.changed_since,
        }))
    }
}
