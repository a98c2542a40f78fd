//! All webhooks, searched and filtered; each can be switched on and off in place.

use actix_web::HttpResponse;
use actix_web::web::Data;
use askama::Template;
use chrono::{TimeDelta, Utc};
use webhook_domain::{Environment, EventType, WebhookId, WebhookStatus};
use webhook_store::{SealingKeys, activity};

use crate::pages::chart::{SPARK_HEIGHT, SPARK_HOURS, Sparkline};
use crate::pages::filters;
use crate::pages::form::Form;
use crate::pages::html::{go_on, page};
use crate::pages::notice::{Notice, Undo};
use crate::pages::query::Query;
use crate::pages::visit::Visit;
use webhook_admin::Connections;
use webhook_admin::Refusal;
use webhook_admin::webhooks::{self, ListWebhooks, WebhookBody, list_webhooks};
use webhook_web::Authenticated;
use webhook_web::{PathId, Problem};

/// How a list can be sorted, by the API's name for it; the first one counts when none is named.
const ORDERS: [(&str, &str); 6] = [
    ("-created_at", "Newest first"),
    ("created_at", "Oldest first"),
    ("name", "Name, A to Z"),
    ("-name", "Name, Z to A"),
    ("-last_delivery", "Latest delivery first"),
    ("last_delivery", "Longest without delivery first"),
];

#[derive(Template)]
#[template(path = "webhooks/list.html")]
struct WebhooksPage {
    visit: Visit,
    query: Query,
    rows: Vec<WebhookRow>,
    /// On all pages.
    total: i64,
    next_cursor: Option<String>,
    orders: &'static [(&'static str, &'static str)],
    environments: &'static [Environment],
    statuses: &'static [WebhookStatus],
}

impl WebhooksPage {
    /// How the list is sorted.
    fn order(&self) -> &str {
        match self.query.text("sort") {
            "" => ORDERS[0].0,
            order => order,
        }
    }

    /// How the head of the column of `first` tells that the list is sorted by it, if it is.
    fn direction(&self, first: &str) -> Option<&'static str> {
        let order = self.order();
        let same = order.trim_start_matches('-') == first.trim_start_matches('-');
        same.then(|| match order.starts_with('-') {
            true => "descending",
            false => "ascending",
        })
    }

    /// Where the head of a column leads: to the list sorted as `first` says, or the other way
    /// round if it is sorted so already.
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
    /// What its patterns stand for.
    event_types: Vec<EventType>,
    sparkline: Sparkline,
}

/// Lists webhooks.
pub(in crate::pages) async fn show_webhooks(
    visit: Visit,
    query: Query,
    connections: Data<Connections>,
) -> Result<HttpResponse, Problem> {
    let list = ListWebhooks::parse(&query.as_api_with("total", "true"))?;
    let list = list_webhooks(list, &connections).await?;
    let next_cursor = list.page.next_cursor;
    let rows = with_sparklines(list.page.data, &connections).await?;
    let shown = WebhooksPage {
        visit,
        query,
        rows,
        total: list.total.unwrap_or_default(),
        next_cursor,
        orders: &ORDERS,
        environments: Environment::ALL,
        statuses: WebhookStatus::ALL,
    };
    page(&shown.visit, &shown)
}

async fn with_sparklines(
    webhooks: Vec<WebhookBody>,
    connections: &Connections,
) -> Result<Vec<WebhookRow>, Problem> {
    let now = Utc::now();
    let ids: Vec<WebhookId> = webhooks.iter().map(|webhook| webhook.id).collect();
    let since = now - TimeDelta::hours(SPARK_HOURS.into());
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

/// Switches a webhook on or off, and offers to take that back.
pub(in crate::pages) async fn set_status(
    PathId(id): PathId<WebhookId>,
    form: Form,
    Authenticated(caller): Authenticated,
    connections: Data<Connections>,
    keys: Data<SealingKeys>,
) -> Result<HttpResponse, Problem> {
    let new: WebhookStatus = form
        .text("status")
        .parse()
        .map_err(|_| Refusal::NotFound("status"))?;
    let webhook = webhooks::set_status(id, new, &caller, &connections, &keys).await?;
    let (text, was) = match new {
        WebhookStatus::Active => ("is Active now", WebhookStatus::Inactive),
        WebhookStatus::Inactive => (
            "is Inactive now: its deliveries wait",
            WebhookStatus::Active,
        ),
    };
    let undo = Undo::Status {
        webhook_id: webhook.id,
        was,
    };
    let notice = Notice::with_undo(format!("“{}” {text}.", webhook.settings.name), undo);
    Ok(go_on(form.back("/admin/webhooks"), &notice))
}
