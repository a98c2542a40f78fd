//! Why a webhook may not receive events. It has a page of its own, as it takes seconds; a script
//! loads that into the page of the webhook.

use actix_web::HttpResponse;
use actix_web::web::{Data, Path};
use askama::Template;

use crate::pages::filters;
use crate::pages::html::page;
use crate::pages::visit::Visit;
use crate::routes::webhooks::WebhookBody;
use crate::routes::webhooks::diagnosis::{FindingBody, read_diagnosis};
use crate::routes::webhooks::read::read_one;
use webhook_admin::Connections;
use webhook_web::Problem;

#[derive(Template)]
#[template(path = "webhooks/diagnosis.html")]
struct DiagnosisPage {
    visit: Visit,
    webhook: WebhookBody,
    findings: Vec<FindingBody>,
}

/// Looks for what keeps events away, and shows it.
pub(in crate::pages) async fn show_diagnosis(
    id: Path<String>,
    visit: Visit,
    connections: Data<Connections>,
) -> Result<HttpResponse, Problem> {
    let shown = DiagnosisPage {
        visit,
        webhook: read_one(&id, &connections).await?,
        findings: read_diagnosis(&id, &connections).await?.findings,
    };
    page(&shown.visit, &shown)
}
