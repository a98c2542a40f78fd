//! The list of webhooks, with search, filters and a status switch per row.

use actix_web::HttpResponse;
use actix_web::web::Data;
use askama::Template;
use chrono::Utc;
use webhook_domain::{Environment, EventType, WebhookHealth, WebhookId, WebhookStatus};
use webhook_store::{SealingKeys, activity};

use crate::chart::{SPARK_HEIGHT, Sparkline};
use crate::chips::{Chip, chips};
use crate::filters::{self, label_of};
use crate::flash::{Flash, Undo};
use crate::form::Form;
use crate::html::{page, redirect_with_flash};
use crate::query::Query;
use crate::visit::Visit;
use webhook_admin::Connections;
use webhook_admin::named_counts::NamedCounts;
use webhook_admin::webhooks::{self, ListWebhooks, WebhookBody, list_webhooks};
use webhook_web::Authenticated;
use webhook_web::{PathId, Problem};

/// The orders of the list: the name in the API, and the label. The first is the default.
const ORDERS: [(&str, &str); 8] = [
    ("-created_at", "Newest first"),
    ("created_at", "Oldest first"),
    ("name", "Name, A to Z"),
    ("-name", "Name, Z to A"),
    ("-last_delivery", "Latest delivery first"),
    ("last_delivery", "Longest without delivery first"),
    ("-failure_rate", "Highest failure rate first"),
    ("-response_time", "Slowest first"),
];

/// The filters of the list, each with the label of the page.
const FILTERS: [(&str, &str); 4] = [
    ("search", "Name or URL"),
    ("environment", "Environment"),
    ("status", "Status"),
    ("health", "Health"),
];

#[derive(Template)]
#[template(path = "webhooks/list.html")]
struct WebhooksPage {
    visit: Visit,
    query: Query,
    chips: Vec<Chip>,
    rows: Vec<WebhookRow>,
    /// How many webhooks all pages have.
    total: i64,
    /// The number of webhooks that a filter by each health finds; healths without webhooks are left out.
    health_counts: Vec<(WebhookHealth, i64)>,
    next_cursor: Option<String>,
    orders: &'static [(&'static str, &'static str)],
    environments: &'static [Environment],
    statuses: &'static [WebhookStatus],
    healths: &'static [WebhookHealth],
}

impl WebhooksPage {
    /// The API's name of the order.
    fn order(&self) -> &str {
        match self.query.text("sort") {
            "" => ORDERS[0].0,
            order => order,
        }
    }

    /// The `aria-sort` of the column that sorts by `first`, if the list is sorted by this column.
    fn direction(&self, first: &str) -> Option<&'static str> {
        let order = self.order();
        let same = order.trim_start_matches('-') == first.trim_start_matches('-');
        same.then(|| match order.starts_with('-') {
            true => "descending",
            false => "ascending",
        })
    }

    /// The link of a column's head: the list in the order `first`, or in the reverse order if the list
    /// has the order `first` already.
    fn sorted(&self, first: &str) -> String {
        if self.order() != first {
            return self.query.with("sort", first);
        }
        match first.strip_prefix('-') {
            Some(ascending) => self.query.with("sort", ascending),
            None => self.query.with("sort", &format!("-{first}")),
        }
    }
}

/// A webhook in the table.
struct WebhookRow {
    webhook: WebhookBody,
    /// The event types that the patterns stand for.
    event_types: Vec<EventType>,
    sparkline: Sparkline,
}

/// Lists webhooks.
pub(crate) async fn show_webhooks(
    visit: Visit,
    query: Query,
    connections: Data<Connections>,
    keys: Data<SealingKeys>,
) -> Result<HttpResponse, Problem> {
    let mut list = ListWebhooks::parse(&query.as_api_with("total", "true"))?;
    list.health_counts = true;
    let list = list_webhooks(list, &connections, &keys).await?;
    let next_cursor = list.page.next_cursor;
    let rows = with_sparklines(list.page.data, &connections).await?;
    let shown = WebhooksPage {
        visit,
        chips: chips(&query, &FILTERS, |field, value| match field {
            "search" => value.to_owned(),
            _ => label_of(value),
        }),
        query,
        rows,
        total: list.total.unwrap_or_default(),
        health_counts: found_by_health(list.health_counts.as_ref()),
        next_cursor,
        orders: &ORDERS,
        environments: Environment::ALL,
        statuses: WebhookStatus::ALL,
        healths: WebhookHealth::ALL,
    };
    page(&shown.visit, &shown)
}

/// The number of webhooks that a filter by each health finds, where there are some.
fn found_by_health(counts: Option<&NamedCounts<WebhookHealth>>) -> Vec<(WebhookHealth, i64)> {
    let found = WebhookHealth::ALL
        .iter()
        .map(|health| (*health, counts.map_or(0, |counts| counts.found_by(*health))));
    found.filter(|(_, count)| *count > 0).collect()
}

async fn with_sparklines(
    webhooks: Vec<WebhookBody>,
    connections: &Connections,
) -> Result<Vec<WebhookRow>, Problem> {
    let now = Utc::now();
    let ids: Vec<WebhookId> = webhooks.iter().map(|webhook| webhook.id).collect();
    let since = activity::last_day(now);
    let mut connection = connections.acquire().await?;
    let hours = activity::list_hours_of(&mut connection, &ids, since).await?;
    let rows = webhooks.into_iter().map(|webhook| {
        let hours = hours.get(&webhook.id);
        WebhookRow {
            event_types: webhook.settings.subscribed_types(),
            sparkline: Sparkline::of(hours.map_or(&[], Vec::as_slice), now),
            webhook,
        }
    });
    Ok(rows.collect())
}

/// Sets a webhook Active or Inactive, and offers to undo the change.
pub(crate) async fn set_status(
    PathId(id): PathId<WebhookId>,
    form: Form,
    Authenticated(caller): Authenticated,
    connections: Data<Connections>,
    keys: Data<SealingKeys>,
) -> Result<HttpResponse, Problem> {
    let new: WebhookStatus = form.choice("status")?;
    let webhook = webhooks::set_status(id, new, &caller, &connections, &keys).await?;
    let (text, was) = match new {
        WebhookStatus::Active => ("is Active now", WebhookStatus::Inactive),
        WebhookStatus::Inactive => (
            "is Inactive now: pending deliveries wait",
            WebhookStatus::Active,
        ),
    };
    let undo = Undo::Status {
        webhook_id: webhook.id,
        was,
    };
    let flash = Flash::with_undo(format!("“{}” {text}.", webhook.settings.name), undo);
    Ok(redirect_with_flash(form.back("/admin/webhooks"), &flash))
}
