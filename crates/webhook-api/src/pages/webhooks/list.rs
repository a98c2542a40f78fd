//! All webhooks, searched and filtered; each can be switched on and off in place.

use actix_web::HttpResponse;
use actix_web::web::{Data, Path};
use askama::Template;
use chrono::{TimeDelta, Utc};
use webhook_domain::{Environment, EventSelection, EventType, WebhookId, WebhookStatus};
use webhook_store::{SealingKeys, activity};

use crate::caller::Caller;
use crate::connections::Connections;
use crate::pages::chart::{SPARK_HEIGHT, Sparkline};
use crate::pages::filters;
use crate::pages::form::Form;
use crate::pages::html::{go_on, page};
use crate::pages::notice::{Notice, Undo};
use crate::pages::query::Query;
use crate::pages::visit::Visit;
use crate::problem::Problem;
use crate::routes::webhooks::WebhookBody;
use crate::routes::webhooks::read::read_list;
use crate::routes::webhooks::status::set_status as set;

/// What is shown of the past at a glance, in hours.
const SPARK_HOURS: i64 = 24;

#[derive(Template)]
#[template(path = "webhooks/list.html")]
struct WebhooksPage {
    visit: Visit,
    query: Query,
    rows: Vec<Row>,
    next_cursor: Option<String>,
    environments: &'static [Environment],
    statuses: &'static [WebhookStatus],
}

/// A webhook in the table.
struct Row {
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
    let list = read_list(&query.as_api(), &connections).await?.page;
    let next_cursor = list.next_cursor;
    let rows = with_sparklines(list.data, &connections).await?;
    let shown = WebhooksPage {
        visit,
        query,
        rows,
        next_cursor,
        environments: Environment::ALL,
        statuses: WebhookStatus::ALL,
    };
    page(&shown.visit, &shown)
}

async fn with_sparklines(
    webhooks: Vec<WebhookBody>,
    connections: &Connections,
) -> Result<Vec<Row>, Problem> {
    let now = Utc::now();
    let ids: Vec<_> = webhooks
        .iter()
        .map(|webhook| WebhookId(webhook.id))
        .collect();
    let since = now - TimeDelta::hours(SPARK_HOURS);
    let mut connection = connections.acquire().await?;
    let hours = activity::list_hours_of(&mut connection, &ids, since).await?;
    let rows = webhooks.into_iter().map(|webhook| {
        let hours = hours.get(&WebhookId(webhook.id));
        Row {
            event_types: selected(&webhook),
            sparkline: Sparkline::of(hours.map_or(&[], Vec::as_slice), now),
            webhook,
        }
    });
    Ok(rows.collect())
}

fn selected(webhook: &WebhookBody) -> Vec<EventType> {
    let patterns = webhook.settings.event_types.iter();
    let patterns = patterns.filter_map(|pattern| pattern.parse().ok());
    EventSelection::new(patterns).map_or(Vec::new(), |events| events.types().collect())
}

/// Switches a webhook on or off, and offers to take that back.
pub(in crate::pages) async fn set_status(
    id: Path<String>,
    form: Form,
    caller: Caller,
    connections: Data<Connections>,
    keys: Data<SealingKeys>,
) -> Result<HttpResponse, Problem> {
    let status: WebhookStatus = form
        .text("status")
        .parse()
        .map_err(|_| Problem::NotFound("status"))?;
    let webhook = set(&id, status, &caller, &connections, &keys).await?;
    let (text, was) = match status {
        WebhookStatus::Active => ("is Active now", WebhookStatus::Inactive),
        WebhookStatus::Inactive => (
            "is Inactive now: its deliveries wait",
            WebhookStatus::Active,
        ),
    };
    let undo = Undo::Status {
        webhook_id: webhook.id,
        was: was.as_str().to_owned(),
    };
    let notice = Notice::with_undo(format!("“{}” {text}.", webhook.settings.name), undo);
    Ok(go_on(form.back("/admin/webhooks"), &notice))
}
