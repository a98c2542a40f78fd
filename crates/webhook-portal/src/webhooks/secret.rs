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

use super::grace_period::{GracePeriod, grace_periods};
use crate::errors::{Entry, Errors};
use crate::filters;
use crate::form::Form;
use crate::html::page_with;
use crate::visit::Visit;
use webhook_admin::Connections;
use webhook_admin::Refusal;
use webhook_admin::webhooks::{self, RotateSecret, SecretBody, find_stored, rotate_secret};
use webhook_web::problem::refusal_status;
use webhook_web::{PathId, Problem};

#[derive(Template)]
#[template(path = "webhooks/secret.html")]
struct SecretPage {
    visit: Visit,
    webhook: Webhook,
    /// The secrets, after a click asked for them.
    shown: Option<SecretBody>,
    /// Whether the secret was just replaced.
    replaced: bool,
    /// The platform's grace period.
    default: Duration,
    grace_periods: Vec<GracePeriod>,
    own: bool,
    typed: String,
    errors: Errors,
    /// Whether the page asks to confirm that the old secret becomes invalid at once.
    asks: bool,
}

/// Shows the page without the secret.
pub(crate) async fn ask_to_show_secret(
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

/// Replaces the secret, and shows the new secret. Asks first if the old secret becomes invalid at once.
pub(crate) async fn replace_secret(
    PathId(id): PathId<WebhookId>,
    form: Form,
    visit: Visit,
    connections: Data<Connections>,
    keys: Data<SealingKeys>,
) -> Result<HttpResponse, Problem> {
    let page = SecretPage::read(id, visit, &connections)
        .await?
        .typed(&form);
    let rotation = match page.rotation(form.text("grace_period")) {
        Ok(rotation) => rotation,
        Err(refusal) => return page.refused(refusal),
    };
    if rotation.ends_old_secret() && !form.has("confirmed") {
        return page.ask();
    }
    let secret = rotate_secret(id, rotation, &page.visit.caller, &connections, &keys).await?;
    let default = page.default;
    let shown = SecretPage {
        shown: Some(secret),
        replaced: true,
        own: false,
        typed: String::new(),
        grace_periods: grace_periods(default, None),
        ..page
    };
    page_with(StatusCode::OK, &shown.visit, &shown)
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
            default,
            grace_periods: grace_periods(default, None),
            own: false,
            typed: String::new(),
            errors: Errors::default(),
            asks: false,
        })
    }

    /// The page with the fields of a sent form.
    fn typed(self, form: &Form) -> Self {
        Self {
            grace_periods: grace_periods(self.default, Some(form.text("grace_period"))),
            own: form.text("secret_from") == "own",
            typed: form.text("secret").to_owned(),
            ..self
        }
    }

    fn rotation(&self, grace_period: &str) -> Result<RotateSecret, Refusal> {
        let secret = self.own.then_some(self.typed.as_str());
        let body = json!({"grace_period": grace_period, "secret": secret}).to_string();
        RotateSecret::parse(body.as_bytes())
    }

    fn ask(mut self) -> Result<HttpResponse, Problem> {
        self.asks = true;
        page_with(StatusCode::OK, &self.visit, &self)
    }

    fn refused(mut self, refusal: Refusal) -> Result<HttpResponse, Problem> {
        let status = refusal_status(&refusal);
        self.errors = Errors::of(refusal)?;
        page_with(status, &self.visit, &self)
    }

    /// The entries of the summary above the form.
    fn entries(&self) -> Vec<Entry> {
        self.errors.entries(|field| match field {
            "grace_period" => (
                "Keep the old secret valid for".to_owned(),
                "grace-0".to_owned(),
            ),
            _ => ("Webhook Secret".to_owned(), "secret".to_owned()),
        })
    }
}
