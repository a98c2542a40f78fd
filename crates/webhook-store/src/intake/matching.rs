//! Who is owed what: the webhooks that want events of these types, as they are committed now.

use std::collections::{BTreeSet, HashMap};

use chrono::{DateTime, Utc};
use diesel::sql_types::{
    Array, BigInt, Bool, Integer, Nullable, Text, Timestamptz, Uuid as SqlUuid,
};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use uuid::Uuid;
use webhook_domain::{Environment, Event, EventType, WebhookId};

use crate::StoreError;
use crate::error::name;
use crate::statement::statement;

/// A webhook that is owed an event.
#[derive(Debug, Clone)]
pub(super) struct Subscriber {
    pub(super) webhook_id: WebhookId,
    pub(super) version: i64,
    pub(super) max_concurrency: Option<i32>,
    pub(super) ordering_field: Option<String>,
    /// Whether what it is owed waits for a token, for its circuit, or for the time that its receiver
    /// asked for.
    pub(super) waits: bool,
}

/// The subscribers of the events of a batch.
#[derive(Debug, Default)]
pub(super) struct Subscribers {
    kinds: HashMap<Kind, Vec<Subscriber>>,
    /// When it was so.
    pub(super) at: DateTime<Utc>,
}

/// What events have in common that go to the same webhooks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Kind {
    Of(Environment, EventType),
    /// A test, for this webhook only.
    TestFor(WebhookId),
}

impl Kind {
    fn of(event: &Event) -> Self {
        event
            .test_for
            .map_or(Self::Of(event.environment, event.event_type), Self::TestFor)
    }
}

type MatchRow = (
    (Timestamptz, Nullable<Text>, Nullable<Text>),
    (
        Nullable<SqlUuid>,
        Nullable<BigInt>,
        Nullable<Integer>,
        Nullable<Text>,
        Nullable<Bool>,
    ),
);

statement! {
    /// Each kind is asked for once, however many events of it there are.
    ///
    /// A test event is for one webhook, whatever it subscribed to; it has no order, and it does not
    /// wait for an open circuit, for a hold or for a rate, as somebody waits for its answer.
    ///
    /// There is a row that tells the time also when nobody wants anything.
    Match<'a> -> MatchRow {
        "WITH wanted AS MATERIALIZED (
            SELECT environment, event_type, webhook_id, false AS test FROM subscriptions
            WHERE environment = ANY(", environments: &'a [&'static str] => Array<Text>,
        ") AND event_type = ANY(", event_types: &'a [&'static str] => Array<Text>,
        ")
            UNION ALL
            SELECT NULL, NULL, webhook_id, true FROM unnest(", test_for: &'a [Uuid] => Array<SqlUuid>,
        ") AS test (webhook_id)
        ), active AS MATERIALIZED (
            SELECT id, version, max_concurrency, ordering_field, rate_limit FROM webhooks
            WHERE id = ANY(ARRAY(SELECT webhook_id FROM wanted)) AND status = 'active'
        ), failing AS MATERIALIZED (
            SELECT webhook_id, paused_until IS NOT NULL OR coalesce(held_until > now(), false) AS waits
            FROM webhook_health
            WHERE webhook_id = ANY(ARRAY(SELECT webhook_id FROM wanted))
        )
        SELECT now(), environment, event_type, id, version, max_concurrency,
               CASE WHEN NOT test THEN ordering_field END,
               NOT test AND (rate_limit IS NOT NULL OR coalesce(failing.waits, false))
        FROM wanted JOIN active ON active.id = wanted.webhook_id
        LEFT JOIN failing ON failing.webhook_id = wanted.webhook_id
        UNION ALL
        SELECT now(), NULL, NULL, NULL, NULL, NULL, NULL, NULL"
    }
}

type Row = (
    (DateTime<Utc>, Option<String>, Option<String>),
    (
        Option<Uuid>,
        Option<i64>,
        Option<i32>,
        Option<String>,
        Option<bool>,
    ),
);

impl Subscribers {
    /// Finds those of these events.
    pub(super) async fn find(
        connection: &mut AsyncPgConnection,
        events: &[Event],
    ) -> Result<Self, StoreError> {
        let mut found = Self::default();
        for event in events {
            found.kinds.entry(Kind::of(event)).or_default();
        }
        let (mut environments, mut event_types) = (BTreeSet::new(), BTreeSet::new());
        let mut test_for = Vec::new();
        for kind in found.kinds.keys() {
            match kind {
                Kind::Of(environment, event_type) => {
                    environments.insert(environment.as_str());
                    event_types.insert(event_type.as_str());
                }
                Kind::TestFor(webhook_id) => test_for.push(webhook_id.0),
            }
        }
        let statement = Match {
            environments: &Vec::from_iter(environments),
            event_types: &Vec::from_iter(event_types),
            test_for: &test_for,
        };
        let rows: Vec<Row> = statement.load(connection).await?;
        for row in rows {
            found.add(row)?;
        }
        Ok(found)
    }

    fn add(&mut self, row: Row) -> Result<(), StoreError> {
        let ((at, environment, event_type), (webhook_id, version, max_concurrency, field, waits)) =
            row;
        self.at = at;
        let Some(webhook_id) = webhook_id.map(WebhookId) else {
            return Ok(());
        };
        let kind = match (environment, event_type) {
            (Some(environment), Some(event_type)) => {
                Kind::Of(name(&environment)?, name(&event_type)?)
            }
            _ => Kind::TestFor(webhook_id),
        };
        // Of these environments and these types, not every pair may be there.
        if let Some(known) = self.kinds.get_mut(&kind) {
            known.push(Subscriber {
                webhook_id,
                version: version.unwrap_or_default(),
                max_concurrency,
                ordering_field: field,
                waits: waits.unwrap_or_default(),
            });
        }
        Ok(())
    }

    /// Those of an event.
    pub(super) fn of(&self, event: &Event) -> &[Subscriber] {
        self.kinds.get(&Kind::of(event)).map_or(&[], Vec::as_slice)
    }
}
