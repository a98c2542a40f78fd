//! The list of deliveries, with filters. A script adds new deliveries to the list.

use actix_web::HttpResponse;
use actix_web::web::Data;
use askama::Template;
use chrono::Utc;
use webhook_domain::{Environment, EventType, FailureClass, StatusFilter};

use super::filter::Filters;
use crate::chips::Chip;
use crate::duration_text::in_short;
use crate::errors::Errors;
use crate::filters;
use crate::html::page_with;
use crate::query::Query;
use crate::visit::Visit;
use webhook_admin::Connections;
use webhook_admin::deliveries::{DeliveryBody, ListDeliveries, list_deliveries};
use webhook_admin::lists::{Page, TotalPage};
use webhook_web::Problem;

/// Responses offered by the filter; any other status can be typed.
const STATUSES: [&str; 8] = ["2xx", "3xx", "4xx", "5xx", "429", "500", "503", "none"];

#[derive(Template)]
#[template(path = "deliveries/list.html")]
struct DeliveriesPage<'a> {
    visit: &'a Visit,
    query: &'a Query,
    filters: Filters<'a>,
    chips: Vec<Chip>,
    errors: Errors,
    rows: Vec<Row>,
    next_cursor: Option<String>,
    total: Option<i64>,
    environments: &'static [Environment],
    statuses: &'static [StatusFilter],
    event_types: &'static [EventType],
    responses: Vec<&'static str>,
}

/// A delivery in the table.
struct Row {
    delivery: DeliveryBody,
    status: StatusFilter,
    /// The time from the creation to the end; `None` while the delivery is pending.
    duration: Option<String>,
    /// Whether the next attempt is due already.
    is_due: bool,
}

/// Shows the list of deliveries. Wrong filters are explained on the page.
pub(crate) async fn show_deliveries(
    visit: Visit,
    query: Query,
    connections: Data<Connections>,
) -> Result<HttpResponse, Problem> {
    let filters = Filters(&query);
    let (list, errors) = match ListDeliveries::parse(&query.as_api()) {
        Ok(list) => (
            list_deliveries(&list, &connections).await?,
            Errors::default(),
        ),
        Err(refusal) => (empty_page(), Errors::of(refusal)?),
    };
    let status = errors.status();
    let rows: Vec<Row> = list.page.data.into_iter().map(Row::of).collect();
    let webhook = rows.first().map(|row| row.delivery.webhook_name.as_str());
    let shown = DeliveriesPage {
        visit: &visit,
        query: &query,
        chips: filters.chips(webhook),
        filters,
        errors,
        next_cursor: list.page.next_cursor,
        total: list.total,
        environments: Environment::ALL,
        statuses: StatusFilter::ALL,
        event_types: EventType::ALL,
        responses: responses(),
        rows,
    };
    page_with(status, &visit, &shown)
}

fn empty_page() -> TotalPage<DeliveryBody> {
    let page = Page::with_cursor(Vec::new(), None);
    TotalPage { page, total: None }
}

/// The responses offered by the filter: statuses, then failures without a status.
fn responses() -> Vec<&'static str> {
    let failures = FailureClass::ALL.iter();
    let failures = failures.filter(|class| **class != FailureClass::Status);
    let failures = failures.map(|class| class.as_str());
    STATUSES.into_iter().chain(failures).collect()
}

impl Row {
    fn of(delivery: DeliveryBody) -> Self {
        let ended = delivery.ended_at.map(|ended| ended - delivery.created_at);
        Self {
            status: delivery.detailed_status(),
            duration: ended.map(in_short),
            is_due: delivery.next_attempt_at.is_some_and(|at| at <= Utc::now()),
            delivery,
        }
    }
}
