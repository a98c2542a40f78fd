//! Shows the whole Target URL of a webhook. No page holds a secret URL before a click asks for the URL.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::Data;
use askama::Template;
use webhook_domain::WebhookId;
use webhook_store::SealingKeys;
use webhook_store::webhooks::Webhook;

use crate::filters;
use crate::form::Form;
use crate::html::page_with;
use crate::visit::Visit;
use webhook_admin::Connections;
use webhook_admin::webhooks::{self, UrlBody, find_stored};
use webhook_web::{PathId, Problem};

#[derive(Template)]
#[template(path = "webhooks/whole_url.html")]
struct WholeUrlPage {
    visit: Visit,
    webhook: Webhook,
    /// The URL, after a click asked for the URL.
    shown: Option<UrlBody>,
}

/// Shows the page without the whole URL.
pub(crate) async fn ask_to_show_url(
    PathId(id): PathId<WebhookId>,
    visit: Visit,
    connections: Data<Connections>,
) -> Result<HttpResponse, Problem> {
    show(id, visit, &connections, None).await
}

/// Shows the whole URL, and writes an entry into the audit log.
pub(crate) async fn show_url(
    PathId(id): PathId<WebhookId>,
    _form: Form,
    visit: Visit,
    connections: Data<Connections>,
    keys: Data<SealingKeys>,
) -> Result<HttpResponse, Problem> {
    let url = webhooks::show_url(id, &visit.caller, &connections, &keys).await?;
    show(id, visit, &connections, Some(url)).await
}

async fn show(
    id: WebhookId,
    visit: Visit,
    connections: &Connections,
    shown: Option<UrlBody>,
) -> Result<HttpResponse, Problem> {
    let mut connection = connections.acquire().await?;
    let webhook = find_stored(&mut connection, id).await?;
    drop(connection);
    let page = WholeUrlPage {
        visit,
        webhook,
        shown,
    };
    page_with(StatusCode::OK, &page.visit, &page)
}
