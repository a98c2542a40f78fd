//! Deliveries are listed.

use actix_web::HttpRequest;
use actix_web::web::{Data, Json};
use chrono::{DateTime, Utc};
use utoipa::IntoParams;
use uuid::Uuid;
use webhook_store::deliveries::{self, DeliveryFilter, Order, Place};

use super::DeliveryBody;
use crate::refusals::Refusals;
use webhook_admin::Connections;
use webhook_admin::Refusal;
use webhook_admin::fields::Fields;
use webhook_admin::lists::{Page, PageLimit, TotalPage, parse_cursor};
use webhook_admin::schema;
use webhook_admin::values::{parse_bool, parse_search, parse_time};
use webhook_web::Problem;

/// Which deliveries to list.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[allow(
    dead_code,
    reason = "it documents what `parse_filter` reads field by field"
)]
pub(crate) struct ListDeliveries {
    /// To this webhook.
    webhook_id: Option<Uuid>,
    /// To webhooks with this text in their name, in any case.
    #[param(max_length = 200)]
    search: Option<String>,
    /// Of this event.
    event_id: Option<Uuid>,
    /// Of events of this type.
    #[param(value_type = Option<schema::EventTypeName>, inline)]
    event_type: Option<String>,
    #[param(value_type = Option<schema::EnvironmentName>, inline)]
    environment: Option<String>,
    /// `retrying` are those of `pending` that were tried before.
    #[param(value_type = Option<schema::StatusFilterName>, inline)]
    status: Option<String>,
    /// By the latest attempt: a status (`503`), a class of them (`5xx`), a failure without one
    /// (`dns`, `connect`, `tls`, `timeout`, `reset`, `blocked_address`), or `none`.
    #[param(value_type = Option<schema::AnswerText>, inline)]
    response: Option<String>,
    /// Not owed before this time, to the millisecond.
    since: Option<DateTime<Utc>>,
    /// Owed before this time, to the millisecond.
    until: Option<DateTime<Utc>>,
    /// `next_cursor` of the page before.
    cursor: Option<Uuid>,
    /// Deliveries per page, 50 when left out.
    #[param(minimum = 1, maximum = 200)]
    limit: Option<u8>,
    /// Whether to count all pages; that takes as much longer as there are more of them.
    total: Option<bool>,
}

/// Lists deliveries, newest first.
#[utoipa::path(
    get, path = "/api/v1/deliveries", tag = "deliveries", params(ListDeliveries),
    responses((status = 200, body = TotalPage<DeliveryBody>), Refusals)
)]
pub(crate) async fn list_deliveries(
    request: HttpRequest,
    connections: Data<Connections>,
) -> Result<Json<TotalPage<DeliveryBody>>, Problem> {
    read_list(request.query_string(), &connections)
        .await
        .map(Json)
        .map_err(Problem::from)
}

/// Reads the list that a query asks for.
pub(crate) async fn read_list(
    query: &str,
    connections: &Connections,
) -> Result<TotalPage<DeliveryBody>, Refusal> {
    let asked = parse(query)?;
    let mut connection = connections.acquire().await?;
    let rows = deliveries::list(&mut connection, &asked.filter, &asked.place).await?;
    let rows = rows.into_iter().map(DeliveryBody::from).collect();
    let page = Page::of(rows, asked.limit, |row| row.id);
    let total = if asked.total {
        Some(deliveries::count(&mut connection, &asked.filter).await?)
    } else {
        None
    };
    Ok(TotalPage { page, total })
}

struct Asked {
    filter: DeliveryFilter,
    place: Place,
    limit: PageLimit,
    total: bool,
}

fn parse(query: &str) -> Result<Asked, Refusal> {
    let mut fields = Fields::of_query(query);
    let limit: PageLimit = fields.optional("limit", str::parse).unwrap_or_default();
    let place = Place {
        order: Order::Newest,
        after: fields.optional("cursor", parse_cursor),
        limit: limit.rows(),
    };
    let total = fields.optional("total", parse_bool).unwrap_or_default();
    let filter = parse_filter(&mut fields);
    fields.end()?;
    Ok(Asked {
        filter,
        place,
        limit,
        total,
    })
}

/// Takes a filter's fields out of a query or a body.
pub(super) fn parse_filter(fields: &mut Fields<'_>) -> DeliveryFilter {
    DeliveryFilter {
        webhook_id: fields.optional("webhook_id", str::parse),
        search: fields.optional("search", parse_search),
        event_id: fields.optional("event_id", str::parse),
        event_type: fields.optional("event_type", str::parse),
        environment: fields.optional("environment", str::parse),
        status: fields.optional("status", str::parse),
        response: fields.optional("response", str::parse),
        since: fields.optional("since", parse_time),
        until: fields.optional("until", parse_time),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_filter_that_is_wrong_is_refused_with_every_name() {
        let refused = parse("webhook_id=5&status=lost&cursor=x&limit=0&page=2&response=9");

        let Err(Refusal::Invalid(errors)) = refused else {
            panic!("it must be refused by field");
        };
        let fields: Vec<&str> = errors.iter().map(|e| e.field.as_str()).collect();
        assert_eq!(
            fields,
            [
                "limit",
                "cursor",
                "webhook_id",
                "status",
                "response",
                "page"
            ]
        );
    }
}
