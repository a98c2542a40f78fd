//! All deliveries, filtered; new ones come in by themselves.

use actix_web::HttpResponse;
use actix_web::web::Data;
use askama::Template;
use chrono::Utc;
use webhook_domain::{Environment, EventType, FailureClass, StatusFilter};

use super::filter::{Chip, Filters};
use crate::pages::errors::Errors;
use crate::pages::filters;
use crate::pages::html::page_with;
use crate::pages::query::Query;
use crate::pages::span::in_short;
use crate::pages::visit::Visit;
use crate::routes::deliveries::DeliveryBody;
use crate::routes::deliveries::list::read_list;
use webhook_admin::Connections;
use webhook_admin::lists::{Page, TotalPage};
use webhook_web::Problem;

/// Statuses that are offered; any other can be typed.
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
    /// What it is, a retry told from what was never tried.
    status: &'static str,
    /// From when it was owed to when it ended.
    duration: Option<String>,
    /// Whether its next attempt is due already.
    due: bool,
}

/// Lists deliveries.
pub(in crate::pages) async fn show_deliveries(
    visit: Visit,
    query: Query,
    connections: Data<Connections>,
) -> Result<HttpResponse, Problem> {
    let filters = Filters(&query);
    let (list, errors) = match read_list(&query.as_api(), &connections).await {
        Ok(list) => (list, Errors::default()),
        Err(problem) => (nothing(), Errors::of(problem)?),
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

fn nothing() -> TotalPage<DeliveryBody> {
    let page = Page::with_cursor(Vec::new(), None);
    TotalPage { page, total: None }
}

/// What the latest attempt may have got.
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
            status: shown_status(&delivery),
            duration: ended.map(in_short),
            due: delivery.next_attempt_at.is_some_and(|at| at <= Utc::now()),
            delivery,
        }
    }
}

/// A delivery that waits for a retry is told from one that was never tried.
pub(super) fn shown_status(delivery: &DeliveryBody) -> &'static str {
    if delivery.status == "pending" && delivery.attempt_count > 0 {
        StatusFilter::Retrying.as_str()
    } else {
        delivery.status
    }
}
