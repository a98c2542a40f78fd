//! The page with the form of a webhook, new or stored.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use askama::Template;
use uuid::Uuid;
use webhook_domain::{Environment, Format, PathRoot, RatePeriod};
use webhook_store::retry_policies::find_default;
use webhook_store::webhooks::Webhook;
use webhook_store::{RawConnection, settings};

use super::form::{Difference, WebhookForm, differences};
use super::grace_period::{GracePeriod, grace_periods};
use super::preview::Preview;
use crate::errors::Errors;
use crate::filters;
use crate::html::page_with;
use crate::schedule::Schedule;
use crate::visit::Visit;
use webhook_admin::Connections;
use webhook_admin::Refusal;
use webhook_web::Problem;
use webhook_web::problem::refusal_status;

#[derive(Template)]
#[template(path = "webhooks/form.html")]
struct FormPage {
    visit: Visit,
    form: WebhookForm,
    subject: Subject,
    errors: Errors,
    obstacle: Option<Obstacle>,
    /// Whether the form differs from the stored webhook, or from an empty form.
    is_changed: bool,
    environments: &'static [Environment],
    /// The schedule of each environment's default.
    defaults: Vec<(Environment, Schedule)>,
    /// How long the old secret may stay valid; empty while no new secret is asked for.
    grace_periods: Vec<GracePeriod>,
    preview: Preview,
}

/// The webhook that the form creates or edits.
pub(super) enum Subject {
    /// A webhook to be created. The key keeps two clicks from creating two webhooks.
    New { key: Uuid },
    /// A stored webhook, in the version that the form shows.
    Stored {
        id: Uuid,
        version: i64,
        name: String,
    },
}

impl Subject {
    /// Whether the webhook is to be created.
    fn is_new(&self) -> bool {
        match self {
            Self::New { .. } => true,
            Self::Stored { .. } => false,
        }
    }

    /// The page that shows the whole URL of a stored webhook.
    fn whole_url(&self) -> Option<String> {
        match self {
            Self::New { .. } => None,
            Self::Stored { id, .. } => Some(format!("/admin/webhooks/{id}/url")),
        }
    }
}

/// A reason for not saving a form whose fields may be right.
pub(super) enum Obstacle {
    /// Somebody else changed the webhook after the form was shown.
    Changed(Vec<Difference>),
    /// The form has created a webhook already, and was sent again with other values.
    SentBefore,
    /// The old secret becomes invalid when the form is saved: the page asks to confirm.
    OldSecretEnds,
}

/// A form to be shown, with the outcome of sending it.
pub(super) struct WebhookDraft {
    form: WebhookForm,
    subject: Subject,
    status: StatusCode,
    errors: Errors,
    obstacle: Option<Obstacle>,
    is_changed: bool,
}

impl WebhookDraft {
    /// A form before the first submission.
    pub(super) fn fresh(form: WebhookForm, subject: Subject) -> Self {
        Self {
            form,
            subject,
            status: StatusCode::OK,
            errors: Errors::default(),
            obstacle: None,
            is_changed: false,
        }
    }

    /// A form that was sent and not saved.
    pub(super) fn unsaved(form: WebhookForm, subject: Subject) -> Self {
        Self {
            is_changed: true,
            ..Self::fresh(form, subject)
        }
    }

    /// The form with the question whether the old secret is to become invalid.
    pub(super) fn asking(mut self) -> Self {
        self.obstacle = Some(Obstacle::OldSecretEnds);
        self
    }

    /// The form after a refusal of its fields. A refusal that is not about the form is returned.
    pub(super) fn refused(mut self, refusal: Refusal) -> Result<Self, Problem> {
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
    pub(super) fn overtaken(form: WebhookForm, current: &Webhook, refusal: &Refusal) -> Self {
        Self {
            status: refusal_status(refusal),
            obstacle: Some(Obstacle::Changed(differences(&form, &current.settings))),
            ..Self::unsaved(form, Subject::of(current, current.version))
        }
    }

    /// Responds with the page.
    pub(super) async fn show(
        self,
        visit: Visit,
        connections: &Connections,
    ) -> Result<HttpResponse, Problem> {
        let mut connection = connections.acquire().await?;
        let defaults = draw_defaults(&mut connection).await?;
        let grace_periods = match &self.form.new_secret {
            Some(new) => {
                let settings = settings::find(&mut connection).await?.settings;
                grace_periods(settings.grace_period, Some(&new.grace_period))
            }
            None => Vec::new(),
        };
        drop(connection);
        let preview = Preview::of(&self.form, connections).await;
        let shown = FormPage {
            visit,
            form: self.form,
            subject: self.subject,
            errors: self.errors,
            obstacle: self.obstacle,
            is_changed: self.is_changed,
            environments: Environment::ALL,
            defaults,
            grace_periods,
            preview,
        };
        page_with(self.status, &shown.visit, &shown)
    }
}

impl FormPage {
    /// Whether the first field has the focus: in a new form that tells nothing above it.
    fn is_first_focused(&self) -> bool {
        matches!(self.subject, Subject::New { .. }) && !self.is_changed
    }
}

impl Subject {
    /// A webhook to be created, with a fresh key.
    pub(super) fn new() -> Self {
        let key = Uuid::now_v7();
        Self::New { key }
    }

    /// A stored webhook in a version.
    pub(super) fn of(webhook: &Webhook, version: i64) -> Self {
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
