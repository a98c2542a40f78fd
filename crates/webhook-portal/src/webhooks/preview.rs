//! The preview beside the form of a webhook: how a message looks in its service, the exact body, and the limits.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::Data;
use askama::Template;
use webhook_admin::webhooks::{self as operations, LimitBody, PreviewRequest};
use webhook_admin::{Connections, Refusal};
use webhook_domain::{EventType, FieldError, Format};
use webhook_web::Problem;
use webhook_web::problem::refusal_status;

use self::choices::Choices;
use self::drawing::Drawing;
use super::form::WebhookForm;
use crate::filters::{self, as_sentence, group};
use crate::form::Form;
use crate::html::{html, render};
use crate::json::pretty;

// The event, and the message of each service.
pub(crate) mod choices;
pub(crate) mod discord;
pub(crate) mod drawing;
pub(crate) mod slack;
pub(crate) mod spans;
pub(crate) mod teams;

/// The button that shows the form with its preview, without scripts.
pub(super) const PREVIEW: &str = "preview";

/// The largest body that is shown in lines too: 64 KiB. A larger body is an event with data for programs.
const MAX_PRETTY_BYTES: usize = 64 * 1024;

/// The preview of a form, with the choice of the event.
pub(crate) struct Preview {
    pub(crate) choices: Choices,
    pub(crate) shown: Option<Shown>,
    /// Why nothing is shown, in sentences.
    pub(crate) refused: Vec<String>,
}

/// A request as the receiver would get it.
pub(crate) struct Shown {
    pub(crate) format: Format,
    pub(crate) drawing: Option<Drawing>,
    pub(crate) content_type: &'static str,
    /// The body, byte for byte.
    pub(crate) body: String,
    /// The body in lines. `None`: the body is too large.
    pub(crate) pretty: Option<String>,
    /// Doubts about the template, in sentences.
    pub(crate) warnings: Vec<String>,
    pub(crate) limits: Vec<LimitBody>,
}

#[derive(Template)]
#[template(path = "webhooks/preview.html")]
struct PreviewFragment {
    preview: Preview,
}

/// Shows the preview of a form that is being edited. Nothing is stored.
pub(crate) async fn show_preview(
    form: Form,
    connections: Data<Connections>,
) -> Result<HttpResponse, Problem> {
    let preview = Preview::of(&WebhookForm::sent(&form), &connections).await;
    Ok(html(StatusCode::OK).body(render(&PreviewFragment { preview })?))
}

impl Preview {
    /// Makes the preview of a form, whose fields may be wrong. An error is told in place of the message: the form is
    /// of use without its preview.
    pub(super) async fn of(form: &WebhookForm, connections: &Connections) -> Self {
        let selected = form.events.types();
        let written = match form.template_fault() {
            Some(fault) => Err(Refusal::Invalid(vec![FieldError::new("template", fault)])),
            None => write(form, &selected, connections).await,
        };
        let environment = &form.environment;
        let choices = Choices::read(&form.asked, selected, environment, connections).await;
        let (shown, refused) = match written {
            Ok(shown) => (Some(shown), Vec::new()),
            Err(refusal) => {
                if !refusal_status(&refusal).is_client_error() {
                    refusal.log();
                }
                (None, sentences(&refusal))
            }
        };
        Self {
            choices,
            shown,
            refused,
        }
    }

    /// The preview in a sentence, for a screen reader.
    pub(crate) fn summary(&self) -> String {
        match &self.shown {
            Some(shown) => format!("{}, {} bytes.", shown.format.label(), shown.bytes()),
            None => self.refused.join(" "),
        }
    }
}

impl Shown {
    /// The size of the body.
    pub(crate) fn bytes(&self) -> String {
        number(&self.body.len())
    }
}

async fn write(
    form: &WebhookForm,
    selected: &[EventType],
    connections: &Connections,
) -> Result<Shown, Refusal> {
    let request = PreviewRequest::parse(&form.as_preview(selected))?;
    let preview = operations::preview_webhook(&request, connections).await?;
    let is_short = preview.body.len() <= MAX_PRETTY_BYTES;
    Ok(Shown {
        format: request.format,
        drawing: Drawing::of(form.service(request.format), &preview.body),
        warnings: preview
            .warnings
            .iter()
            .map(|warning| as_sentence(warning))
            .collect(),
        content_type: preview.content_type,
        pretty: is_short.then(|| pretty(&preview.body)).flatten(),
        body: preview.body,
        limits: preview.limits,
    })
}

/// The reasons of a refusal. The id of an event is the only field whose name is not the page's.
fn sentences(refusal: &Refusal) -> Vec<String> {
    let fields = refusal.fields().iter();
    let fields: Vec<String> = fields
        .map(|error| match error.field.as_str() {
            "event_id" => as_sentence(&format!("the event id {}", error.reason)),
            field => as_sentence(&format!("{field} {}", error.reason)),
        })
        .collect();
    if fields.is_empty() {
        return vec![as_sentence(&refusal.to_string())];
    }
    fields
}

/// A number with its thousands separated.
pub(crate) fn number(number: &usize) -> String {
    group(i64::try_from(*number).unwrap_or(i64::MAX))
}
