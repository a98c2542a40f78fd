//! Webhooks are looked at.

use actix_web::web::{Data, Json, Path};
use actix_web::{HttpRequest, HttpResponse};
use utoipa::IntoParams;
use webhook_domain::WebhookId;
use webhook_store::RawConnection;
use webhook_store::webhooks::{self, Position, Sort, SortKey, Webhook, WebhookFilter};

use super::{WebhookBody, answer, with_count, with_counts};
use crate::refusals::Refusals;
use webhook_admin::Connections;
use webhook_admin::Refusal;
use webhook_admin::fields::Fields;
use webhook_admin::lists::{Page, PageLimit, TotalPage, read_place, read_place_time, write_place};
use webhook_admin::schema;
use webhook_admin::values::{parse_bool, parse_search};
use webhook_web::Problem;

/// Which webhooks to list.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[allow(
    dead_code,
    reason = "it documents what `parse_filter` reads field by field"
)]
pub(crate) struct ListWebhooks {
    /// With this text in their name or URL, in any case.
    #[param(max_length = 200)]
    search: Option<String>,
    #[param(value_type = Option<schema::EnvironmentName>, inline)]
    environment: Option<String>,
    #[param(value_type = Option<schema::StatusName>, inline)]
    status: Option<String>,
    /// Subscribed to this type, by itself, its group or `*`.
    #[param(value_type = Option<schema::EventTypeName>, inline)]
    event_type: Option<String>,
    /// Only those that are failing, or only those that are not.
    failing: Option<bool>,
    /// With `-` the greatest first; `-created_at` when left out. Webhooks without a delivery count
    /// as those with the oldest.
    #[param(pattern = "^-?(name|created_at|last_delivery)$")]
    sort: Option<String>,
    /// `next_cursor` of the page before, for the same filters and sort.
    #[param(value_type = Option<schema::CursorText>, inline)]
    cursor: Option<String>,
    /// Webhooks per page, 50 when left out.
    #[param(minimum = 1, maximum = 200)]
    limit: Option<u8>,
    /// Whether to count all pages.
    total: Option<bool>,
}

/// Lists webhooks. Pages stay as they are while webhooks come and go.
#[utoipa::path(
    get, path = "/api/v1/webhooks", tag = "webhooks", params(ListWebhooks),
    responses((status = 200, body = TotalPage<WebhookBody>), Refusals)
)]
pub(crate) async fn list_webhooks(
    request: HttpRequest,
    connections: Data<Connections>,
) -> Result<Json<TotalPage<WebhookBody>>, Problem> {
    read_list(request.query_string(), &connections)
        .await
        .map(Json)
        .map_err(Problem::from)
}

/// Reads the list that a query asks for.
pub(crate) async fn read_list(
    query: &str,
    connections: &Connections,
) -> Result<TotalPage<WebhookBody>, Refusal> {
    let asked = parse_filter(query)?;
    let mut connection = connections.acquire().await?;
    let mut rows = webhooks::list(&mut connection, &asked.filter).await?;
    let last = asked.limit.cut(&mut rows);
    let last = last.map(|last| write_cursor(&last.position(), asked.filter.sort.by));
    let page = Page::with_cursor(with_counts(&mut connection, rows).await?, last);
    let total = if asked.total {
        Some(webhooks::count(&mut connection, &asked.filter).await?)
    } else {
        None
    };
    Ok(TotalPage { page, total })
}

/// Reads a webhook.
#[utoipa::path(
    get, path = "/api/v1/webhooks/{id}", tag = "webhooks", params(("id" = Uuid, Path)),
    responses(
        (status = 200, body = WebhookBody, headers(("ETag" = String, description = "Its version"))),
        Refusals
    )
)]
pub(crate) async fn find_webhook(
    id: Path<String>,
    connections: Data<Connections>,
) -> Result<HttpResponse, Problem> {
    read_one(&id, &connections)
        .await
        .map(answer)
        .map_err(Problem::from)
}

/// Reads the webhook of an id.
pub(crate) async fn read_one(id: &str, connections: &Connections) -> Result<WebhookBody, Refusal> {
    let mut connection = connections.acquire().await?;
    let webhook = find_stored(&mut connection, id).await?;
    with_count(&mut connection, webhook).await
}

/// Finds a webhook as it is stored.
pub(crate) async fn find_stored(
    connection: &mut RawConnection,
    id: &str,
) -> Result<Webhook, Refusal> {
    let webhook = webhooks::find(connection, parse_id(id)?).await?;
    webhook.ok_or(Refusal::NotFound("webhook"))
}

/// What is no id names no webhook.
pub(crate) fn parse_id(text: &str) -> Result<WebhookId, Refusal> {
    text.parse().map_err(|_| Refusal::NotFound("webhook"))
}

struct Asked {
    filter: WebhookFilter,
    limit: PageLimit,
    total: bool,
}

fn parse_filter(query: &str) -> Result<Asked, Refusal> {
    let mut fields = Fields::of_query(query);
    let limit: PageLimit = fields.optional("limit", str::parse).unwrap_or_default();
    let sort = fields.optional("sort", parse_sort).unwrap_or_default();
    let filter = WebhookFilter {
        search: fields.optional("search", parse_search),
        environment: fields.optional("environment", str::parse),
        status: fields.optional("status", str::parse),
        event_type: fields.optional("event_type", str::parse),
        failing: fields.optional("failing", parse_bool),
        sort,
        after: fields.optional("cursor", |text| read_cursor(text, sort.by)),
        limit: limit.rows(),
    };
    let total = fields.optional("total", parse_bool).unwrap_or_default();
    fields.end()?;
    Ok(Asked {
        filter,
        limit,
        total,
    })
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
        _ => return Err("must be name, created_at or last_delivery, with - before it or not"),
    };
    Ok(Sort { by, descending })
}

fn write_cursor(position: &Position, by: SortKey) -> String {
    let sorted_by = match by {
        SortKey::Created => Vec::new(),
        SortKey::Name => position.name.clone().into_bytes(),
        SortKey::LastAttempt => {
            let micros = position.attempted_at.map(|at| at.timestamp_micros());
            micros.into_iter().flat_map(i64::to_be_bytes).collect()
        }
    };
    write_place(position.id.0, &sorted_by)
}

fn read_cursor(text: &str, by: SortKey) -> Result<Position, &'static str> {
    let (id, sorted_by) = read_place(text)?;
    let name = String::from_utf8_lossy(&sorted_by).replace('\0', "");
    Ok(Position {
        id: WebhookId(id),
        name: if by == SortKey::Name {
            name
        } else {
            String::new()
        },
        attempted_at: read_place_time(&sorted_by),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::DateTime;
    use uuid::Uuid;

    #[test]
    fn a_cursor_says_where_its_list_goes_on() {
        let position = Position {
            id: WebhookId(Uuid::from_u128(7)),
            name: "Crème".to_owned(),
            attempted_at: DateTime::from_timestamp_micros(1_795_523_000_123_456),
        };

        let by_name = read_cursor(&write_cursor(&position, SortKey::Name), SortKey::Name);
        let by_time = SortKey::LastAttempt;
        let by_time = read_cursor(&write_cursor(&position, by_time), by_time);
        let by_id = read_cursor(&write_cursor(&position, SortKey::Created), SortKey::Created);

        assert_eq!(
            by_name.map(|p| (p.id, p.name)),
            Ok((position.id, position.name.clone()))
        );
        assert_eq!(
            by_time.map(|p| (p.id, p.attempted_at)),
            Ok((position.id, position.attempted_at))
        );
        assert_eq!(by_id.map(|p| p.id), Ok(position.id));
    }

    #[test]
    fn any_hex_of_an_ids_length_is_a_cursor_and_nothing_else_is() {
        let hex = |bytes: usize| "f0".repeat(bytes);
        for by in [SortKey::Created, SortKey::Name, SortKey::LastAttempt] {
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
        let refused = parse_filter(
            "limit=0&sort=size&environment=moon&event_type=x&failing=maybe&cursor=x&total=1&page=2",
        );

        let Err(Refusal::Invalid(errors)) = refused else {
            panic!("it must be refused by field");
        };
        let fields: Vec<&str> = errors.iter().map(|e| e.field.as_str()).collect();
        assert_eq!(
            fields,
            [
                "limit",
                "sort",
                "environment",
                "event_type",
                "failing",
                "cursor",
                "total",
                "page"
            ]
        );
    }
}
