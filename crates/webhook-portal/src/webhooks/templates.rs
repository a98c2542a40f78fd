//! The versions of a webhook's template.

use actix_web::HttpResponse;
use actix_web::web::Data;
use askama::Template;
use webhook_domain::WebhookId;

use crate::filters;
use crate::html::page;
use crate::json::pretty;
use crate::visit::Visit;
use webhook_admin::Connections;
use webhook_admin::webhooks::{TemplateVersionBody, find_webhook, list_templates};
use webhook_web::{PathId, Problem};

#[derive(Template)]
#[template(path = "webhooks/templates.html")]
struct TemplatesPage {
    visit: Visit,
    id: WebhookId,
    name: String,
    versions: Vec<Version>,
}

/// A version, with the template formatted for reading.
struct Version {
    body: TemplateVersionBody,
    text: String,
}

/// Shows the versions, newest first.
pub(crate) async fn show_templates(
    PathId(id): PathId<WebhookId>,
    visit: Visit,
    connections: Data<Connections>,
) -> Result<HttpResponse, Problem> {
    let webhook = find_webhook(id, &connections).await?;
    let versions = list_templates(id, &connections).await?.data.into_iter();
    let shown = TemplatesPage {
        visit,
        id,
        name: webhook.settings.name,
        versions: versions.map(Version::of).collect(),
    };
    page(&shown.visit, &shown)
}

impl Version {
    fn of(body: TemplateVersionBody) -> Self {
        let written = body.template.get();
        let text = pretty(written).unwrap_or_else(|| written.to_owned());
        Self { body, text }
    }
}
