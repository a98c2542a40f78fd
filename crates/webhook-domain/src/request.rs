//! The headers of ours that every request to a webhook carries.

use chrono::{DateTime, Utc};

use crate::names::names;
use crate::{DeliveryId, Event, SigningSecret, sign};

/// What we call ourselves.
const USER_AGENT: &str = concat!("webhook-dispatcher/", env!("CARGO_PKG_VERSION"));

names! {
    /// A header of ours, in the order in which they are sent.
    RequestHeader, "request header" {
        /// The body is JSON.
        ContentType = "Content-Type",
        /// Who asks.
        UserAgent = "User-Agent",
        /// The signature of the platform's own scheme.
        PlatformSignature = "X-Webhook-Signature",
        /// The event's id, which stays the same on every attempt.
        MessageId = "webhook-id",
        /// When this attempt was made and signed, in unix seconds.
        Timestamp = "webhook-timestamp",
        /// The signature of Standard Webhooks 1.0.0.
        StandardSignature = "webhook-signature",
        /// The event's type.
        EventType = "X-Webhook-Event",
        /// The event's environment.
        Environment = "X-Webhook-Environment",
        /// The delivery's id.
        Delivery = "X-Webhook-Delivery",
        /// The attempt's number, from 1.
        Attempt = "X-Webhook-Attempt",
    }
}

/// An attempt that is about to be made.
#[derive(Debug, Clone, Copy)]
pub struct NextAttempt<'a> {
    /// What is sent.
    pub event: &'a Event,
    /// To whom it is owed.
    pub delivery_id: DeliveryId,
    /// Its number, from 1.
    pub number: i32,
    /// When it is made.
    pub at: DateTime<Utc>,
}

/// Makes the headers of an attempt, signed with every secret that is valid at that moment.
pub fn request_headers<'a>(
    attempt: NextAttempt<'_>,
    secrets: impl Iterator<Item = &'a SigningSecret>,
) -> Vec<(RequestHeader, String)> {
    let event = attempt.event;
    let timestamp = attempt.at.timestamp();
    let signatures = sign(secrets, event.id, timestamp, &event.body);
    vec![
        (RequestHeader::ContentType, "application/json".to_owned()),
        (RequestHeader::UserAgent, USER_AGENT.to_owned()),
        (RequestHeader::PlatformSignature, signatures.platform),
        (RequestHeader::MessageId, event.id.to_string()),
        (RequestHeader::Timestamp, timestamp.to_string()),
        (RequestHeader::StandardSignature, signatures.standard),
        (RequestHeader::EventType, event.event_type.to_string()),
        (RequestHeader::Environment, event.environment.to_string()),
        (RequestHeader::Delivery, attempt.delivery_id.to_string()),
        (RequestHeader::Attempt, attempt.number.to_string()),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::Bytes;

    #[test]
    fn an_attempt_carries_every_header_once() {
        let body = r#"{"id":"0192f0c1-7c1e-7b7e-8d5e-3f1a2b3c4d5e","type":"license.created","environment":"staging","timestamp":"2026-11-23T08:15:30.123Z","data":{}}"#;
        let event = Event::parse(Bytes::from(body)).expect("an event");
        let attempt = NextAttempt {
            event: &event,
            delivery_id: DeliveryId(uuid::Uuid::from_u128(7)),
            number: 2,
            at: DateTime::UNIX_EPOCH,
        };

        let headers = request_headers(attempt, [&SigningSecret::from_random([1; 32])].into_iter());

        let sent: Vec<RequestHeader> = headers.iter().map(|(header, _)| *header).collect();
        assert_eq!(sent, RequestHeader::ALL);
        let value = |wanted| headers.iter().find(|(header, _)| *header == wanted);
        let value = |wanted| value(wanted).map(|(_, value)| value.as_str());
        assert_eq!(value(RequestHeader::EventType), Some("license.created"));
        assert_eq!(value(RequestHeader::Timestamp), Some("0"));
        assert_eq!(value(RequestHeader::Attempt), Some("2"));
    }
}
