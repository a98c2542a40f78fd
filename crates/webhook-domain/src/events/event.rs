//! An event: the envelope is read, and the bytes are carried through untouched.

use bytes::Bytes;
use chrono::{DateTime, Utc};
use serde_json::value::RawValue;

use super::envelope::{AssignedFields, Envelope, ParsedEnvelope};
use super::trace_context::TraceContext;
use crate::{Environment, EventId, EventType, FieldErrors, NotAnObject, WebhookId};

/// The most bytes of an event, envelope included: 256 KiB. A larger message is rejected.
///
/// Webhook receivers commonly accept bodies of this size; larger data belongs behind a link.
pub const MAX_EVENT_BYTES: usize = 256 * 1024;

/// An event of the platform, such as the activation of a license.
///
/// ```json
/// {"id":"0192f0c1-7c1e-7b7e-8d5e-3f1a2b3c4d5e","type":"license.activated",
///  "environment":"production","timestamp":"2026-11-23T08:15:30.123Z",
///  "data":{"license_id":"lic_42","seats":5}}
/// ```
///
/// `body` is the JSON text above, byte for byte as its publisher wrote it. The envelope is parsed
/// out of the body, and the body is never serialised again, so numbers, key order and white space
/// arrive as sent.
///
/// `id` may be written in upper or lower case: both spellings name the same event.
///
/// A test event has one more field before `data`: `"test":{"webhook_id":"0192f0c1-…"}`. Only the
/// webhook with this id receives the event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// Identifies the event for ever.
    pub id: EventId,
    /// The type of the event.
    pub event_type: EventType,
    /// The environment of the event.
    pub environment: Environment,
    /// The time of the event, by the publisher's clock.
    pub timestamp: DateTime<Utc>,
    /// The only webhook that receives this test event, whether or not the webhook selects the type.
    /// `None`: not a test event.
    pub test_for: Option<WebhookId>,
    /// The place in a trace that the publisher named; `None`: no trace.
    pub trace: Option<TraceContext>,
    /// The JSON text for the webhooks. Cloning `Bytes` costs a reference count and no copy.
    pub body: Bytes,
}

/// Why a message is not an event.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EventError {
    /// The message has more than [`MAX_EVENT_BYTES`] bytes.
    #[error("event of {bytes} bytes is larger than {MAX_EVENT_BYTES}")]
    TooLarge {
        /// The size of the message.
        bytes: usize,
    },
    /// The message is not a JSON object.
    #[error("not a JSON object: {0}")]
    NotAnObject(NotAnObject),
    /// The message is a JSON object with missing, unknown or invalid fields.
    #[error("{0}")]
    Fields(FieldErrors),
}

impl Event {
    /// Reads a complete event, as publishers send over AMQP: all five fields are required.
    ///
    /// ```
    /// use bytes::Bytes;
    /// use webhook_domain::{Event, EventType};
    ///
    /// let body = r#"{"id":"0192f0c1-7c1e-7b7e-8d5e-3f1a2b3c4d5e","type":"license.activated",
    ///  "environment":"production","timestamp":"2026-11-23T08:15:30.123Z","data":{"seats":5}}"#;
    ///
    /// let event = Event::parse(Bytes::from(body))?;
    ///
    /// assert_eq!(event.event_type, EventType::LicenseActivated);
    /// assert_eq!(event.body, body.as_bytes());
    ///
    /// let refused = Event::parse(Bytes::from(body.replace("production", "prod")));
    /// assert!(refused.unwrap_err().to_string().starts_with("environment: unknown environment"));
    /// # Ok::<(), webhook_domain::EventError>(())
    /// ```
    pub fn parse(body: Bytes) -> Result<Self, EventError> {
        check_size(body.len())?;
        let raw = Envelope::parse(&body).map_err(EventError::NotAnObject)?;
        let envelope = raw.complete(None).map_err(EventError::Fields)?;
        Ok(Self::of(envelope, body))
    }

    /// Reads an event as publishers send over HTTP: `id` and `timestamp` may be left out.
    ///
    /// A complete event keeps its bytes. For an incomplete event an envelope is written from
    /// `assigned`, and `data` is copied as the publisher wrote the field.
    pub fn parse_assigning(body: Bytes, assigned: AssignedFields) -> Result<Self, EventError> {
        check_size(body.len())?;
        let raw = Envelope::parse(&body).map_err(EventError::NotAnObject)?;
        let envelope = raw.complete(Some(assigned)).map_err(EventError::Fields)?;
        if raw.is_complete() {
            return Ok(Self::of(envelope, body));
        }
        // `complete` has refused an event without `data`, so the default is never sent.
        let data = raw.data.map_or("{}", RawValue::get);
        let written = envelope.write(raw.timestamp.map(RawValue::get), data);
        // The assigned fields may lift an event over the limit that its publisher kept.
        check_size(written.len())?;
        Ok(Self::of(envelope, written))
    }

    /// Makes an event of production with the example data of `event_type`, for pages and previews.
    pub fn example(event_type: EventType, assigned: AssignedFields) -> Self {
        Self::example_in(Environment::Production, event_type, assigned)
    }

    /// Makes an event with the example data of `event_type`, for pages and previews.
    pub fn example_in(
        environment: Environment,
        event_type: EventType,
        assigned: AssignedFields,
    ) -> Self {
        Self::with_example_data(None, event_type, environment, assigned)
    }

    /// Makes a test event for one webhook: the example of `event_type`, marked as a test.
    pub fn test(
        webhook_id: WebhookId,
        event_type: EventType,
        environment: Environment,
        assigned: AssignedFields,
    ) -> Self {
        Self::with_example_data(Some(webhook_id), event_type, environment, assigned)
    }

    fn with_example_data(
        test_for: Option<WebhookId>,
        event_type: EventType,
        environment: Environment,
        assigned: AssignedFields,
    ) -> Self {
        let envelope = ParsedEnvelope {
            id: assigned.id,
            event_type,
            environment,
            timestamp: assigned.timestamp,
            test_for,
        };
        let body = envelope.write(None, event_type.example());
        Self::of(envelope, body)
    }

    fn of(envelope: ParsedEnvelope, body: Bytes) -> Self {
        let ParsedEnvelope {
            id,
            event_type,
            environment,
            timestamp,
            test_for,
        } = envelope;
        Self {
            id,
            event_type,
            environment,
            timestamp,
            test_for,
            trace: None,
            body,
        }
    }

    /// The event at a place in a trace, which is no part of the body.
    #[must_use]
    pub fn in_trace(self, trace: Option<TraceContext>) -> Self {
        Self { trace, ..self }
    }

    /// The AMQP routing key, `<environment>.<type>`.
    pub fn routing_key(&self) -> String {
        format!("{}.{}", self.environment, self.event_type)
    }
}

fn check_size(bytes: usize) -> Result<(), EventError> {
    if bytes > MAX_EVENT_BYTES {
        return Err(EventError::TooLarge { bytes });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    const COMPLETE: &str = r#"{"id":"0192f0c1-7c1e-7b7e-8d5e-3f1a2b3c4d5e","type":"license.activated",
 "environment":"production","timestamp":"2026-11-23T08:15:30.123Z",
 "data":{"big":9007199254740993,"huge":1e400,"twice":1,"twice":2,"text":"\ud83d\ude00 é"}}"#;

    fn assigned() -> AssignedFields {
        AssignedFields {
            id: EventId(uuid::Uuid::from_u128(42)),
            timestamp: DateTime::UNIX_EPOCH,
        }
    }

    #[test]
    fn a_complete_event_keeps_its_bytes() {
        let over_amqp = Event::parse(Bytes::from(COMPLETE)).expect("an event");
        let over_http =
            Event::parse_assigning(Bytes::from(COMPLETE), assigned()).expect("an event");

        assert_eq!(over_amqp.body, COMPLETE.as_bytes());
        assert_eq!(over_amqp, over_http);
        assert_eq!(over_amqp.routing_key(), "production.license.activated");
    }

    #[test]
    fn what_was_left_out_is_assigned_and_data_is_carried_over_as_written() {
        let body = r#"{"type":"license.created","environment":"staging","data":{ "n": 1e400 } }"#;

        let event = Event::parse_assigning(Bytes::from(body), assigned()).expect("an event");

        assert_eq!(event.id, assigned().id);
        assert_eq!(
            event.body,
            r#"{"id":"00000000-0000-0000-0000-00000000002a","type":"license.created","environment":"staging","timestamp":"1970-01-01T00:00:00.000Z","data":{ "n": 1e400 }}"#
        );
        assert_eq!(Event::parse(event.body.clone()), Ok(event));
    }

    #[test]
    fn a_timestamp_that_was_given_is_carried_over_as_it_was_written() {
        let body = r#"{"type":"license.created","environment":"staging","timestamp":"2026-11-23T10:15:30.123456+02:00","data":{}}"#;

        let event = Event::parse_assigning(Bytes::from(body), assigned()).expect("an event");

        assert_eq!(event.timestamp.timestamp_subsec_micros(), 123_456);
        let written = std::str::from_utf8(&event.body).expect("text");
        assert!(written.contains(r#""timestamp":"2026-11-23T10:15:30.123456+02:00","data""#));
        assert_eq!(Event::parse(event.body.clone()), Ok(event));
    }

    #[test]
    fn an_id_in_upper_case_names_the_same_event() {
        let upper = COMPLETE.replace("0192f0c1-7c1e-7b7e", "0192F0C1-7C1E-7B7E");

        let event = Event::parse(Bytes::from(upper.clone())).expect("an event");

        assert_eq!(Ok(event.id), "0192f0c1-7c1e-7b7e-8d5e-3f1a2b3c4d5e".parse());
        assert_eq!(event.body, upper.as_bytes());
    }

    #[test]
    fn eleven_hundred_unknown_fields_make_a_reason_of_bounded_length() {
        let fields: Vec<String> = (0..1_100).map(|n| format!("\"field {n}\":0")).collect();
        let body = format!("{{{}}}", fields.join(","));

        let refused = Event::parse(Bytes::from(body)).expect_err("it is no event");

        let reason = refused.to_string();
        assert!(reason.ends_with("… and 1,085 more"), "{reason}");
        assert!(reason.len() < 2_000, "{}", reason.len());
    }

    #[test]
    fn all_wrong_fields_are_named_at_once() {
        let body = r#"{"id":"x","type":"license.activate","environment":5,"data":[],"extra":1}"#;

        let Err(EventError::Fields(errors)) = Event::parse(Bytes::from(body)) else {
            panic!("it must be refused by field");
        };

        let errors = errors.into_vec();
        let fields: Vec<&str> = errors.iter().map(|e| e.field.as_str()).collect();
        assert_eq!(
            fields,
            ["extra", "id", "type", "environment", "timestamp", "data"]
        );
    }

    #[test]
    fn a_test_event_is_marked_as_one_and_comes_over_amqp_only() {
        let webhook_id = WebhookId(uuid::Uuid::from_u128(7));
        let (event_type, environment) = (EventType::LicenseActivated, Environment::Staging);

        let test = Event::test(webhook_id, event_type, environment, assigned());

        assert_eq!(Event::parse(test.body.clone()).as_ref(), Ok(&test));
        assert_eq!(test.test_for, Some(webhook_id));
        let over_http = Event::parse_assigning(test.body, assigned());
        let Err(EventError::Fields(errors)) = over_http else {
            panic!("it must be refused by field");
        };
        assert_eq!(errors.into_vec()[0].field, "test");
    }

    #[rstest]
    #[case::empty("")]
    #[case::broken("{\"id\":")]
    #[case::array("[]")]
    #[case::trailing("{} {}")]
    #[case::not_json("license.activated")]
    fn what_is_no_json_object_is_refused(#[case] body: &'static str) {
        let refused = Event::parse(Bytes::from(body));

        assert!(matches!(refused, Err(EventError::NotAnObject(_))));
    }

    #[test]
    fn bytes_that_are_no_utf8_are_refused() {
        let mut body = COMPLETE.as_bytes().to_vec();
        body[COMPLETE.len() - 5] = 0xff;

        let refused = Event::parse(Bytes::from(body));

        assert!(matches!(refused, Err(EventError::NotAnObject(_))));
    }

    #[test]
    fn a_field_given_twice_is_refused() {
        let body = COMPLETE.replace(
            "\"environment\":\"production\"",
            "\"id\":\"a\",\"\\u0069d\":\"b\"",
        );

        let refused = Event::parse(Bytes::from(body)).expect_err("id is there three times");

        assert!(refused.to_string().contains("id: appears more than once"));
    }

    #[test]
    fn one_byte_over_the_limit_is_too_large() {
        let pad = |size: usize| {
            let body =
                COMPLETE.replace("\"twice\":1", &format!("\"pad\":\"{}\"", "x".repeat(size)));
            Bytes::from(body)
        };
        let room = MAX_EVENT_BYTES - pad(0).len();

        assert!(Event::parse(pad(room)).is_ok());
        assert_eq!(
            Event::parse(pad(room + 1)),
            Err(EventError::TooLarge {
                bytes: MAX_EVENT_BYTES + 1
            })
        );
    }
}
