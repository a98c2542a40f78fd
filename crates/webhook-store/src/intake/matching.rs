//! Who is owed what: the webhooks that want events of these types, as they are committed now.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use diesel::sql_types::{
    Array, BigInt, Bool, Integer, Nullable, Text, Timestamptz, Uuid as SqlUuid,
};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use uuid::Uuid;
use webhook_domain::{Environment, Event, EventType, WebhookId};

use crate::StoreError;
use crate::statement::statement;

/// A webhook that is owed an event.
#[derive(Debug, Clone)]
pub(super) struct Subscriber {
    pub(super) webhook_id: WebhookId,
    pub(super) version: i64,
    pub(super) max_concurrency: Option<i32>,
    pub(super) ordering_field: Option<String>,
    /// Whether what it is owed waits for a token or for its circuit.
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
    (Timestamptz, Nullable<BigInt>, Nullable<SqlUuid>),
    (
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
    /// wait for an open circuit or for a rate, as somebody waits for its answer.
    ///
    /// There is a row that tells the time also when nobody wants anything.
    Match<'a> -> MatchRow {
        "WITH wanted AS (
            SELECT place, webhook_id, false AS test FROM unnest(",
            environments: &'a [&'static str] => Array<Text>,
        ", ", event_types: &'a [&'static str] => Array<Text>,
        ") WITH ORDINALITY AS kind (environment, event_type, place)
            JOIN subscriptions USING (environment, event_type)
            UNION ALL
            SELECT ", tests_from: i64 => BigInt, " + place, webhook_id, true FROM unnest(",
            test_for: &'a [Uuid] => Array<SqlUuid>,
        ") WITH ORDINALITY AS test (webhook_id, place)
        ), matched AS (
            SELECT place, webhooks.id, version, max_concurrency,
                   CASE WHEN NOT test THEN ordering_field END AS ordering_field,
                   NOT test AND (rate_limit IS NOT NULL OR paused_until IS NOT NULL) AS waits
            FROM wanted JOIN webhooks ON webhooks.id = wanted.webhook_id
            LEFT JOIN webhook_health ON webhook_health.webhook_id = webhooks.id
            WHERE webhooks.status = 'active'
        )
        SELECT now(), place, id, version, max_concurrency, ordering_field, waits
        FROM (SELECT) AS always LEFT JOIN matched ON true"
    }
}

type Row = (
    (DateTime<Utc>, Option<i64>, Option<Uuid>),
    (Option<i64>, Option<i32>, Option<String>, Option<bool>),
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
        let (mut kinds, mut tests) = (Vec::new(), Vec::new());
        let (mut environments, mut event_types, mut test_for) =
            (Vec::new(), Vec::new(), Vec::new());
        for kind in found.kinds.keys().copied() {
            match kind {
                Kind::Of(environment, event_type) => {
                    environments.push(environment.as_str());
                    event_types.push(event_type.as_str());
                    kinds.push(kind);
                }
                Kind::TestFor(webhook_id) => {
                    test_for.push(webhook_id.0);
                    tests.push(kind);
                }
            }
        }
        let statement = Match {
            environments: &environments,
            event_types: &event_types,
            tests_from: i64::try_from(kinds.len()).unwrap_or(i64::MAX),
            test_for: &test_for,
        };
        let rows: Vec<Row> = statement.load(connection).await?;
        kinds.extend(tests);
        for ((at, place, webhook_id), (version, max_concurrency, ordering_field, waits)) in rows {
            found.at = at;
            let (Some(place), Some(webhook_id)) = (place, webhook_id) else {
                continue;
            };
            let kind = usize::try_from(place - 1).ok().and_then(|at| kinds.get(at));
            let subscribers = kind.and_then(|kind| found.kinds.get_mut(kind));
            subscribers.into_iter().for_each(|known| {
                known.push(Subscriber {
                    webhook_id: WebhookId(webhook_id),
                    version: version.unwrap_or_default(),
                    max_concurrency,
                    ordering_field: ordering_field.clone(),
                    waits: waits.unwrap_or_default(),
                });
            });
        }
        Ok(found)
    }

    /// Those of an event.
    pub(super) fn of(&self, event: &Event) -> &[Subscriber] {
        self.kinds.get(&Kind::of(event)).map_or(&[], Vec::as_slice)
    }
}
