//! Previews a request: the body of an event in a format, without a webhook and without sending.

use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;
use webhook_domain::{
    AssignedFields, BodyContext, BodyFormat, BodyFormatError, DeliveryId, Environment, Event,
    EventId, EventSelection, EventType, FieldError, Format, LimitUse, Template, limits_used,
};
use webhook_store::{RawConnection, events, settings};

use super::settings::{TEMPLATE, take_template};
use super::warnings::check_template;
use crate::connections::Connections;
use crate::fields::Fields;
use crate::refusal::Refusal;
use crate::request;
use crate::schema;

/// The webhook's name in a preview: `webhook.name`.
const WEBHOOK_NAME: &str = "Name of the webhook";

/// The delivery that the link of a preview leads to: none, as nothing is delivered.
const NO_DELIVERY: DeliveryId = DeliveryId(Uuid::nil());

request! {
    /// A preview of a format: of the example of an event type, or of an event of the log.
    #[derive(ToSchema)]
    pub struct PreviewRequest {
        // The format.
        #[allow(missing_docs, reason = "a doc would wrap the inlined schema in an `allOf`")]
        #[schema(value_type = schema::FormatName, inline)]
        pub format: Format = required(str::parse),
        /// The template of the format `custom`.
        #[schema(value_type = Option<schema::TemplateDocument>)]
        pub template: Option<Template> = taken(take_template),
        /// The type whose example is shown; `license.activated` when left out.
        #[schema(value_type = Option<schema::EventTypeName>, inline)]
        pub event_type: Option<EventType> = optional(str::parse),
        /// The environment of the example, with whose latest events a template is compared; `production` when left out.
        #[schema(value_type = Option<schema::EnvironmentName>, inline)]
        pub environment: Option<Environment> = optional(str::parse),
        /// The event of the log that is shown, in place of an example.
        #[schema(value_type = Option<Uuid>)]
        pub event_id: Option<EventId> = optional(str::parse),
        /// The types that a template is checked for; the type of the shown event when left out.
        #[schema(value_type = Option<schema::EventPatterns>)]
        pub event_types: Option<EventSelection> = taken(take_types),
    }
}

/// `None`: refused.
fn take_types(fields: &mut Fields<'_>, name: &str) -> Option<Option<EventSelection>> {
    if fields.is_left_out(name) {
        return Some(None);
    }
    let patterns = fields.required_list(name, str::parse)?;
    Some(EventSelection::new(patterns).ok())
}

/// The request that a webhook with the format would get.
#[derive(Serialize, ToSchema)]
pub struct Preview {
    /// The `Content-Type` of the request.
    #[schema(example = "application/json")]
    pub content_type: &'static str,
    /// The body, byte for byte.
    pub body: String,
    /// The size of the body in bytes.
    pub bytes: usize,
    /// Doubts about the template, in sentences with a JSON pointer: paths that no event has. Empty for formats
    /// without a template.
    pub warnings: Vec<String>,
    /// The limits of the service that the body uses; empty for `json` and `cloudevents`.
    pub limits: Vec<LimitBody>,
}

/// The use of a limit: 412 of 3,000 characters of a section's text.
#[derive(Serialize, ToSchema)]
#[schema(as = LimitUse)]
pub struct LimitBody {
    /// The unit and the place.
    #[schema(example = "characters of a section's text")]
    pub what: &'static str,
    /// The use by this body.
    pub used: usize,
    /// The limit of the service.
    pub max: usize,
}

impl PreviewRequest {
    /// Reads the document.
    pub fn parse(body: &[u8]) -> Result<Self, Refusal> {
        let mut fields = Fields::of_body(body)?;
        let request = Self::take(&mut fields);
        if let Some(request) = &request {
            request.check(&mut fields);
        }
        fields.end_with(request)
    }

    /// Refuses fields that contradict each other.
    fn check(&self, fields: &mut Fields<'_>) {
        if let Err(error) = self.body_format() {
            fields.refuse(TEMPLATE, error);
        }
    }

    fn body_format(&self) -> Result<BodyFormat, BodyFormatError> {
        BodyFormat::new(self.format, self.template.clone())
    }
}

/// Writes an event in a format, as a dispatcher does.
pub async fn preview_webhook(
    request: &PreviewRequest,
    connections: &Connections,
) -> Result<Preview, Refusal> {
    let format = request
        .body_format()
        .map_err(|error| Refusal::Invalid(vec![FieldError::new(TEMPLATE, error)]))?;
    let mut connection = connections.acquire().await?;
    let event = match request.event_id {
        Some(id) => find_event(&mut connection, id).await?,
        None => example_for(request),
    };
    let links = settings::find_message_links(&mut connection).await?;
    let portal = links.portal_url.as_ref();
    let page = portal.map(|portal| portal.delivery_page(NO_DELIVERY));
    let body = format.write(&BodyContext {
        event: &event,
        webhook_name: WEBHOOK_NAME,
        delivery_id: NO_DELIVERY,
        links: &links.patterns,
        delivery_page: page.as_deref(),
    });
    let warnings = check(&mut connection, request, &event).await?;
    Ok(Preview {
        content_type: request.format.content_type(),
        bytes: body.len(),
        warnings,
        limits: limits_used(request.format, &body)
            .into_iter()
            .map(LimitBody::from)
            .collect(),
        body: String::from_utf8_lossy(&body).into_owned(),
    })
}

/// The doubts about the template of a request.
async fn check(
    connection: &mut RawConnection,
    request: &PreviewRequest,
    event: &Event,
) -> Result<Vec<String>, Refusal> {
    let Some(template) = &request.template else {
        return Ok(Vec::new());
    };
    let types = match &request.event_types {
        Some(selection) => selection.types().collect(),
        None => vec![event.event_type],
    };
    let environment = request.environment.unwrap_or(event.environment);
    check_template(connection, template, environment, &types).await
}

async fn find_event(connection: &mut RawConnection, id: EventId) -> Result<Event, Refusal> {
    let body = events::find_body(connection, id).await?;
    let body = body.ok_or(Refusal::NotFound("event"))?;
    Ok(Event::parse(body.into())?)
}

/// The example of the wanted type, with an id and a time of this request.
fn example_for(request: &PreviewRequest) -> Event {
    let event_type = request.event_type.unwrap_or(EventType::LicenseActivated);
    let environment = request.environment.unwrap_or(Environment::Production);
    let assigned = AssignedFields {
        id: EventId(Uuid::now_v7()),
        timestamp: chrono::Utc::now(),
    };
    Event::example_in(environment, event_type, assigned)
}

impl From<LimitUse> for LimitBody {
    fn from(limit: LimitUse) -> Self {
        Self {
            what: limit.what,
            used: limit.used,
            max: limit.max,
        }
    }
}
