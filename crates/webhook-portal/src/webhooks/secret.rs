//! Shows and replaces the secret of a webhook. No page holds the secret before a click asks for it.

use std::time::Duration;

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::Data;
use askama::Template;
use serde_json::json;
use webhook_domain::WebhookId;
use webhook_store::webhooks::Webhook;
use webhook_store::{SealingKeys, settings};

use crate::errors::Errors;
use crate::filters;
use crate::form::Form;
use crate::html::page_with;
use crate::span::in_words;
use crate::visit::Visit;
use webhook_admin::Connections;
use webhook_admin::Refusal;
use webhook_admin::duration::write_duration;
use webhook_admin::retry_policies::millis;
use webhook_admin::webhooks::{self, RotateSecret, SecretBody, find_stored, rotate_secret};
use webhook_web::problem::refusal_status;
use webhook_web::{PathId, Problem};

/// The grace periods to choose from, in seconds.
const GRACE_PERIODS: [u64; 4] = [0, 3_600, 86_400, 604_800];

#[derive(Template)]
#[template(path = "webhooks/secret.html")]
struct SecretPage {
    visit: Visit,
    webhook: Webhook,
    /// The secrets, after a click asked for them.
    shown: Option<SecretBody>,
    /// Whether the secret was just replaced.
    replaced: bool,
    grace_periods: Vec<GracePeriod>,
    own: bool,
    typed: String,
    errors: Errors,
}

/// A grace period to choose: how long the old secret stays valid.
struct GracePeriod {
    /// The notation of the API: `24h`.
    value: String,
    words: String,
    is_default: bool,
    chosen: bool,
}

/// Shows the page without the secret.
pub(crate) async fn show_page(
    PathId(id): PathId<WebhookId>,
    visit: Visit,
    connections: Data<Connections>,
) -> Result<HttpResponse, Problem> {
    let page = SecretPage::read(id, visit, &connections).await?;
    page_with(StatusCode::OK, &page.visit, &page)
}

/// Shows the secret, and writes an entry into the audit log.
pub(crate) async fn show_secret(
    PathId(id): PathId<WebhookId>,
    _form: Form,
    visit: Visit,
    connections: Data<Connections>,
    keys: Data<SealingKeys>,
) -> Result<HttpResponse, Problem> {
    let secret = webhooks::show_secret(id, &visit.caller, &connections, &keys).await?;
    let page = SecretPage {
        shown: Some(secret),
        ..SecretPage::read(id, visit, &connections).await?
    };
    page_with(StatusCode::OK, &page.visit, &page)
}

/// Replaces the secret, and shows the new secret.
pub(crate) async fn replace(
    PathId(id): PathId<WebhookId>,
    form: Form,
    visit: Visit,
    connections: Data<Connections>,
    keys: Data<SealingKeys>,
) -> Result<HttpResponse, Problem> {
    let (own, typed) = (form.text("secret_from") == "own", form.text("secret"));
    let grace_period = form.text("grace_period");
    let body = json!({"grace_period": grace_period, "secret": own.then_some(typed)}).to_string();
    // A refused rotation is shown on the page, so the refusal is kept until the page is read.
    let replaced = async {
        let rotation = RotateSecret::parse(body.as_bytes())?;
        rotate_secret(id, rotation, &visit.caller, &connections, &keys).await
    };
    let replaced: Result<SecretBody, Refusal> = replaced.await;
    let page = SecretPage::read(id, visit, &connections).await?;
    let (status, page) = match replaced {
        Ok(secret) => {
            let shown = SecretPage {
                shown: Some(secret),
                replaced: true,
                ..page
            };
            (StatusCode::OK, shown)
        }
        Err(problem) => {
            let (status, typed) = (refusal_status(&problem), typed.to_owned());
            let errors = Errors::of(problem)?;
            let mut refused = SecretPage {
                errors,
                own,
                typed,
                ..page
            };
            refused.choose(grace_period);
            (status, refused)
        }
    };
    page_with(status, &page.visit, &page)
}

impl SecretPage {
    async fn read(id: WebhookId, visit: Visit, connections: &Connections) -> Result<Self, Problem> {
        let mut connection = connections.acquire().await?;
        let webhook = find_stored(&mut connection, id).await?;
        let default = settings::find(&mut connection).await?.settings.grace_period;
        Ok(Self {
            visit,
            webhook,
            shown: None,
            replaced: false,
            grace_periods: grace_periods(default),
            own: false,
            typed: String::new(),
            errors: Errors::default(),
        })
    }

    fn choose(&mut self, grace_period: &str) {
        for offered in &mut self.grace_periods {
            offered.chosen = offered.value == grace_period;
        }
    }
}

/// The grace periods to choose from. The platform's default is one of them, and chosen.
fn grace_periods(default: Duration) -> Vec<GracePeriod> {
    let mut spans: Vec<Duration> = GRACE_PERIODS.map(Duration::from_secs).to_vec();
    spans.push(default);
    spans.sort();
    spans.dedup();
    let offered = spans.into_iter().map(|span| GracePeriod {
        value: write_duration(span),
        words: in_words(millis(span)),
        is_default: span == default,
        chosen: span == default,
    });
    offered.collect()
}
