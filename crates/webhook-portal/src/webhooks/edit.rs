//! Edits a stored webhook: the settings and, if asked for, a new secret.

use actix_web::HttpResponse;
use actix_web::web::Data;
use webhook_domain::{WebhookId, WebhookSettings};
use webhook_store::retry_policies::find_default;
use webhook_store::webhooks::Webhook;
use webhook_store::{SealingKeys, settings};

use super::form::{NewSecret, WebhookForm};
use super::form_page::{Subject, WebhookDraft};
use super::name::note;
use super::preview::PREVIEW;
use super::warnings::told_warnings;
use crate::flash::Flash;
use crate::form::Form;
use crate::html::redirect_with_flash;
use crate::visit::Visit;
use webhook_admin::Connections;
use webhook_admin::Refusal;
use webhook_admin::duration::write_duration;
use webhook_admin::url_rules::UrlRules;
use webhook_admin::version::{IfMatch, etag};
use webhook_admin::webhooks::{self, Change, PatchWebhook, RotateSecret, WebhookBody, find_stored};
use webhook_web::{PathId, Problem};

/// Shows the form for a stored webhook.
pub(crate) async fn show_edit_form(
    PathId(id): PathId<WebhookId>,
    visit: Visit,
    connections: Data<Connections>,
) -> Result<HttpResponse, Problem> {
    let mut connection = connections.acquire().await?;
    let webhook = find_stored(&mut connection, id).await?;
    let default = find_default(&mut connection, webhook.settings.environment).await?;
    drop(connection);
    let form = WebhookForm::of(&webhook.settings, &default);
    let subject = Subject::of(&webhook, webhook.version);
    WebhookDraft::fresh(form, subject)
        .show(visit, &connections)
        .await
}

/// Saves a webhook that still has the version of the form. The buttons beside the secret change the form
/// only: `secret_change` is `generate` or `keep`. The button of the preview saves nothing.
pub(crate) async fn save_webhook(
    PathId(id): PathId<WebhookId>,
    form: Form,
    visit: Visit,
    connections: Data<Connections>,
    keys: Data<SealingKeys>,
    url_rules: Data<UrlRules>,
) -> Result<HttpResponse, Problem> {
    let webhook = WebhookForm::sent(&form);
    // The version of the form, not the current version: a change in between must not be lost.
    let version: i64 = form.text("version").parse().unwrap_or_default();
    let before = read(id, &connections).await?;
    let draft = |webhook| WebhookDraft::unsaved(webhook, Subject::of(&before, version));
    if form.has(PREVIEW) {
        return draft(webhook).show(visit, &connections).await;
    }
    if form.has("secret_change") {
        let webhook = change_secret(webhook, form.text("secret_change"), &connections).await?;
        return draft(webhook).show(visit, &connections).await;
    }
    let rotation = match check(&webhook, &before.settings, &url_rules) {
        Ok(rotation) => rotation,
        Err(refusal) => {
            let draft = draft(webhook).refused(refusal)?;
            return draft.show(visit, &connections).await;
        }
    };
    let ends_old_secret = rotation.as_ref().is_some_and(RotateSecret::ends_old_secret);
    if ends_old_secret && !form.has("confirmed") {
        return draft(webhook).asking().show(visit, &connections).await;
    }
    let change = Change {
        id,
        if_match: &IfMatch::Tags(vec![etag(version)]),
        caller: &visit.caller,
        sealing_keys: &keys,
    };
    let patch = |current: &WebhookSettings| {
        let patch = PatchWebhook::parse(&webhook.as_patch(current), current, &url_rules);
        patch.map(|patch| patch.settings)
    };
    match webhooks::save_webhook(&change, &connections, patch, rotation).await {
        Ok(saved) => lead_on(&webhook, &before.settings, &saved, &connections).await,
        Err(refusal @ Refusal::VersionMismatch { .. }) => {
            // The refused form is shown beside the settings that somebody else saved.
            let current = read(id, &connections).await?;
            let draft = WebhookDraft::overtaken(webhook, &current, &refusal);
            draft.show(visit, &connections).await
        }
        Err(refusal) => {
            let draft = draft(webhook).refused(refusal)?;
            draft.show(visit, &connections).await
        }
    }
}

async fn read(id: WebhookId, connections: &Connections) -> Result<Webhook, Problem> {
    let mut connection = connections.acquire().await?;
    Ok(find_stored(&mut connection, id).await?)
}

/// The form with a generated secret, or without a new secret. Nothing is stored before the form is saved.
async fn change_secret(
    mut webhook: WebhookForm,
    change: &str,
    connections: &Connections,
) -> Result<WebhookForm, Problem> {
    webhook.new_secret = None;
    if change == "generate" {
        let mut connection = connections.acquire().await?;
        let grace_period = settings::find(&mut connection).await?.settings.grace_period;
        webhook.new_secret = Some(NewSecret::generated(write_duration(grace_period)));
    }
    Ok(webhook)
}

/// Checks the form against the stored settings, and returns the rotation that the form asks for. All wrong
/// fields are refused at once.
fn check(
    webhook: &WebhookForm,
    current: &WebhookSettings,
    url_rules: &UrlRules,
) -> Result<Option<RotateSecret>, Refusal> {
    let patch = PatchWebhook::parse(&webhook.as_patch(current), current, url_rules);
    let rotation = webhook.new_secret.as_ref().map(NewSecret::rotation);
    match (patch, rotation.transpose()) {
        (Ok(_), rotation) => rotation,
        (Err(Refusal::Invalid(settings)), Err(Refusal::Invalid(secret))) => {
            Err(Refusal::Invalid([settings, secret].concat()))
        }
        (Err(refusal), _) => Err(refusal),
    }
}

/// Leads to the page of a test event if the Target URL has changed, and to the webhook otherwise.
async fn lead_on(
    sent: &WebhookForm,
    before: &WebhookSettings,
    saved: &WebhookBody,
    connections: &Connections,
) -> Result<HttpResponse, Problem> {
    let settings = &saved.settings;
    let namesake = note(
        settings.environment,
        &settings.name,
        Some(saved.id),
        connections,
    )
    .await?;
    let mut sentences = vec![sent.saved(), namesake];
    sentences.extend(told_warnings(&saved.warnings));
    if sent.new_secret.is_some() {
        sentences.push("The new Webhook Secret signs requests from now on.".to_owned());
    }
    let mut page = format!("/admin/webhooks/{}", saved.id);
    let is_kept = before.url.shown() == sent.url || before.url.is_kept_by(&sent.url);
    if settings.is_active() && !is_kept {
        sentences.push("The Target URL has changed: send it a test event now.".to_owned());
        page.push_str("/test");
    }
    Ok(redirect_with_flash(&page, &Flash::of_sentences(&sentences)))
}
