//! Matching events with webhooks, by the committed state of the webhooks.

use std::collections::{BTreeSet, HashMap};

use chrono::{DateTime, Utc};
use diesel::sql_types::{Array, BigInt, Bool, Integer, Nullable, Text, Timestamptz};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use webhook_domain::{Environment, Event, EventType, WebhookId};

use crate::StoreError;
use crate::column_types::{Id, Named};
use crate::sql::{Columns, row, sql};

/// A webhook that receives an event.
#[derive(Debug, Clone)]
pub(super) struct Subscriber {
    pub(super) webhook_id: WebhookId,
    pub(super) version: i64,
    pub(super) max_concurrency: Option<i32>,
    pub(super) ordering_field: Option<String>,
    /// Whether deliveries go to the backlog: the webhook has a rate limit, an open circuit or a hold.
    pub(super) goes_to_backlog: bool,
}

/// The subscribers of the events of a batch.
#[derive(Debug, Default)]
pub(super) struct Subscribers {
    kinds: HashMap<Kind, Vec<Subscriber>>,
    /// The time of the match.
    pub(super) at: DateTime<Utc>,
}

/// The kind of an event. Events of one kind have the same subscribers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Kind {
    Of(Environment, EventType),
    /// A test event for a single webhook.
    TestFor(WebhookId),
}

impl Kind {
    fn of(event: &Event) -> Self {
        event
            .test_for
            .map_or(Self::Of(event.environment, event.event_type), Self::TestFor)
    }
}

row! {
    /// The time of the match, with a webhook and a kind of event. One row has only the time.
    struct MatchedRow {
        at: DateTime<Utc> as Timestamptz,
        environment: Option<Environment> as Nullable<Named<Environment>>,
        event_type: Option<EventType> as Nullable<Named<EventType>>,
        webhook_id: Option<WebhookId> as Nullable<Id<WebhookId>>,
        version: Option<i64> as Nullable<BigInt>,
        max_concurrency: Option<i32> as Nullable<Integer>,
        ordering_field: Option<String> as Nullable<Text>,
        goes_to_backlog: Option<bool> as Nullable<Bool>,
    }
}

sql! {
    struct Match from "match.sql" -> Columns<MatchedRow> {
        1 environments: Vec<Environment> as Array<Named<Environment>>,
        2 event_types: Vec<EventType> as Array<Named<EventType>>,
        3 test_for: Vec<WebhookId> as Array<Id<WebhookId>>,
    }
}

impl Subscribers {
    /// Finds the subscribers of a batch.
    pub(super) async fn find(
        connection: &mut AsyncPgConnection,
        events: &[Event],
    ) -> Result<Self, StoreError> {
        let mut found = Self::default();
        // Every kind of the batch, also kinds without a subscriber.
        for event in events {
            found.kinds.entry(Kind::of(event)).or_default();
        }
        let (mut environments, mut event_types) = (BTreeSet::new(), BTreeSet::new());
        let mut test_for = Vec::new();
        for kind in found.kinds.keys() {
            match kind {
                Kind::Of(environment, event_type) => {
                    environments.insert(*environment);
                    event_types.insert(*event_type);
                }
                Kind::TestFor(webhook_id) => test_for.push(*webhook_id),
            }
        }
        let statement = Match {
            environments: environments.into_iter().collect(),
            event_types: event_types.into_iter().collect(),
            test_for,
        };
        let rows: Vec<MatchedRow> = statement.load(connection).await?;
        for row in rows {
            found.add(row);
        }
        Ok(found)
    }

    fn add(&mut self, row: MatchedRow) {
        self.at = row.at;
        let Some(webhook_id) = row.webhook_id else {
            return;
        };
        let kind = match (row.environment, row.event_type) {
            (Some(environment), Some(event_type)) => Kind::Of(environment, event_type),
            _ => Kind::TestFor(webhook_id),
        };
        // The statement pairs each environment with each type; not every pair is in the batch.
        if let Some(subscribers) = self.kinds.get_mut(&kind) {
            subscribers.push(Subscriber {
                webhook_id,
                version: row.version.unwrap_or_default(),
                max_concurrency: row.max_concurrency,
                ordering_field: row.ordering_field,
                goes_to_backlog: row.goes_to_backlog.unwrap_or_default(),
            });
        }
    }

    /// The subscribers of an event.
    pub(super) fn for_event(&self, event: &Event) -> &[Subscriber] {
        self.kinds.get(&Kind::of(event)).map_or(&[], Vec::as_slice)
    }
}
