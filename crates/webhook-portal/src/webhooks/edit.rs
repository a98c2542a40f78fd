//! The form that creates or edits a webhook.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::Data;
use askama::Template;
use uuid::Uuid;
use webhook_domain::{Environment, WebhookId, WebhookSettings, WebhookStatus};
use webhook_store::retry_policies::find_default;
use webhook_store::webhooks::Webhook;
use webhook_store::{RawConnection, SealingKeys};

use super::form::{Difference, WebhookForm, differences};
use crate::errors::Errors;
use crate::filters;
use crate::form::Form;
use crate::html::{go_on, page_with};
use crate::notice::Notice;
use crate::schedule::Schedule;
use crate::visit::Visit;
use webhook_admin::Connections;
use webhook_admin::Refusal;
use webhook_admin::creation::{CreationRequest, IdempotencyKey};
use webhook_admin::url_rules::UrlRules;
use webhook_admin::version::{IfMatch, etag};
use webhook_admin::webhooks::{Change, PatchWebhook, create_webhook, find_stored};
use webhook_web::problem::refusal_status;
use webhook_web::{PathId, Problem};

#[derive(Template)]
#[template(path = "webhooks/form.html")]
struct FormPage {
    visit: Visit,
    form: WebhookForm,
    subject: Subject,
    errors: Errors,
    obstacle: Option<Obstacle>,
    environments: &'static [Environment],
    statuses: &'static [WebhookStatus],
    /// The schedule of each environment's default.
    defaults: Vec<(Environment, Schedule)>,
}

/// The webhook that the form creates or edits.
enum Subject {
    /// A webhook to be created. The key keeps two clicks from creating two webhooks.
    New { key: Uuid },
    /// A stored webhook, in the version that the form shows.
    Stored {
        id: Uuid,
        version: i64,
        name: String,
    },
}

/// A reason for refusing a form whose fields may be right.
enum Obstacle {
    /// Somebody else changed the webhook after the form was shown.
    Changed(Vec<Difference>),
    /// The form has created a webhook already, and was sent again with other values.
    SentBefore,
}

/// Shows the form for a new webhook.
pub(crate) async fn show_new(
    visit: Visit,
    connections: Data<Connections>,
) -> Result<HttpResponse, Problem> {
    let draft = Draft::of(WebhookForm::new(), Subject::new());
    draft.show(visit, &connections).await
}

/// Creates a webhook, and leads to the page of its first test.
pub(crate) async fn create(
    form: Form,
    visit: Visit,
    connections: Data<Connections>,
    keys: Data<SealingKeys>,
    url_rules: Data<UrlRules>,
) -> Result<HttpResponse, Problem> {
    let webhook = WebhookForm::sent(&form);
    let key = IdempotencyKey::of_form(form.text("key"), &visit.path);
    let document = webhook.as_new();
    let request = CreationRequest {
        key: &key,
        body: &document,
    };
    match create_webhook(request, &url_rules, &visit.caller, &connections, &keys).await {
        Ok(creation) => Ok(lead_to_test(creation.created.id, &webhook.name)),
        Err(refusal) => {
            let draft = Draft::of(webhook, Subject::new()).refused(refusal)?;
            draft.show(visit, &connections).await
        }
    }
}

fn lead_to_test(id: Uuid, name: &str) -> HttpResponse {
    let notice = Notice::new(format!("“{name}” is saved. Send it a test event now."));
    go_on(&format!("/admin/webhooks/{id}/test"), &notice)
}

/// Shows the form for a stored webhook.
pub(crate) async fn show_edit(
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
    Draft::of(form, subject).show(visit, &connections).await
}

/// Changes a webhook that still has the version of the form.
pub(crate) async fn save(
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
    let refusal = match change.apply(&connections, patch).await {
        Ok(saved) => {
            let notice = Notice::new(format!("“{}” is saved.", saved.settings.name));
            return Ok(go_on(&format!("/admin/webhooks/{}", saved.id), &notice));
        }
        Err(refusal) => refusal,
    };
    // The refused form is shown beside the current settings, in case they are the reason.
    let mut connection = connections.acquire().await?;
    let current = find_stored(&mut connection, id).await?;
    drop(connection);
    let draft = if matches!(refusal, Refusal::VersionMismatch { .. }) {
        Draft::overtaken(webhook, &current, &refusal)
    } else {
        Draft::of(webhook, Subject::of(&current, version)).refused(refusal)?
    };
    draft.show(visit, &connections).await
}

/// A form to be shown, with the outcome of sending it.
struct Draft {
    form: WebhookForm,
    subject: Subject,
    status: StatusCode,
    errors: Errors,
    obstacle: Option<Obstacle>,
}

impl Draft {
    fn of(form: WebhookForm, subject: Subject) -> Self {
        Self {
            form,
            subject,
            status: StatusCode::OK,
            errors: Errors::default(),
            obstacle: None,
        }
    }

    /// The form after a refusal of its fields. A refusal that is not about the form is returned.
    fn refused(mut self, refusal: Refusal) -> Result<Self, Problem> {
        self.status = refusal_status(&refusal);
        if matches!(refusal, Refusal::IdempotencyKeyReused) {
            self.obstacle = Some(Obstacle::SentBefore);
        } else {
            self.errors = Errors::of(refusal)?;
            self.form.reword(&mut self.errors);
        }
        Ok(self)
    }

    /// The form after somebody else changed the webhook. The form now has the current version: sent
    /// again, it overwrites that change.
    fn overtaken(form: WebhookForm, current: &Webhook, refusal: &Refusal) -> Self {
        Self {
            status: refusal_status(refusal),
            obstacle: Some(Obstacle::Changed(differences(&form, &current.settings))),
            ..Self::of(form, Subject::of(current, current.version))
        }
    }

    async fn show(self, visit: Visit, connections: &Connections) -> Result<HttpResponse, Problem> {
        let mut connection = connections.acquire().await?;
        let defaults = draw_defaults(&mut connection).await?;
        drop(connection);
        let shown = FormPage {
            visit,
            form: self.form,
            subject: self.subject,
            errors: self.errors,
            obstacle: self.obstacle,
            environments: Environment::ALL,
            statuses: WebhookStatus::ALL,
            defaults,
        };
        page_with(self.status, &shown.visit, &shown)
    }
}

impl Subject {
    fn new() -> Self {
        let key = Uuid::now_v7();
        Self::New { key }
    }

    fn of(webhook: &Webhook, version: i64) -> Self {
        Self::Stored {
            id: webhook.id.0,
            version,
            name: webhook.settings.name.as_str().to_owned(),
        }
    }
}

async fn draw_defaults(
    connection: &mut RawConnection,
) -> Result<Vec<(Environment, Schedule)>, Problem> {
    let mut drawn = Vec::new();
    for environment in Environment::ALL {
        let policy = find_default(connection, *environment).await?;
        drawn.push((*environment, Schedule::of(&policy)));
    }
    Ok(drawn)
}
