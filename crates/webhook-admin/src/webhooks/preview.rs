//! Previews a request: the body of an event in a format, without a webhook and without sending.

use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;
use webhook_domain::{
    AssignedFields, DeliveryId, Environment, Event, EventId, EventType, Format, LimitUse,
    limits_used,
};
use webhook_store::{RawConnection, events, settings};

use crate::connections::Connections;
use crate::fields::Fields;
use crate::refusal::Refusal;
use crate::request;
use crate::schema;

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
        /// The type whose example is shown; `license.activated` when left out.
        #[schema(value_type = Option<schema::EventTypeName>, inline)]
        pub event_type: Option<EventType> = optional(str::parse),
        /// The environment of the example; `production` when left out.
        #[schema(value_type = Option<schema::EnvironmentName>, inline)]
        pub environment: Option<Environment> = optional(str::parse),
        /// The event of the log that is shown, in place of an example.
        #[schema(value_type = Option<Uuid>)]
        pub event_id: Option<EventId> = optional(str::parse),
    }
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
        Fields::read_body(body, Self::take)
    }
}

/// Writes an event in a format, as a dispatcher does.
pub async fn preview_webhook(
    request: &PreviewRequest,
    connections: &Connections,
) -> Result<Preview, Refusal> {
    let mut connection = connections.acquire().await?;
    let event = match request.event_id {
        Some(id) => find_event(&mut connection, id).await?,
        None => example_for(request),
    };
    let links = settings::find_message_links(&mut connection).await?;
    let portal = links.portal_url.as_ref();
    let page = portal.map(|portal| portal.delivery_page(NO_DELIVERY));
    let body = request
        .format
        .write(&event, &links.patterns, page.as_deref());
    Ok(Preview {
        content_type: request.format.content_type(),
        bytes: body.len(),
        limits: limits_used(request.format, &body)
            .into_iter()
            .map(LimitBody::from)
            .collect(),
        body: String::from_utf8_lossy(&body).into_owned(),
    })
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
