//! The platform's own headers, sent with every request to a webhook.

use chrono::{DateTime, Utc};

use crate::names::names;
use crate::{DeliveryId, Event, Format, SigningSecret, TraceContext, sign};

/// The name of the dispatcher in its requests.
const USER_AGENT: &str = concat!("webhook-dispatcher/", env!("CARGO_PKG_VERSION"));

names! {
    /// One of the platform's own headers, in the order in which the headers are sent.
    RequestHeader, "request header" {
        /// The type of the body, by the webhook's format: `application/json` for events.
        ContentType = "Content-Type",
        /// The name and version of the dispatcher.
        UserAgent = "User-Agent",
        /// The signature of the platform's own scheme.
        PlatformSignature = "X-Webhook-Signature",
        /// The event's id, the same on every attempt: receivers drop repeats by this header.
        MessageId = "webhook-id",
        /// The time of the signature, in unix seconds: new on every attempt.
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
        /// The attempt's place in the trace of the event (W3C Trace Context), if the publisher named a trace.
        TraceParent = "traceparent",
    }
}

impl RequestHeader {
    /// The name in lower case, as HTTP/2 and most frameworks write the names of headers.
    pub fn in_lower_case(self) -> String {
        self.as_str().to_ascii_lowercase()
    }
}

/// The next attempt of a delivery.
#[derive(Debug, Clone, Copy)]
pub struct NextAttempt<'a> {
    /// The event that is sent.
    pub event: &'a Event,
    /// The body of the request: the event in the webhook's format. Signed byte for byte.
    pub body: &'a [u8],
    /// The format of the body.
    pub format: Format,
    /// The delivery of the attempt.
    pub delivery_id: DeliveryId,
    /// The number of the attempt, from 1.
    pub number: i32,
    /// The time of the signature.
    pub at: DateTime<Utc>,
    /// The attempt's place in the trace of the event; `None`: the event has no trace.
    pub trace: Option<TraceContext>,
}

/// Makes the headers of an attempt, signed with every secret that is valid at the time of the
/// attempt.
pub fn request_headers<'a>(
    attempt: NextAttempt<'_>,
    secrets: impl Iterator<Item = &'a SigningSecret>,
) -> Vec<(RequestHeader, String)> {
    let event = attempt.event;
    let timestamp = attempt.at.timestamp();
    let signatures = sign(secrets, event.id, timestamp, attempt.body);
    let mut headers = vec![
        (
            RequestHeader::ContentType,
            attempt.format.content_type().to_owned(),
        ),
        (RequestHeader::UserAgent, USER_AGENT.to_owned()),
        (RequestHeader::PlatformSignature, signatures.platform),
        (RequestHeader::MessageId, event.id.to_string()),
        (RequestHeader::Timestamp, timestamp.to_string()),
        (RequestHeader::StandardSignature, signatures.standard),
        (RequestHeader::EventType, event.event_type.to_string()),
        (RequestHeader::Environment, event.environment.to_string()),
        (RequestHeader::Delivery, attempt.delivery_id.to_string()),
        (RequestHeader::Attempt, attempt.number.to_string()),
    ];
    headers.extend(
        attempt
            .trace
            .map(|trace| (RequestHeader::TraceParent, trace.to_string())),
    );
    headers
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
            body: &event.body,
            format: Format::Json,
            delivery_id: DeliveryId(uuid::Uuid::from_u128(7)),
            number: 2,
            at: DateTime::UNIX_EPOCH,
            trace: TraceContext::parse("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"),
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

    #[test]
    fn a_header_in_lower_case_is_the_same_header() {
        for header in RequestHeader::ALL {
            let lower = header.in_lower_case();

            assert!(lower.eq_ignore_ascii_case(header.as_str()));
            assert!(!lower.contains(char::is_uppercase), "{lower}");
        }
    }
}
