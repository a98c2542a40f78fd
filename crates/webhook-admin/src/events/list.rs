//! Lists events.

use chrono::{DateTime, Utc};
use utoipa::IntoParams;
use uuid::Uuid;
use webhook_domain::{Environment, EventId, EventType};
use webhook_store::events::{self, EventFilter, EventPosition, EventRow};

use super::body::EventBody;
use crate::connections::Connections;
use crate::fields::Fields;
use crate::lists::{Page, PageLimit, far_future, read_place, read_place_time, write_place};
use crate::refusal::Refusal;
use crate::request;
use crate::schema;
use crate::values::{parse_bool, parse_time};

request! {
    /// A page of the list of events.
    #[derive(IntoParams)]
    #[into_params(parameter_in = Query)]
    pub struct ListEvents {
        /// The type of the events.
        #[param(value_type = Option<schema::EventTypeName>, inline)]
        event_type: Option<EventType> = optional(str::parse),
        /// The environment of the events.
        #[param(value_type = Option<schema::EnvironmentName>, inline)]
        environment: Option<Environment> = optional(str::parse),
        /// `true`: events that matched a webhook; `false`: events that matched none.
        matched: Option<bool> = optional(parse_bool),
        /// The earliest time of receipt.
        since: Option<DateTime<Utc>> = optional(parse_time),
        /// The end of the times of receipt; an event received at `until` is left out.
        until: Option<DateTime<Utc>> = optional(parse_time),
        /// `next_cursor` of the page before.
        #[param(value_type = Option<schema::CursorText>, inline)]
        cursor: Option<EventPosition> = optional(read_cursor),
        /// Events per page, 50 when left out.
        #[param(value_type = Option<u8>, minimum = 1, maximum = 200)]
        limit: PageLimit = or_default(str::parse),
    }
}

impl ListEvents {
    /// Reads a URL's query.
    pub fn parse(query: &str) -> Result<Self, Refusal> {
        Fields::read_query(query, Self::take)
    }
}

/// Lists received events, newest first.
pub async fn list_events(
    list: &ListEvents,
    connections: &Connections,
) -> Result<Page<EventBody>, Refusal> {
    let filter = EventFilter {
        event_type: list.event_type,
        environment: list.environment,
        matched: list.matched,
        since: list.since.unwrap_or(DateTime::UNIX_EPOCH),
        before: start(list.until, list.cursor),
        limit: list.limit.rows(),
    };
    let mut connection = connections.acquire().await?;
    let rows = events::list(&mut connection, &filter).await?;
    Ok(Page::of_rows(rows, list.limit, write_cursor))
}

/// The position before all events of the page: the end of the list's time or the cursor, the earlier of
/// both.
fn start(until: Option<DateTime<Utc>>, cursor: Option<EventPosition>) -> EventPosition {
    let until = EventPosition {
        received_at: until.unwrap_or_else(far_future),
        // The least id, so that an event received at `until` is not before the position.
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
        let refused = ListEvents::parse(
            "limit=0&since=today&until=1&cursor=x&event_type=x&environment=moon&matched=1&page=2",
        );

        let Err(Refusal::Invalid(errors)) = refused else {
            panic!("it must be refused by field");
        };
        let fields: Vec<&str> = errors.iter().map(|e| e.field.as_str()).collect();
        assert_eq!(
            fields,
            [
                "event_type",
                "environment",
                "matched",
                "since",
                "until",
                "cursor",
                "limit",
                "page"
            ]
        );
    }
}
