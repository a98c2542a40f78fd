//! Lists webhooks.

use serde::Serialize;
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;
use webhook_domain::{Environment, EventType, WebhookHealth, WebhookId, WebhookStatus, WebhookUrl};
use webhook_store::SealingKeys;
use webhook_store::webhooks::{self, Position, Sort, SortKey, WebhookFilter};

use super::body::{WebhookBody, with_counts};
use crate::connections::Connections;
use crate::fields::Fields;
use crate::lists::{Page, PageLimit, read_place, read_place_time, write_place};
use crate::named_counts::NamedCounts;
use crate::refusal::Refusal;
use crate::request;
use crate::schema;
use crate::values::{parse_bool, parse_text_up_to};

request! {
    /// The filters, the order and the page of a list of webhooks.
    #[derive(Clone, IntoParams)]
    #[into_params(parameter_in = Query)]
    pub struct ListWebhooks {
        /// Text in the name or the URL, in any case; or a whole URL, which finds the webhooks with this secret URL too.
        #[param(max_length = 2048)]
        pub search: Option<String> = optional(parse_webhook_search),
        /// The environment of the webhooks.
        #[param(value_type = Option<schema::EnvironmentName>, inline)]
        pub environment: Option<Environment> = optional(str::parse),
        /// The status of the webhooks.
        #[param(value_type = Option<schema::StatusName>, inline)]
        pub status: Option<WebhookStatus> = optional(str::parse),
        /// A subscribed event type, subscribed by name, by group or by `*`.
        #[param(value_type = Option<schema::EventTypeName>, inline)]
        pub event_type: Option<EventType> = optional(str::parse),
        /// The health of the webhooks; `failing` finds `paused` webhooks too.
        #[param(value_type = Option<schema::WebhookHealthName>, inline)]
        pub health: Option<WebhookHealth> = optional(str::parse),
        /// `true`: only failing webhooks; `false`: only other webhooks.
        pub failing: Option<bool> = optional(parse_bool),
        /// With `-` the greatest first; `-created_at` when left out. A webhook without a delivery counts
        /// as the oldest delivery, the lowest failure rate and the shortest response time. Failure rates
        /// and response times (p95) are those of the last 24 hours, up to a few seconds old.
        #[param(
            value_type = Option<String>,
            pattern = "^-?(name|created_at|last_delivery|failure_rate|response_time)$"
        )]
        pub sort: Sort = or_default(parse_sort),
        /// `next_cursor` of the page before, for the same filters and sort.
        #[param(value_type = Option<schema::CursorText>, inline)]
        pub cursor: Option<(Uuid, Vec<u8>)> = optional(read_place),
        /// Webhooks per page, 50 when left out.
        #[param(value_type = Option<u8>, minimum = 1, maximum = 200)]
        pub limit: PageLimit = or_default(str::parse),
        /// Whether to count the webhooks on all pages.
        #[param(value_type = Option<bool>)]
        pub total: bool = or_default(parse_bool),
        /// Whether to count the webhooks by health, for the filters without `health`.
        #[param(value_type = Option<bool>)]
        pub health_counts: bool = or_default(parse_bool),
    }
}

impl ListWebhooks {
    /// Reads a query: `search=crm&status=active`.
    pub fn parse(query: &str) -> Result<Self, Refusal> {
        let mut fields = Fields::of_query(query);
        let list = Self::take(&mut fields);
        fields.end_with(list)
    }

    fn filter(self, sealing_keys: &SealingKeys) -> WebhookFilter {
        let by = self.sort.by;
        let whole_url = self.search.as_deref().and_then(WebhookUrl::from_search);
        WebhookFilter {
            search: self.search,
            fingerprints: whole_url
                .map_or_else(Vec::new, |url| sealing_keys.all_fingerprints(&url)),
            environment: self.environment,
            status: self.status,
            event_type: self.event_type,
            failing: self.failing,
            health: self.health,
            sort: self.sort,
            after: self.cursor.map(|place| position_at(place, by)),
            limit: self.limit.rows(),
        }
    }
}

/// A page of the list of webhooks.
#[derive(Serialize, ToSchema)]
#[schema(as = WebhookPage)]
pub struct HealthPage {
    /// The page.
    #[serde(flatten)]
    pub page: Page<WebhookBody>,
    /// The number of webhooks on all pages, for requests with `total=true`.
    pub total: Option<i64>,
    /// The number of webhooks by health, for requests with `health_counts=true`. `failing` does not count
    /// `paused` webhooks here.
    #[schema(value_type = Option<schema::WebhookHealthCounts>)]
    pub health_counts: Option<NamedCounts<WebhookHealth>>,
}

/// Lists a page of webhooks. A webhook that is created or deleted meanwhile shifts no other webhook to
/// another page.
pub async fn list_webhooks(
    list: ListWebhooks,
    connections: &Connections,
    sealing_keys: &SealingKeys,
) -> Result<HealthPage, Refusal> {
    let (limit, is_total_wanted) = (list.limit, list.total);
    let are_counts_wanted = list.health_counts;
    let filter = list.filter(sealing_keys);
    let mut connection = connections.acquire().await?;
    let mut rows = webhooks::list(&mut connection, &filter).await?;
    // A row more than the page has was read: the row shows that there is a next page.
    let last = limit.cut(&mut rows);
    let next_cursor = last.map(|last| write_cursor(&last.position(), filter.sort.by));
    let page = Page::with_cursor(with_counts(&mut connection, rows).await?, next_cursor);
    let health_counts = if are_counts_wanted {
        let counts = webhooks::count_by_health(&mut connection, &filter).await?;
        Some(NamedCounts::of_all(counts))
    } else {
        None
    };
    let total = match &health_counts {
        _ if !is_total_wanted => None,
        // The counts have the total already: a second statement would read all webhooks once more.
        Some(counts) => Some(match filter.health {
            Some(health) => counts.found_by(health),
            None => counts.iter().map(|(_, count)| count).sum(),
        }),
        None => Some(webhooks::count(&mut connection, &filter).await?),
    };
    Ok(HealthPage {
        page,
        total,
        health_counts,
    })
}

/// Reads a text to look for in webhooks: as long as a URL may be.
fn parse_webhook_search(text: &str) -> Result<String, String> {
    parse_text_up_to(WebhookUrl::MAX_BYTES, text)
}

fn parse_sort(text: &str) -> Result<Sort, &'static str> {
    let (descending, name) = match text.strip_prefix('-') {
        Some(name) => (true, name),
        None => (false, text),
    };
    let by = match name {
        "name" => SortKey::Name,
        "created_at" => SortKey::Created,
        "last_delivery" => SortKey::LastAttempt,
        "failure_rate" => SortKey::FailureRate,
        "response_time" => SortKey::ResponseTime,
        _ => {
            return Err(
                "must be name, created_at, last_delivery, failure_rate or response_time, optionally \
                 with a leading -",
            );
        }
    };
    Ok(Sort { by, descending })
}

/// Writes the position of a row as a cursor: the id, then the value of the sort key.
fn write_cursor(position: &Position, by: SortKey) -> String {
    let sorted_by = match by {
        SortKey::Created => Vec::new(),
        SortKey::Name => position.name.clone().into_bytes(),
        SortKey::LastAttempt => {
            let micros = position.attempted_at.map(|at| at.timestamp_micros());
            micros.into_iter().flat_map(i64::to_be_bytes).collect()
        }
        SortKey::FailureRate => {
            let rate = position.failure_rate;
            rate.into_iter().flat_map(f64::to_be_bytes).collect()
        }
        SortKey::ResponseTime => {
            let p95 = position.p95_ms;
            p95.into_iter().flat_map(i32::to_be_bytes).collect()
        }
    };
    write_place(position.id.0, &sorted_by)
}

/// The position of a cursor in a list sorted by `by`. Any bytes are a valid position.
fn position_at((id, sorted_by): (Uuid, Vec<u8>), by: SortKey) -> Position {
    let name = match by {
        // No text of Postgres holds a NUL.
        SortKey::Name => String::from_utf8_lossy(&sorted_by).replace('\0', ""),
        SortKey::Created | SortKey::LastAttempt | SortKey::FailureRate | SortKey::ResponseTime => {
            String::new()
        }
    };
    Position {
        id: WebhookId(id),
        name,
        attempted_at: read_place_time(&sorted_by),
        failure_rate: read_rate(&sorted_by),
        p95_ms: sorted_by
            .first_chunk()
            .map(|bytes| i32::from_be_bytes(*bytes)),
    }
}

/// Reads a sort key as a rate. `None`: the key is shorter, or no number.
fn read_rate(sorted_by: &[u8]) -> Option<f64> {
    let rate = f64::from_be_bytes(*sorted_by.first_chunk()?);
    // A cursor may hold any 64 bits, and Postgres sorts what is no number after all numbers.
    rate.is_finite().then_some(rate)
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::DateTime;

    fn read_cursor(text: &str, by: SortKey) -> Result<Position, &'static str> {
        read_place(text).map(|place| position_at(place, by))
    }

    #[test]
    fn a_cursor_says_where_its_list_goes_on() {
        let position = Position {
            id: WebhookId(Uuid::from_u128(7)),
            name: "Crème".to_owned(),
            attempted_at: DateTime::from_timestamp_micros(1_795_523_000_123_456),
            failure_rate: Some(1.0 / 3.0),
            p95_ms: Some(1_234),
        };

        let by_name = read_cursor(&write_cursor(&position, SortKey::Name), SortKey::Name);
        let by_time = SortKey::LastAttempt;
        let by_time = read_cursor(&write_cursor(&position, by_time), by_time);
        let by_rate = SortKey::FailureRate;
        let by_rate = read_cursor(&write_cursor(&position, by_rate), by_rate);
        let by_p95 = SortKey::ResponseTime;
        let by_p95 = read_cursor(&write_cursor(&position, by_p95), by_p95);
        let by_id = read_cursor(&write_cursor(&position, SortKey::Created), SortKey::Created);

        assert_eq!(
            by_name.map(|p| (p.id, p.name)),
            Ok((position.id, position.name.clone()))
        );
        assert_eq!(
            by_time.map(|p| (p.id, p.attempted_at)),
            Ok((position.id, position.attempted_at))
        );
        assert_eq!(by_rate.map(|p| p.failure_rate), Ok(position.failure_rate));
        assert_eq!(by_p95.map(|p| p.p95_ms), Ok(position.p95_ms));
        assert_eq!(by_id.map(|p| p.id), Ok(position.id));
    }

    #[test]
    fn any_hex_of_an_ids_length_is_a_cursor_and_nothing_else_is() {
        let hex = |bytes: usize| "f0".repeat(bytes);
        for by in [
            SortKey::Created,
            SortKey::Name,
            SortKey::LastAttempt,
            SortKey::FailureRate,
        ] {
            for bytes in [16, 17, 24, 300] {
                assert!(read_cursor(&hex(bytes), by).is_ok(), "{bytes}");
            }
            for wrong in ["", "x", &hex(15), &"0".repeat(33)] {
                assert!(read_cursor(wrong, by).is_err(), "{wrong}");
            }
        }
    }

    #[test]
    fn a_filter_that_is_wrong_is_refused_with_every_name() {
        let refused = ListWebhooks::parse(
            "limit=0&sort=size&environment=moon&event_type=x&failing=maybe&cursor=x&total=1&page=2",
        );

        let Err(Refusal::Invalid(errors)) = refused else {
            panic!("it must be refused by field");
        };
        let fields: Vec<&str> = errors.iter().map(|e| e.field.as_str()).collect();
        assert_eq!(
            fields,
            [
                "environment",
                "event_type",
                "failing",
                "sort",
                "cursor",
                "limit",
                "total",
                "page"
            ]
        );
    }
}
