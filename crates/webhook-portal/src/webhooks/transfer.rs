//! The page to export the webhooks of an environment and to import them into another one.

use actix_web::HttpResponse;
use actix_web::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, ContentDisposition, DispositionParam, DispositionType,
    X_CONTENT_TYPE_OPTIONS,
};
use actix_web::http::{StatusCode, header::ContentType};
use actix_web::web::Data;
use askama::Template;
use webhook_domain::Environment;
use webhook_store::SealingKeys;

use crate::errors::Entry;
use crate::filters;
use crate::form::Form;
use crate::html::page_with;
use crate::visit::Visit;
use webhook_admin::Connections;
use webhook_admin::webhooks::{self, ExportWebhooks};
use webhook_web::Problem;

#[derive(Template)]
#[template(path = "webhooks/transfer.html")]
struct TransferPage {
    visit: Visit,
    environments: &'static [Environment],
    draft: ImportDraft,
}

/// The form of an import as a browser sent it, and why it was refused.
#[derive(Default)]
pub(super) struct ImportDraft {
    pub(super) environment: String,
    pub(super) document: String,
    pub(super) entries: Vec<Entry>,
}

impl ImportDraft {
    pub(super) fn sent(form: &Form) -> Self {
        Self {
            environment: form.text("environment").to_owned(),
            document: form.text("document").to_owned(),
            entries: Vec::new(),
        }
    }

    /// Responds with the page and the form.
    pub(super) fn show(self, status: StatusCode, visit: Visit) -> Result<HttpResponse, Problem> {
        let shown = TransferPage {
            visit,
            environments: Environment::ALL,
            draft: self,
        };
        page_with(status, &shown.visit, &shown)
    }
}

/// Shows the page.
#[allow(clippy::unused_async, reason = "handlers are async")]
pub(crate) async fn show_transfer(visit: Visit) -> Result<HttpResponse, Problem> {
    ImportDraft::default().show(StatusCode::OK, visit)
}

/// Exports the webhooks of an environment as a file. A form and no link, because an export with secrets is
/// written into the audit log.
pub(crate) async fn export_webhooks(
    form: Form,
    visit: Visit,
    connections: Data<Connections>,
    keys: Data<SealingKeys>,
) -> Result<HttpResponse, Problem> {
    let (environment, secrets) = (form.text("environment"), form.has("secrets"));
    let asked = ExportWebhooks::parse(&format!("environment={environment}&secrets={secrets}"))?;
    let document = webhooks::export_webhooks(&asked, &visit.caller, &connections, &keys).await?;
    let name = format!("webhooks-{}.json", asked.environment.as_str());
    let attachment = ContentDisposition {
        disposition: DispositionType::Attachment,
        parameters: vec![DispositionParam::Filename(name)],
    };
    Ok(HttpResponse::Ok()
        .insert_header(ContentType::json())
        .insert_header(attachment)
        .insert_header((CACHE_CONTROL, "no-store"))
        .insert_header((CONTENT_SECURITY_POLICY, "default-src 'none'"))
        .insert_header((X_CONTENT_TYPE_OPTIONS, "nosniff"))
        .body(serde_json::to_vec_pretty(&document).expect("our bodies are JSON")))
}
