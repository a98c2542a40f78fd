//! Table `events`: every event taken in, owed to a webhook or not.

use chrono::{DateTime, Utc};
use diesel::dsl::count_star;
use diesel::pg::Pg;
use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Bool, Bytea, Timestamptz};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use webhook_domain::{DeliveryStatus, Environment, EventId, EventType, WebhookId};

use crate::StoreError;
use crate::column_types::{Id, Named, bind};
use crate::schema::{deliveries, events};
use crate::sql::{Selected, sql};

/// An event without its body.
#[derive(Debug, Clone, Queryable, Selectable)]
#[diesel(table_name = events, check_for_backend(Pg))]
pub struct EventRow {
    /// The event's id, chosen by the publisher.
    pub id: EventId,
    /// The event's type.
    pub event_type: EventType,
    /// The event's environment.
    pub environment: Environment,
    /// The time of the event, by the publisher's clock.
    #[diesel(column_name = occurred_at)]
    pub timestamp: DateTime<Utc>,
    /// The time of the intake.
    pub received_at: DateTime<Utc>,
    /// Whether any webhook was owed the event at the intake.
    pub matched: bool,
    /// The only webhook for a test event; `None`: not a test event.
    #[diesel(column_name = test_webhook_id)]
    pub test_for: Option<WebhookId>,
}

/// Selects events, page by page.
#[derive(Debug)]
pub struct EventFilter {
    /// Only events of the type.
    pub event_type: Option<EventType>,
    /// Only events of the environment.
    pub environment: Option<Environment>,
    /// `true`: only events owed to a webhook; `false`: only events owed to no webhook.
    pub matched: Option<bool>,
    /// Only events taken in at the time or later.
    pub since: DateTime<Utc>,
    /// Only events before the place.
    pub before: EventPosition,
    /// The most events of a page.
    pub limit: i64,
}

/// The place of an event in a list: the time, then the id, as several events may come at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct EventPosition {
    /// The time of the intake.
    pub received_at: DateTime<Utc>,
    /// The event's id.
    pub id: EventId,
}

sql! {
    struct ListEvents<'a> from "events/list.sql" -> Selected<EventRow> {
        1 since: DateTime<Utc> as Timestamptz,
        2 before: DateTime<Utc> as Timestamptz,
        3 before_id: EventId as Id<EventId>,
        4 event_types: &'a [EventType] as Array<Named<EventType>>,
        5 environments: &'a [Environment] as Array<Named<Environment>>,
        6 matched: &'a [bool] as Array<Bool>,
        7 limit_less_one: i64 as BigInt,
        8 limit: i64 as BigInt,
    }
}

/// Lists events, newest first. Reads a few hundred rows, however many events there are.
pub async fn list(
    connection: &mut AsyncPgConnection,
    filter: &EventFilter,
) -> Result<Vec<EventRow>, StoreError> {
    // No filter means all values: the statement merges the groups of the given ones.
    let event_types = filter.event_type.as_ref().map(std::slice::from_ref);
    let environments = filter.environment.as_ref().map(std::slice::from_ref);
    let matched = filter.matched.as_ref().map(std::slice::from_ref);
    let statement = ListEvents {
        since: filter.since,
        before: filter.before.received_at,
        before_id: filter.before.id,
        event_types: event_types.unwrap_or(EventType::ALL),
        environments: environments.unwrap_or(Environment::ALL),
        matched: matched.unwrap_or(&[true, false]),
        limit_less_one: filter.limit - 1,
        limit: filter.limit,
    };
    Ok(statement.load(connection).await?)
}

/// The type and environment of an event, and the time of the intake.
type Latest = (EventType, Environment, DateTime<Utc>);

sql! {
    struct ListLatest<'a>
        from "events/list_latest.sql"
        -> (Named<EventType>, Named<Environment>, Timestamptz)
    {
        1 event_types: &'a [EventType] as Array<Named<EventType>>,
        2 environments: &'a [Environment] as Array<Named<Environment>>,
    }
}

/// Finds the time of the latest intake by type and environment. Pairs without events are left out.
pub async fn list_latest(
    connection: &mut AsyncPgConnection,
    event_types: &[EventType],
) -> Result<Vec<Latest>, StoreError> {
    let statement = ListLatest {
        event_types,
        environments: Environment::ALL,
    };
    Ok(statement.load(connection).await?)
}

/// Finds an event.
pub async fn find(
    connection: &mut AsyncPgConnection,
    id: EventId,
) -> Result<Option<EventRow>, StoreError> {
    let event = events::table.find(bind(id)).select(EventRow::as_select());
    Ok(event.first(connection).await.optional()?)
}

/// Reads an event's body, byte for byte as published.
pub async fn find_body(
    connection: &mut AsyncPgConnection,
    id: EventId,
) -> Result<Option<Vec<u8>>, StoreError> {
    let body = events::table.find(bind(id)).select(events::body);
    Ok(body.first(connection).await.optional()?)
}

sql! {
    struct ListRecent<'a> from "events/list_recent.sql" -> Bytea {
        1 event_types: &'a [EventType] as Array<Named<EventType>>,
        2 environment: Environment as Named<Environment>,
        3 of_type: i64 as BigInt,
        4 bytes: i64 as BigInt,
    }
}

/// The most bytes that [`list_recent`] reads: 1 MiB, two thousand events of the usual size.
const MAX_RECENT_BYTES: i64 = 1024 * 1024;

/// Reads the bodies of the latest events of some types in an environment, newest first: at most `of_type` of each
/// type, and 1 MiB together. Test events do not count.
pub async fn list_recent(
    connection: &mut AsyncPgConnection,
    environment: Environment,
    event_types: &[EventType],
    of_type: i64,
) -> Result<Vec<Vec<u8>>, StoreError> {
    let statement = ListRecent {
        event_types,
        environment,
        of_type,
        bytes: MAX_RECENT_BYTES,
    };
    Ok(statement.load(connection).await?)
}

/// Counts an event's deliveries by status. Statuses without deliveries are left out.
pub async fn count_deliveries(
    connection: &mut AsyncPgConnection,
    id: EventId,
) -> Result<Vec<(DeliveryStatus, i64)>, StoreError> {
    let counts = deliveries::table
        .filter(deliveries::event_id.eq(bind(id)))
        .group_by(deliveries::status)
        .select((deliveries::status, count_star()));
    Ok(counts.load(connection).await?)
}

sql! {
    struct CountMissed<'a> from "events/count_missed.sql" -> BigInt {
        1 webhook_id: WebhookId as Id<WebhookId>,
        2 event_types: &'a [EventType] as Array<Named<EventType>>,
        3 since: DateTime<Utc> as Timestamptz,
        4 until: DateTime<Utc> as Timestamptz,
    }
}

/// Counts the events of a span of time that were never owed to a webhook.
pub(crate) async fn count_missed(
    connection: &mut AsyncPgConnection,
    webhook_id: WebhookId,
    event_types: &[EventType],
    (since, until): (DateTime<Utc>, DateTime<Utc>),
) -> Result<i64, StoreError> {
    let statement = CountMissed {
        webhook_id,
        event_types,
        since,
        until,
    };
    Ok(statement.get_result(connection).await?)
}
