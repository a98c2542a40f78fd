//! The diagnosis of a webhook. A diagnosis takes seconds and has a separate page, which a script loads
//! into the page of the webhook.

use std::cmp::Reverse;

use actix_web::HttpResponse;
use actix_web::web::Data;
use askama::Template;
use webhook_domain::WebhookId;
use webhook_store::SealingKeys;

use crate::filters;
use crate::html::page;
use crate::visit::Visit;
use webhook_admin::Connections;
use webhook_admin::webhooks::{FindingBody, WebhookBody, diagnose_webhook, find_webhook};
use webhook_web::{PathId, Problem};

#[derive(Template)]
#[template(path = "webhooks/diagnosis.html")]
struct DiagnosisPage {
    visit: Visit,
    webhook: WebhookBody,
    findings: Vec<FindingBody>,
}

/// Diagnoses a webhook, and shows the findings.
pub(crate) async fn show_diagnosis(
    PathId(id): PathId<WebhookId>,
    visit: Visit,
    connections: Data<Connections>,
    keys: Data<SealingKeys>,
) -> Result<HttpResponse, Problem> {
    let mut findings = diagnose_webhook(id, &connections, &keys).await?.findings;
    // The finding to act on comes first, and findings of a kind stay in the order of an event's way.
    findings.sort_by_key(|finding| Reverse(finding.severity));
    let shown = DiagnosisPage {
        visit,
        webhook: find_webhook(id, &connections).await?,
        findings,
    };
    page(&shown.visit, &shown)
}
