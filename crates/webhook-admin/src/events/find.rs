//! Finds an event with its body.

use serde::Serialize;
use utoipa::ToSchema;
use webhook_domain::{DeliveryStatus, EventId};
use webhook_store::events;

use super::body::EventBody;
use crate::connections::Connections;
use crate::named_counts::NamedCounts;
use crate::refusal::Refusal;
use crate::schema;

/// An event with the published body.
#[derive(Serialize, ToSchema)]
pub struct EventWithBody {
    /// The event itself.
    #[serde(flatten)]
    pub event: EventBody,
    /// The body of every request for the event, byte for byte: JSON as text.
    #[schema(
        example = r#"{"id":"0192f0c1-7c1e-7b7e-8d5e-3f1a2b3c4d5e","type":"license.activated","environment":"production","timestamp":"2026-11-23T08:15:30.123Z","data":{"license_id":"lic_42","seats":5}}"#
    )]
    pub body: String,
    /// How many deliveries of the event have each status.
    #[schema(value_type = schema::DeliveryStatusCounts)]
    pub deliveries: NamedCounts<DeliveryStatus>,
}

/// Finds an event with its body, and counts its deliveries.
pub async fn find_event(id: EventId, connections: &Connections) -> Result<EventWithBody, Refusal> {
    let mut connection = connections.acquire().await?;
    let event = events::find(&mut connection, id).await?;
    let event = event.ok_or(Refusal::NotFound("event"))?;
    let body = events::find_body(&mut connection, id).await?;
    let body = body.ok_or(Refusal::NotFound("event"))?;
    let counts = events::count_deliveries(&mut connection, id).await?;
    Ok(EventWithBody {
        event: event.into(),
        body: String::from_utf8_lossy(&body).into_owned(),
        deliveries: NamedCounts::of_all(counts),
    })
}
