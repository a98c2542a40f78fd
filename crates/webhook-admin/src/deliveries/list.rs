//! Lists deliveries.

use chrono::{DateTime, Utc};
use utoipa::IntoParams;
use webhook_domain::{
    DeliveryId, Environment, EventId, EventType, ResponseRange, StatusFilter, WebhookId,
};
use webhook_store::deliveries::{self, DeliveryFilter, Order, PageStart};

use super::body::DeliveryBody;
use crate::connections::Connections;
use crate::fields::Fields;
use crate::lists::{Page, PageLimit, TotalPage, parse_cursor};
use crate::refusal::Refusal;
use crate::request;
use crate::schema;
use crate::values::{parse_bool, parse_search, parse_time};

request! {
    /// A page of the list of deliveries.
    #[derive(IntoParams)]
    #[into_params(parameter_in = Query)]
    pub struct ListDeliveries {
        /// The webhook of the deliveries.
        #[param(value_type = Option<Uuid>)]
        webhook_id: Option<WebhookId> = optional(str::parse),
        /// A text in the webhook's name, in upper or lower case.
        #[param(max_length = 200)]
        search: Option<String> = optional(parse_search),
        /// The event of the deliveries.
        #[param(value_type = Option<Uuid>)]
        event_id: Option<EventId> = optional(str::parse),
        /// The event type of the deliveries.
        #[param(value_type = Option<schema::EventTypeName>, inline)]
        event_type: Option<EventType> = optional(str::parse),
        /// The environment of the deliveries.
        #[param(value_type = Option<schema::EnvironmentName>, inline)]
        environment: Option<Environment> = optional(str::parse),
        /// The status of the deliveries; `retrying`: pending after a failed attempt.
        #[param(value_type = Option<schema::StatusFilterName>, inline)]
        status: Option<StatusFilter> = optional(str::parse),
        /// The result of the latest attempt: a status (`503`), a class of statuses (`5xx`), a failure
        /// without a status (`dns`, `connect`, `tls`, `timeout`, `reset`,
        /// `blocked_address`), or `none`.
        #[param(value_type = Option<schema::ResponseText>, inline)]
        response: Option<ResponseRange> = optional(str::parse),
        /// The earliest creation time, to the millisecond.
        since: Option<DateTime<Utc>> = optional(parse_time),
        /// The end of the creation times, to the millisecond; a delivery created at `until` is left out.
        until: Option<DateTime<Utc>> = optional(parse_time),
        /// `next_cursor` of the page before.
        #[param(value_type = Option<Uuid>)]
        pub(super) cursor: Option<DeliveryId> = optional(parse_cursor),
        /// Deliveries per page, 50 when left out.
        #[param(value_type = Option<u8>, minimum = 1, maximum = 200)]
        pub(super) limit: PageLimit = or_default(str::parse),
        /// Whether to count the deliveries of all pages; the time for counting grows with the total.
        #[param(value_type = Option<bool>)]
        pub(super) total: bool = or_default(parse_bool),
    }
}

impl ListDeliveries {
    /// Reads a URL's query.
    pub fn parse(query: &str) -> Result<Self, Refusal> {
        Fields::read_query(query, Self::take)
    }

    fn filter(&self) -> DeliveryFilter {
        DeliveryFilter {
            webhook_id: self.webhook_id,
            search: self.search.clone(),
            event_id: self.event_id,
            event_type: self.event_type,
            environment: self.environment,
            status: self.status,
            response: self.response,
            since: self.since,
            until: self.until,
        }
    }
}

/// Lists deliveries, newest first, and counts all matching deliveries when the request asks for the
/// total.
pub async fn list_deliveries(
    list: &ListDeliveries,
    connections: &Connections,
) -> Result<TotalPage<DeliveryBody>, Refusal> {
    let filter = list.filter();
    let place = PageStart {
        order: Order::Newest,
        after: list.cursor,
        limit: list.limit.rows(),
    };
    let mut connection = connections.acquire().await?;
    let rows = deliveries::list(&mut connection, &filter, &place).await?;
    let page = Page::of_rows(rows, list.limit, |row| row.id.to_string());
    // A page costs the same for any number of deliveries; the count does not, so it is on request only.
    let total = if list.total {
        Some(deliveries::count(&mut connection, &filter).await?)
    } else {
        None
    };
    Ok(TotalPage { page, total })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_filter_that_is_wrong_is_refused_with_every_name() {
        let refused =
            ListDeliveries::parse("webhook_id=5&status=lost&cursor=x&limit=0&page=2&response=9");

        let Err(Refusal::Invalid(errors)) = refused else {
            panic!("it must be refused by field");
        };
        let fields: Vec<&str> = errors.iter().map(|e| e.field.as_str()).collect();
        assert_eq!(
            fields,
            [
                "webhook_id",
                "status",
                "response",
                "cursor",
                "limit",
                "page"
            ]
        );
    }
}
