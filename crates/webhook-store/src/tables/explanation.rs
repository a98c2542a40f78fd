//! What became of an event for every webhook, told as of the moment when it was taken in.
//!
//! Whether a delivery exists is the truth. Table `webhook_history` only tells why none does: its
//! rows are written by a trigger whenever a webhook is made or changed.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use diesel::sql_types::{
    Array, BigInt, Bool, Integer, Jsonb, Nullable, Text, Timestamptz, Uuid as SqlUuid,
};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use serde_json::Value;
use uuid::Uuid;
use webhook_domain::{DeliveryId, EventOutcome, EventPattern, WebhookId, WebhookThen};

use crate::StoreError;
use crate::error::{name, unreadable};
use crate::events::EventRow;
use crate::statement::statement;

/// What became of an event.
#[derive(Debug)]
pub struct Explanation {
    /// How many webhooks have each outcome, whatever the page shows. Those that none has are left
    /// out.
    pub counts: HashMap<EventOutcome, i64>,
    /// Webhooks: those that were owed the event, then those of its environment, then the rest.
    pub webhooks: Vec<ExplainedWebhook>,
}

/// What became of an event for one webhook.
#[derive(Debug, Clone)]
pub struct ExplainedWebhook {
    /// Its place in the list.
    pub position: ExplainedPosition,
    /// What became of it.
    pub outcome: EventOutcome,
    /// Its delivery, if there is one.
    pub delivery_id: Option<DeliveryId>,
    /// How many attempts were recorded.
    pub attempts: u32,
    /// The webhook at that moment; `None`: not known any more.
    pub then: Option<WebhookThen>,
    /// What the webhook is called today.
    pub name: String,
    /// Whether the webhook is Inactive today.
    pub is_inactive: bool,
    /// Whether it is another one today: by its name, environment, status or event types, or
    /// because it was deleted.
    pub changed_since: bool,
}

/// Which webhooks to tell of.
#[derive(Debug, Default)]
pub struct ExplanationFilter {
    /// This one only.
    pub webhook_id: Option<WebhookId>,
    /// Those with this outcome only.
    pub outcome: Option<EventOutcome>,
    /// After this one, which was the last of the page before.
    pub after: Option<ExplainedPosition>,
    /// At most so many.
    pub limit: i64,
}

/// A place in the list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ExplainedPosition {
    /// 0: owed the event, 1: of its environment, 2: the rest.
    pub rank: u8,
    /// The webhook.
    pub webhook_id: WebhookId,
}

type SqlRow = (
    Nullable<Jsonb>,
    Nullable<(
        (Integer, SqlUuid, Text, Nullable<SqlUuid>, Nullable<Integer>),
        (Text, Bool, Bool),
        (
            Nullable<Text>,
            Nullable<Text>,
            Nullable<Array<Text>>,
            Nullable<Text>,
        ),
    )>,
);
type Row = (Option<Value>, Option<WebhookRow>);
type WebhookRow = (
    (i32, Uuid, String, Option<Uuid>, Option<i32>),
    (String, bool, bool),
    (
        Option<String>,
        Option<String>,
        Option<Vec<String>>,
        Option<String>,
    ),
);

statement! {
    /// `missed` says why a webhook as it was did not get the event; null: it should have. A test
    /// event is for one webhook, whatever that one subscribed to.
    ///
    /// A change that commits while the event is taken in may be dated to the other side of it. So
    /// where no delivery is, and the webhook should have got one, the version within 10 s that
    /// explains it best is taken: the nearest. `greatest(…) - least(…)` is how far away a version
    /// is, 0 for the one of that moment, without looking at the end of time.
    ///
    /// All webhooks are judged for the counts; what is shown of a few is read at the end.
    Explain<'a> -> SqlRow {
        "WITH given AS (
            SELECT ", event_id: &'a Uuid => SqlUuid,
        " AS event_id, ", environment: &'a str => Text,
        " AS environment, ", received_at: &'a DateTime<Utc> => Timestamptz,
        " AS received_at, ", test_for: Option<Uuid> => Nullable<SqlUuid>,
        " AS test_for, ", patterns: &'a [String] => Array<Text>,
        " AS patterns
        ), judged AS MATERIALIZED (
            SELECT DISTINCT ON (webhooks.id) webhooks.id AS webhook_id,
                   delivery.id AS delivery_id, attempts, valid_until,
                   CASE
                     WHEN delivery.status = 'succeeded' THEN 'delivered'
                     WHEN delivery.status = 'pending' AND attempts > 0 THEN 'retrying'
                     WHEN delivery.status IS NOT NULL THEN delivery.status::text
                     WHEN test_for <> webhooks.id THEN 'test_event'
                     ELSE coalesce(missed, 'not_kept')
                   END AS outcome,
                   CASE
                     WHEN delivery.id IS NOT NULL THEN 0
                     WHEN coalesce(history.environment, webhooks.environment) = given.environment THEN 1
                     ELSE 2
                   END AS rank
            FROM given CROSS JOIN webhooks
            LEFT JOIN deliveries AS delivery
              ON delivery.event_id = given.event_id AND delivery.webhook_id = webhooks.id
            LEFT JOIN webhook_history AS history ON history.webhook_id = webhooks.id
              AND tstzrange(valid_from, valid_until)
                  && tstzrange(received_at - interval '10 s', received_at + interval '10 s')
            CROSS JOIN LATERAL (SELECT CASE
                WHEN history.version = 0 THEN 'created_later'
                WHEN history.deleted THEN 'deleted'
                WHEN test_for IS NULL AND history.environment <> given.environment
                  THEN 'other_environment'
                WHEN test_for IS NULL AND NOT history.event_types && patterns THEN 'not_subscribed'
                WHEN history.status = 'inactive' THEN 'inactive'
            END AS missed) AS judgement
            ORDER BY webhooks.id, delivery.id IS NULL AND missed IS NULL,
                     greatest(valid_from, received_at) - least(valid_until, received_at)
        ), counted AS (
            SELECT jsonb_object_agg(outcome, webhooks) AS counts
            FROM (SELECT outcome, count(*) AS webhooks FROM judged GROUP BY outcome) AS each
        ), page AS (
            SELECT * FROM judged
            WHERE (rank, webhook_id) > (", after_rank: i32 => Integer,
        ", ", after_id: &'a Uuid => SqlUuid,
        ") AND webhook_id = coalesce(", webhook_id: Option<Uuid> => Nullable<SqlUuid>,
        ", webhook_id) AND outcome = coalesce(", outcome: Option<&'a str> => Nullable<Text>,
        ", outcome)
            ORDER BY rank, webhook_id LIMIT ", limit: i64 => BigInt,
        ")
        SELECT counts, rank, page.webhook_id, outcome, delivery_id, attempts, webhooks.name,
               webhooks.status = 'inactive', valid_until IS DISTINCT FROM 'infinity',
               history.name, history.environment, history.event_types, history.disabled_reason
        FROM counted
        LEFT JOIN (page JOIN webhooks ON webhooks.id = page.webhook_id) ON true
        LEFT JOIN webhook_history AS history USING (webhook_id, valid_until)
        ORDER BY rank, page.webhook_id"
    }
}

/// Explains an event.
pub async fn explain(
    connection: &mut AsyncPgConnection,
    event: &EventRow,
    filter: &ExplanationFilter,
) -> Result<Explanation, StoreError> {
    let group = EventPattern::Group(event.event_type.group());
    let patterns = [
        EventPattern::All,
        group,
        EventPattern::One(event.event_type),
    ];
    let patterns = patterns.map(|pattern| pattern.to_string());
    let after = filter.after.map_or((-1, Uuid::nil()), |after| {
        (i32::from(after.rank), after.webhook_id.0)
    });
    let statement = Explain {
        event_id: &event.id.0,
        environment: event.environment.as_str(),
        received_at: &event.received_at,
        test_for: event.test_for.map(|id| id.0),
        patterns: &patterns,
        after_rank: after.0,
        after_id: &after.1,
        webhook_id: filter.webhook_id.map(|id| id.0),
        outcome: filter.outcome.map(EventOutcome::as_str),
        limit: filter.limit,
    };
    let rows: Vec<Row> = statement.load(connection).await?;
    let counts = rows.iter().find_map(|(counts, _)| counts.clone());
    let webhooks = rows.into_iter().filter_map(|(_, row)| row);
    Ok(Explanation {
        counts: read_counts(counts.unwrap_or_default())?,
        webhooks: webhooks.map(read).collect::<Result<_, _>>()?,
    })
}

fn read_counts(counts: Value) -> Result<HashMap<EventOutcome, i64>, StoreError> {
    let counts: Option<HashMap<String, i64>> =
        serde_json::from_value(counts).map_err(unreadable)?;
    let counts = counts.unwrap_or_default().into_iter();
    let read = |(outcome, count): (String, i64)| Ok((name(&outcome)?, count));
    counts.map(read).collect()
}

fn read((judged, today, then): WebhookRow) -> Result<ExplainedWebhook, StoreError> {
    let (rank, webhook_id, outcome, delivery_id, attempts) = judged;
    let then = match then {
        (Some(called), Some(environment), Some(patterns), disabled_reason) => Some(WebhookThen {
            name: called,
            environment: name(&environment)?,
            patterns,
            disabled_reason,
        }),
        _ => None,
    };
    Ok(ExplainedWebhook {
        position: ExplainedPosition {
            rank: u8::try_from(rank).map_err(unreadable)?,
            webhook_id: WebhookId(webhook_id),
        },
        outcome: name(&outcome)?,
        delivery_id: delivery_id.map(DeliveryId),
        attempts: attempts.unwrap_or_default().unsigned_abs(),
        then,
        name: today.0,
        is_inactive: today.1,
        changed_since: today.2,
    })
}
