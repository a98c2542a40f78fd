//! Status events: messages about webhooks and deliveries for the platform's own services.

use chrono::{DateTime, SecondsFormat, Utc};
use serde::Serialize;
use uuid::Uuid;

use crate::{DeliveryId, Environment, EventId, EventType, WebhookId, names::names};

names! {
    /// The type of a status event.
    StatusEventType, "status event type" {
        /// A webhook has only failed for half of the time after which webhooks are disabled.
        WebhookWarning = "webhook.warning",
        /// A webhook was set Inactive by the platform.
        WebhookDisabled = "webhook.disabled",
        /// A webhook that was Inactive is Active again.
        WebhookEnabled = "webhook.enabled",
        /// A delivery has failed, because no attempts are left, or because the receiver refused the
        /// body or forbade the request for good.
        DeliveryExhausted = "delivery.exhausted",
    }
}

/// A message on the exchange `webhooks.status`, with the routing key `<environment>.<type>`.
///
/// ```json
/// {"id":"0192f0c1-7c1e-7b7e-8d5e-3f1a2b3c4d5e","type":"webhook.disabled",
///  "environment":"production","timestamp":"2026-11-23T08:15:30.123Z",
///  "webhook_id":"0192f0c1-7c1e-7b7e-8d5e-3f1a2b3c4d5f","reason":"the receiver answered 410 Gone"}
/// ```
///
/// A status event may arrive more than once: consumers drop repeats by `id`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StatusEvent {
    /// Identifies the status event.
    pub id: Uuid,
    /// The type of the status event.
    pub event_type: StatusEventType,
    /// The environment of the webhook.
    pub environment: Environment,
    /// The time of the change.
    pub timestamp: DateTime<Utc>,
    /// The webhook that changed, or whose delivery failed.
    pub webhook_id: WebhookId,
    /// The reason, in words.
    pub reason: String,
    /// The delivery, for [`StatusEventType::DeliveryExhausted`] only.
    pub delivery: Option<ExhaustedDelivery>,
}

/// A delivery that gets no further attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ExhaustedDelivery {
    /// Identifies the delivery.
    pub id: DeliveryId,
    /// The undelivered event.
    pub event_id: EventId,
    /// The type of the event.
    pub event_type: EventType,
    /// The number of attempts made.
    pub attempts: i32,
}

#[derive(Serialize)]
struct Wire<'a> {
    id: Uuid,
    r#type: StatusEventType,
    environment: Environment,
    timestamp: String,
    webhook_id: WebhookId,
    reason: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    delivery: Option<WireDelivery>,
}

#[derive(Serialize)]
struct WireDelivery {
    id: DeliveryId,
    event_id: EventId,
    event_type: EventType,
    attempts: i32,
}

impl StatusEvent {
    /// The AMQP routing key, `<environment>.<type>`.
    pub fn routing_key(&self) -> String {
        format!("{}.{}", self.environment, self.event_type)
    }

    /// The JSON of the message, see [`StatusEvent`] for an example.
    pub fn to_json(&self) -> String {
        let wire = Wire {
            id: self.id,
            r#type: self.event_type,
            environment: self.environment,
            timestamp: self.timestamp.to_rfc3339_opts(SecondsFormat::Millis, true),
            webhook_id: self.webhook_id,
            reason: &self.reason,
            delivery: self.delivery.map(|delivery| WireDelivery {
                id: delivery.id,
                event_id: delivery.event_id,
                event_type: delivery.event_type,
                attempts: delivery.attempts,
            }),
        };
        serde_json::to_string(&wire).expect("texts and numbers are JSON")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_status_event_is_json_with_what_it_is_about() {
        let event = StatusEvent {
            id: Uuid::from_u128(1),
            event_type: StatusEventType::DeliveryExhausted,
            environment: Environment::Staging,
            timestamp: DateTime::UNIX_EPOCH,
            webhook_id: WebhookId(Uuid::from_u128(2)),
            reason: "the receiver answered 500".to_owned(),
            delivery: Some(ExhaustedDelivery {
                id: DeliveryId(Uuid::from_u128(3)),
                event_id: EventId(Uuid::from_u128(4)),
                event_type: EventType::LicenseCreated,
                attempts: 12,
            }),
        };

        assert_eq!(event.routing_key(), "staging.delivery.exhausted");
        assert_eq!(
            event.to_json(),
            r#"{"id":"00000000-0000-0000-0000-000000000001","type":"delivery.exhausted","environment":"staging","timestamp":"1970-01-01T00:00:00.000Z","webhook_id":"00000000-0000-0000-0000-000000000002","reason":"the receiver answered 500","delivery":{"id":"00000000-0000-0000-0000-000000000003","event_id":"00000000-0000-0000-0000-000000000004","event_type":"license.created","attempts":12}}"#
        );
    }
}
