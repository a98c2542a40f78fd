//! Deletes a webhook, after a question.

use actix_web::HttpResponse;
use actix_web::web::Data;
use askama::Template;
use webhook_domain::{StatusFilter, WebhookId};
use webhook_store::deliveries::{self, DeliveryFilter};
use webhook_store::webhooks::Webhook;

use crate::filters;
use crate::flash::Flash;
use crate::form::Form;
use crate::html::{page, redirect_with_flash};
use crate::query::Query;
use crate::visit::Visit;
use webhook_admin::Connections;
use webhook_admin::version::IfMatch;
use webhook_admin::webhooks::{self, find_stored};
use webhook_web::{PathId, Problem};

#[derive(Template)]
#[template(path = "webhooks/delete.html")]
struct DeletePage {
    visit: Visit,
    webhook: Webhook,
    pending: i64,
    /// The list that the visitor came from, with its filter; empty without one.
    back: String,
}

impl DeletePage {
    /// The page that Cancel leads to.
    fn cancelled(&self) -> String {
        if self.back.is_empty() {
            return format!("/admin/webhooks/{}", self.webhook.id);
        }
        self.back.clone()
    }
}

/// Asks whether to delete the webhook, and shows what would be lost.
pub(crate) async fn ask_to_delete_webhook(
    PathId(id): PathId<WebhookId>,
    visit: Visit,
    query: Query,
    connections: Data<Connections>,
) -> Result<HttpResponse, Problem> {
    let mut connection = connections.acquire().await?;
    let webhook = find_stored(&mut connection, id).await?;
    let filter = DeliveryFilter {
        webhook_id: Some(webhook.id),
        status: Some(StatusFilter::Pending),
        ..DeliveryFilter::default()
    };
    let shown = DeletePage {
        visit,
        pending: deliveries::count(&mut connection, &filter).await?,
        webhook,
        back: query.back().to_owned(),
    };
    page(&shown.visit, &shown)
}

/// Deletes the webhook.
pub(crate) async fn delete_webhook(
    PathId(id): PathId<WebhookId>,
    form: Form,
    visit: Visit,
    connections: Data<Connections>,
) -> Result<HttpResponse, Problem> {
    let mut connection = connections.acquire().await?;
    let webhook = find_stored(&mut connection, id).await?;
    // Two connections at once could exhaust the pool.
    drop(connection);
    webhooks::delete_webhook(id, &IfMatch::Any, &visit.caller, &connections).await?;
    let name = webhook.settings.name.as_str();
    let flash = Flash::new(format!(
        "“{name}” is deleted. The deliveries of the webhook can still be read."
    ));
    Ok(redirect_with_flash(form.back("/admin/webhooks"), &flash))
}
