//! Replays the events that a webhook missed: first counted, then sent after a confirmation.

use actix_web::HttpResponse;
use actix_web::web::Data;
use askama::Template;
use chrono::{SubsecRound, TimeDelta, Utc};
use serde_json::{Value, json};
use webhook_domain::{JobRate, WebhookId};

use crate::errors::Errors;
use crate::filters;
use crate::flash::Flash;
use crate::form::Form;
use crate::html::{page_with, redirect_with_flash};
use crate::query::in_utc;
use crate::visit::Visit;
use webhook_admin::Connections;
use webhook_admin::Refusal;
use webhook_admin::creation::{CreationRequest, IdempotencyKey};
use webhook_admin::webhooks::{
    ReplayEvents, WebhookBody, count_missed, find_webhook, start_replay,
};
use webhook_store::SealingKeys;
use webhook_web::Authenticated;
use webhook_web::{PathId, Problem};

/// How long ago the offered time span starts, in hours.
const OFFERED_HOURS: i64 = 24;

#[derive(Template)]
#[template(path = "webhooks/replay.html")]
struct ReplayPage {
    visit: Visit,
    webhook: WebhookBody,
    asked: ReplayForm,
    errors: Errors,
    /// How many events the webhook missed, after a preview.
    counted: Option<i64>,
}

/// The texts of the form. Times are in RFC 3339 as far as they could be read.
struct ReplayForm {
    since: String,
    until: String,
    rate: String,
}

impl ReplayForm {
    fn of(form: &Form) -> Self {
        let time = |name| in_utc(form.text(name)).unwrap_or_else(|| form.text(name).to_owned());
        Self {
            since: time("since"),
            until: time("until"),
            rate: form.text("rate").to_owned(),
        }
    }

    /// The document of the API. A text that is no number stays a text, which the API's reader refuses.
    fn as_api(&self) -> Vec<u8> {
        let said = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        let rate = match self.rate.parse::<u64>() {
            Ok(rate) => json!(rate),
            Err(_) if self.rate.is_empty() => Value::Null,
            Err(_) => json!(self.rate),
        };
        let until = said(&self.until);
        let mut body = json!({"until": until, "rate": rate});
        if let Some(since) = said(&self.since) {
            body["since"] = json!(since);
        }
        body.to_string().into_bytes()
    }
}

/// Shows the form.
pub(crate) async fn show_replay(
    PathId(id): PathId<WebhookId>,
    visit: Visit,
    connections: Data<Connections>,
) -> Result<HttpResponse, Problem> {
    let since = Utc::now() - TimeDelta::hours(OFFERED_HOURS);
    let asked = ReplayForm {
        since: since.trunc_subsecs(0).to_rfc3339(),
        until: String::new(),
        rate: JobRate::default().get().to_string(),
    };
    let webhook = find_webhook(id, &connections).await?;
    respond(visit, webhook, asked, Errors::default(), None)
}

/// Counts the missed events and asks for a confirmation. Starts the job after the confirmation.
pub(crate) async fn replay_events(
    PathId(id): PathId<WebhookId>,
    form: Form,
    visit: Visit,
    Authenticated(caller): Authenticated,
    connections: Data<Connections>,
    sealing_keys: Data<SealingKeys>,
) -> Result<HttpResponse, Problem> {
    let mut asked = ReplayForm::of(&form);
    if form.has("confirmed") {
        let body = asked.as_api();
        let (replay, _) = ReplayEvents::parse(&body, "")?;
        let key = IdempotencyKey::of_form("", &visit.path);
        let once = CreationRequest {
            key: &key,
            body: &body,
        };
        let started = start_replay(id, &replay, once, &caller, &connections, &sealing_keys).await?;
        let flash = Flash::new("The replay has started.");
        return Ok(redirect_with_flash(
            &format!("/admin/jobs/{}", started.created.id),
            &flash,
        ));
    }
    let webhook = find_webhook(id, &connections).await?;
    if asked.until.is_empty() {
        // Events that arrive while the question is read were not counted, and must not be sent.
        asked.until = Utc::now().trunc_subsecs(3).to_rfc3339();
    }
    match count(id, &asked, &connections).await {
        Ok(count) => respond(visit, webhook, asked, Errors::default(), Some(count)),
        Err(problem) => {
            let errors = Errors::of(problem)?;
            respond(visit, webhook, ReplayForm::of(&form), errors, None)
        }
    }
}

async fn count(
    id: WebhookId,
    asked: &ReplayForm,
    connections: &Connections,
) -> Result<i64, Refusal> {
    let (replay, _) = ReplayEvents::parse(&asked.as_api(), "")?;
    Ok(count_missed(id, &replay, connections).await?.total)
}

fn respond(
    visit: Visit,
    webhook: WebhookBody,
    asked: ReplayForm,
    errors: Errors,
    counted: Option<i64>,
) -> Result<HttpResponse, Problem> {
    let status = errors.status();
    let shown = ReplayPage {
        visit,
        webhook,
        asked,
        errors,
        counted,
    };
    page_with(status, &shown.visit, &shown)
}
