//! Table `events`, as the API reads it: all that was taken in, owed to a webhook or not.

use chrono::{DateTime, Utc};
use diesel::dsl::count_star;
use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Bool, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use uuid::Uuid;
use webhook_domain::{DeliveryStatus, Environment, EventId, EventType, WebhookId};

use crate::StoreError;
use crate::error::name;
use crate::schema::{deliveries, events};
use crate::statement::statement;

/// An event, its body aside.
#[derive(Debug, Clone)]
pub struct EventRow {
    /// Its id.
    pub id: EventId,
    /// What kind of thing happened.
    pub event_type: EventType,
    /// Where it happened.
    pub environment: Environment,
    /// When it happened, by the publisher's clock.
    pub timestamp: DateTime<Utc>,
    /// When it was taken in.
    pub received_at: DateTime<Utc>,
    /// Whether any webhook was owed it then.
    pub matched: bool,
    /// Set: a test event for this webhook only.
    pub test_for: Option<WebhookId>,
}

/// Which events to list.
#[derive(Debug)]
pub struct EventFilter {
    /// Of this type only.
    pub event_type: Option<EventType>,
    /// Of this environment only.
    pub environment: Option<Environment>,
    /// Only those that a webhook was owed, or only those that none was.
    pub matched: Option<bool>,
    /// Taken in not before this time.
    pub since: DateTime<Utc>,
    /// Before this place.
    pub before: EventPosition,
    /// At most so many.
    pub limit: i64,
}

/// A place in a list of events.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct EventPosition {
    /// When an event was taken in.
    pub received_at: DateTime<Utc>,
    /// Its id: several may come at once.
    pub id: EventId,
}

type SqlRow = (
    (SqlUuid, Text, Text, Timestamptz, Timestamptz),
    (Bool, Nullable<SqlUuid>),
);
type Row = (
    (Uuid, String, String, DateTime<Utc>, DateTime<Utc>),
    (bool, Option<Uuid>),
);

fn read((event, (matched, test_for)): Row) -> Result<EventRow, StoreError> {
    Ok(EventRow {
        id: EventId(event.0),
        event_type: name(&event.1)?,
        environment: name(&event.2)?,
        timestamp: event.3,
        received_at: event.4,
        matched,
        test_for: test_for.map(WebhookId),
    })
}

statement! {
    /// The index has its events in 126 groups, each in order of time: 21 types, 3 environments,
    /// `matched` or not. Those that are asked for are merged here, whichever they are.
    ///
    /// To read no more of each than the page can have, a few of the newest of each group are
    /// looked at first. If these fill a page, it does not go back further than they do. Four of
    /// each of 126 are more than two of the longest pages.
    ListEvents<'a> -> SqlRow {
        "WITH given AS (
            SELECT ", since: &'a DateTime<Utc> => Timestamptz,
        " AS since, ", before: &'a DateTime<Utc> => Timestamptz,
        " AS before, ", before_id: &'a Uuid => SqlUuid,
        " AS before_id
        ), sample AS (
            SELECT kind.*, newest.received_at
            FROM given, (SELECT * FROM unnest(", event_types: Vec<&'a str> => Array<Text>,
        ") AS event_type, unnest(", environments: Vec<&'a str> => Array<Text>,
        ") AS environment, unnest(", matched: Vec<bool> => Array<Bool>,
        ") AS matched) AS kind
            CROSS JOIN LATERAL (
                SELECT received_at FROM events
                WHERE events.event_type = kind.event_type
                  AND events.environment = kind.environment AND events.matched = kind.matched
                  AND received_at >= since AND (received_at, id) < (before, before_id)
                ORDER BY received_at DESC, id DESC LIMIT 4
            ) AS newest
        ), horizon AS (
            SELECT received_at FROM sample
            ORDER BY received_at DESC LIMIT 1 OFFSET ", nearer: i64 => BigInt,
        "), listed AS (
            SELECT newest.id
            FROM given, (SELECT DISTINCT event_type, environment, matched FROM sample) AS kind
            CROSS JOIN LATERAL (
                SELECT received_at, id FROM events
                WHERE events.event_type = kind.event_type
                  AND events.environment = kind.environment AND events.matched = kind.matched
                  AND received_at >= coalesce((SELECT received_at FROM horizon), since)
                  AND (received_at, id) < (before, before_id)
                ORDER BY received_at DESC, id DESC LIMIT ", of_each: i64 => BigInt,
        ") AS newest
            ORDER BY received_at DESC, newest.id DESC LIMIT ", limit: i64 => BigInt,
        ")
        SELECT id, event_type, environment, occurred_at, received_at, matched, test_webhook_id
        FROM events WHERE id = ANY(ARRAY(SELECT id FROM listed))
        ORDER BY received_at DESC, id DESC"
    }
}

/// Lists events, newest first. It reads a few hundred rows, however many there are.
pub async fn list(
    connection: &mut AsyncPgConnection,
    filter: &EventFilter,
) -> Result<Vec<EventRow>, StoreError> {
    let event_types = filter.event_type.as_ref().map(std::slice::from_ref);
    let environments = filter.environment.as_ref().map(std::slice::from_ref);
    let event_types = event_types.unwrap_or(EventType::ALL).iter();
    let environments = environments.unwrap_or(Environment::ALL).iter();
    let statement = ListEvents {
        since: &filter.since,
        before: &filter.before.received_at,
        before_id: &filter.before.id.0,
        event_types: event_types.map(|t| t.as_str()).collect(),
        environments: environments.map(|e| e.as_str()).collect(),
        matched: filter.matched.map_or(vec![true, false], |only| vec![only]),
        nearer: filter.limit - 1,
        of_each: filter.limit,
        limit: filter.limit,
    };
    let rows: Vec<Row> = statement.load(connection).await?;
    rows.into_iter().map(read).collect()
}

type LatestRow = (Text, Text, Timestamptz);

statement! {
    ListLatest<'a> -> LatestRow {
        "SELECT wanted.event_type, kind.environment, max(newest.received_at)
        FROM unnest(", event_types: &'a [&'a str] => Array<Text>,
        ") AS wanted (event_type), unnest(", environments: Vec<&'a str> => Array<Text>,
        ") AS kind (environment), (VALUES (false), (true)) AS groups (matched)
        CROSS JOIN LATERAL (
            SELECT received_at FROM events
            WHERE events.event_type = wanted.event_type
              AND events.environment = kind.environment AND events.matched = groups.matched
              AND test_webhook_id IS NULL
            ORDER BY received_at DESC, id DESC LIMIT 1
        ) AS newest
        GROUP BY 1, 2"
    }
}

/// When the latest event of each of these types was taken in, for each environment that had one.
pub async fn list_latest(
    connection: &mut AsyncPgConnection,
    event_types: &[&str],
) -> Result<Vec<(EventType, Environment, DateTime<Utc>)>, StoreError> {
    let environments = Environment::ALL.iter().map(|e| e.as_str()).collect();
    let statement = ListLatest {
        event_types,
        environments,
    };
    let rows: Vec<(String, String, DateTime<Utc>)> = statement.load(connection).await?;
    let read = |(event_type, environment, at): (String, String, _)| {
        Ok((name(&event_type)?, name(&environment)?, at))
    };
    rows.into_iter().map(read).collect()
}

/// Finds an event.
pub async fn find(
    connection: &mut AsyncPgConnection,
    id: EventId,
) -> Result<Option<EventRow>, StoreError> {
    let query = events::table.find(id.0).select((
        (
            events::id,
            events::event_type,
            events::environment,
            events::occurred_at,
            events::received_at,
        ),
        (events::matched, events::test_webhook_id),
    ));
    let row: Option<Row> = query.first(connection).await.optional()?;
    row.map(read).transpose()
}

/// Reads an event's body, byte for byte as it was published.
pub async fn find_body(
    connection: &mut AsyncPgConnection,
    id: EventId,
) -> Result<Option<Vec<u8>>, StoreError> {
    let body = events::table.find(id.0).select(events::body);
    Ok(body.first(connection).await.optional()?)
}

/// Counts an event's deliveries. Statuses that none is in are left out.
pub async fn count_deliveries(
    connection: &mut AsyncPgConnection,
    id: EventId,
) -> Result<Vec<(DeliveryStatus, i64)>, StoreError> {
    let counts: Vec<(String, i64)> = deliveries::table
        .filter(deliveries::event_id.eq(id.0))
        .group_by(deliveries::status)
        .select((deliveries::status, count_star()))
        .load(connection)
        .await?;
    let read = |(status, count): (String, i64)| Ok((name(&status)?, count));
    counts.into_iter().map(read).collect()
}
