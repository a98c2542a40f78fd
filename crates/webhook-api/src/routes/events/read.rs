//! Events are looked at: all that were taken in, owed to a webhook or not.

use std::collections::BTreeMap;

use actix_web::HttpRequest;
use actix_web::web::{Data, Json, Path};
use chrono::{DateTime, Utc};
use serde::Serialize;
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;
use webhook_domain::{DeliveryStatus, EventId};
use webhook_store::events::{self, EventFilter, EventPosition, EventRow};

use crate::refusals::Refusals;
use webhook_admin::Connections;
use webhook_admin::Refusal;
use webhook_admin::fields::Fields;
use webhook_admin::lists::{Page, PageLimit, far_future, read_place, read_place_time, write_place};
use webhook_admin::schema;
use webhook_admin::values::{parse_bool, parse_time};
use webhook_web::Problem;

/// Which events to list.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[allow(
    dead_code,
    reason = "it documents what `parse_filter` reads field by field"
)]
pub(crate) struct ListEvents {
    #[param(value_type = Option<schema::EventTypeName>, inline)]
    event_type: Option<String>,
    #[param(value_type = Option<schema::EnvironmentName>, inline)]
    environment: Option<String>,
    /// Only those that a webhook was owed, or only those that none was.
    matched: Option<bool>,
    /// Taken in not before this time.
    since: Option<DateTime<Utc>>,
    /// Taken in before this time.
    until: Option<DateTime<Utc>>,
    /// `next_cursor` of the page before.
    #[param(value_type = Option<schema::CursorText>, inline)]
    cursor: Option<String>,
    /// Events per page, 50 when left out.
    #[param(minimum = 1, maximum = 200)]
    limit: Option<u8>,
}

/// An event that was taken in.
#[derive(Serialize, ToSchema)]
#[schema(as = Event)]
pub(crate) struct EventBody {
    pub(crate) id: Uuid,
    #[schema(value_type = schema::EventTypeName)]
    pub(crate) event_type: &'static str,
    #[schema(value_type = schema::EnvironmentName)]
    pub(crate) environment: &'static str,
    /// When it happened, by the publisher's clock.
    pub(crate) timestamp: DateTime<Utc>,
    /// When it was taken in.
    pub(crate) received_at: DateTime<Utc>,
    /// Whether any webhook was owed it then.
    pub(crate) matched: bool,
    /// The webhook that it is a test for; `null`: it is no test.
    pub(crate) test_webhook_id: Option<Uuid>,
}

/// An event with what was published.
#[derive(Serialize, ToSchema)]
pub(crate) struct EventWithBody {
    #[serde(flatten)]
    pub(crate) event: EventBody,
    /// What webhooks receive, byte for byte: JSON as text.
    #[schema(
        example = r#"{"id":"0192f0c1-7c1e-7b7e-8d5e-3f1a2b3c4d5e","type":"license.activated","environment":"production","timestamp":"2026-11-23T08:15:30.123Z","data":{"license_id":"lic_42","seats":5}}"#
    )]
    pub(crate) body: String,
    #[schema(value_type = schema::DeliveryStatusCounts)]
    pub(crate) deliveries: BTreeMap<&'static str, i64>,
}

/// Lists the events that were taken in, newest first.
#[utoipa::path(
    get, path = "/api/v1/events", tag = "events", params(ListEvents),
    responses((status = 200, body = Page<EventBody>), Refusals)
)]
pub(crate) async fn list_events(
    request: HttpRequest,
    connections: Data<Connections>,
) -> Result<Json<Page<EventBody>>, Problem> {
    read_list(request.query_string(), &connections)
        .await
        .map(Json)
        .map_err(Problem::from)
}

/// Reads the list that a query asks for.
pub(crate) async fn read_list(
    query: &str,
    connections: &Connections,
) -> Result<Page<EventBody>, Refusal> {
    let (filter, limit) = parse_filter(query)?;
    let mut connection = connections.acquire().await?;
    let mut rows = events::list(&mut connection, &filter).await?;
    let next_cursor = limit.cut(&mut rows).map(write_cursor);
    let rows = rows.into_iter().map(EventBody::from).collect();
    Ok(Page::with_cursor(rows, next_cursor))
}

/// Reads an event with what was published, and counts its deliveries.
#[utoipa::path(
    get, path = "/api/v1/events/{id}", tag = "events", params(("id" = Uuid, Path)),
    responses((status = 200, body = EventWithBody), Refusals)
)]
pub(crate) async fn find_event(
    id: Path<String>,
    connections: Data<Connections>,
) -> Result<Json<EventWithBody>, Problem> {
    read_event(&id, &connections)
        .await
        .map(Json)
        .map_err(Problem::from)
}

/// Reads the event of an id.
pub(crate) async fn read_event(
    id: &str,
    connections: &Connections,
) -> Result<EventWithBody, Refusal> {
    let id = parse_id(id)?;
    let mut connection = connections.acquire().await?;
    let event = events::find(&mut connection, id).await?;
    let event = event.ok_or(Refusal::NotFound("event"))?;
    let body = events::find_body(&mut connection, id).await?;
    let body = body.ok_or(Refusal::NotFound("event"))?;
    let counts = events::count_deliveries(&mut connection, id).await?;
    let mut deliveries: BTreeMap<_, _> = DeliveryStatus::ALL
        .iter()
        .map(|s| (s.as_str(), 0))
        .collect();
    deliveries.extend(counts.into_iter().map(|(s, count)| (s.as_str(), count)));
    Ok(EventWithBody {
        event: event.into(),
        body: String::from_utf8_lossy(&body).into_owned(),
        deliveries,
    })
}

/// What is no id names no event.
pub(super) fn parse_id(text: &str) -> Result<EventId, Refusal> {
    text.parse().map_err(|_| Refusal::NotFound("event"))
}

fn parse_filter(query: &str) -> Result<(EventFilter, PageLimit), Refusal> {
    let mut fields = Fields::of_query(query);
    let limit: PageLimit = fields.optional("limit", str::parse).unwrap_or_default();
    let since = fields.optional("since", parse_time);
    let until = fields.optional("until", parse_time);
    let cursor = fields.optional("cursor", read_cursor);
    let filter = EventFilter {
        event_type: fields.optional("event_type", str::parse),
        environment: fields.optional("environment", str::parse),
        matched: fields.optional("matched", parse_bool),
        since: since.unwrap_or(DateTime::UNIX_EPOCH),
        before: start(until, cursor),
        limit: limit.rows(),
    };
    fields.end()?;
    Ok((filter, limit))
}

/// Where a list starts: what it must be before. No id is less than the one that a time has here.
fn start(until: Option<DateTime<Utc>>, cursor: Option<EventPosition>) -> EventPosition {
    let until = EventPosition {
        received_at: until.unwrap_or_else(far_future),
        id: EventId(Uuid::nil()),
    };
    cursor.map_or(until, |cursor| cursor.min(until))
}

fn write_cursor(last: &EventRow) -> String {
    let micros = last.received_at.timestamp_micros();
    write_place(last.id.0, &micros.to_be_bytes())
}

fn read_cursor(text: &str) -> Result<EventPosition, &'static str> {
    let (id, sorted_by) = read_place(text)?;
    Ok(EventPosition {
        received_at: read_place_time(&sorted_by).unwrap_or_else(far_future),
        id: EventId(id),
    })
}

impl From<EventRow> for EventBody {
    fn from(row: EventRow) -> Self {
        Self {
            id: row.id.0,
            event_type: row.event_type.as_str(),
            environment: row.environment.as_str(),
            timestamp: row.timestamp,
            received_at: row.received_at,
            matched: row.matched,
            test_webhook_id: row.test_for.map(|id| id.0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_starts_at_its_cursor_or_its_end_whichever_comes_first() {
        let at = |second: i64, id| EventPosition {
            received_at: DateTime::from_timestamp_nanos(second * 1_000_000_000),
            id: EventId(Uuid::from_u128(id)),
        };
        let until = |second| Some(at(second, 0).received_at);

        assert_eq!(
            start(None, None),
            EventPosition {
                received_at: far_future(),
                ..at(0, 0)
            }
        );
        assert_eq!(start(until(5), None), at(5, 0));
        assert_eq!(start(None, Some(at(7, 1))), at(7, 1));
        assert_eq!(start(until(5), Some(at(7, 1))), at(5, 0));
        assert_eq!(start(until(5), Some(at(5, 1))), at(5, 0));
        assert_eq!(start(until(9), Some(at(7, 1))), at(7, 1));
    }

    #[test]
    fn a_filter_that_is_wrong_is_refused_with_every_name() {
        let refused = parse_filter(
            "limit=0&since=today&until=1&cursor=x&event_type=x&environment=moon&matched=1&page=2",
        );

        let Err(Refusal::Invalid(errors)) = refused else {
            panic!("it must be refused by field");
        };
        let fields: Vec<&str> = errors.iter().map(|e| e.field.as_str()).collect();
        assert_eq!(
            fields,
            [
                "limit",
                "since",
                "until",
                "cursor",
                "event_type",
                "environment",
                "matched",
                "page"
            ]
        );
    }
}
