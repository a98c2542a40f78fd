//! Creates a webhook, from an empty form or as a copy of another webhook.

use actix_web::HttpResponse;
use actix_web::web::Data;
use webhook_domain::WebhookId;
use webhook_store::SealingKeys;
use webhook_store::retry_policies::find_default;

use super::form::WebhookForm;
use super::form_page::{Subject, WebhookDraft};
use super::name::note;
use super::preview::PREVIEW;
use super::warnings::told_warnings;
use crate::flash::Flash;
use crate::form::Form;
use crate::html::redirect_with_flash;
use crate::query::Query;
use crate::visit::Visit;
use webhook_admin::Connections;
use webhook_admin::creation::{CreationRequest, IdempotencyKey};
use webhook_admin::url_rules::UrlRules;
use webhook_admin::webhooks::{self, find_stored, find_warnings};
use webhook_web::Problem;

/// Shows the form for a new webhook; with `?from=<id>`, filled with the settings of another webhook. A link may
/// choose the format and the event of the preview: `?format=slack&preview_of=license.created`.
pub(crate) async fn show_create_form(
    visit: Visit,
    query: Query,
    connections: Data<Connections>,
) -> Result<HttpResponse, Problem> {
    let form = match query.text("from").parse() {
        Ok(id) => copy(id, &connections).await?,
        Err(_) => WebhookForm::new(&query),
    };
    let draft = WebhookDraft::fresh(form, Subject::new());
    draft.show(visit, &connections).await
}

async fn copy(id: WebhookId, connections: &Connections) -> Result<WebhookForm, Problem> {
    let mut connection = connections.acquire().await?;
    let webhook = find_stored(&mut connection, id).await?;
    let default = find_default(&mut connection, webhook.settings.environment).await?;
    Ok(WebhookForm::copy_of(&webhook.settings, &default))
}

/// Creates a webhook, and leads to the page of its first test. The button of the preview creates nothing.
pub(crate) async fn create_webhook(
    form: Form,
    visit: Visit,
    connections: Data<Connections>,
    keys: Data<SealingKeys>,
    url_rules: Data<UrlRules>,
) -> Result<HttpResponse, Problem> {
    let webhook = WebhookForm::sent(&form);
    if form.has(PREVIEW) {
        let draft = WebhookDraft::unsaved(webhook, Subject::new());
        return draft.show(visit, &connections).await;
    }
    let key = IdempotencyKey::of_form(form.text("key"), &visit.path);
    let document = webhook.as_new();
    let request = CreationRequest {
        key: &key,
        body: &document,
    };
    match webhooks::create_webhook(request, &url_rules, &visit.caller, &connections, &keys).await {
        Ok(creation) => {
            let id = WebhookId(creation.created.id);
            let warnings = find_warnings(id, &connections, &keys).await?;
            lead_on(id, &webhook, &warnings, &connections).await
        }
        Err(refusal) => {
            let draft = WebhookDraft::unsaved(webhook, Subject::new()).refused(refusal)?;
            draft.show(visit, &connections).await
        }
    }
}

/// Leads to the page of a test event, or to the page of an Inactive webhook, which gets no test.
async fn lead_on(
    id: WebhookId,
    webhook: &WebhookForm,
    warnings: &[String],
    connections: &Connections,
) -> Result<HttpResponse, Problem> {
    let namesake = match webhook.environment.parse() {
        Ok(environment) => note(environment, &webhook.name, Some(id), connections).await?,
        Err(_) => String::new(),
    };
    let page = format!("/admin/webhooks/{id}");
    let (page, next) = if webhook.is_active() {
        (format!("{page}/test"), "Send it a test event now.")
    } else {
        (page, "Switch it to Active when your endpoint is ready.")
    };
    let mut sentences = vec![webhook.saved(), namesake];
    sentences.extend(told_warnings(warnings));
    sentences.push(next.to_owned());
    Ok(redirect_with_flash(&page, &Flash::of_sentences(&sentences)))
}
