//! Events for the tests of formats.

use bytes::Bytes;
use chrono::DateTime;
use serde_json::value::RawValue;

use super::notice::Notice;
use crate::{AssignedFields, Environment, Event, EventId, EventType, LinkPatterns, WebhookId};

/// A value from JSON text.
pub(crate) fn raw(json: &str) -> Box<RawValue> {
    RawValue::from_string(json.to_owned()).expect("JSON")
}

/// An event with the given `data`.
pub(crate) fn event(event_type: EventType, environment: Environment, data: &str) -> Event {
    let body = format!(
        r#"{{"id":"0192f0c1-7c1e-7b7e-8d5e-3f1a2b3c4d5e","type":"{event_type}","environment":"{environment}","timestamp":"2026-11-23T08:15:30.123Z","data":{data}}}"#
    );
    Event::parse(Bytes::from(body)).expect("an event")
}

/// A test event with the example of its type.
pub(crate) fn test_event() -> Event {
    let assigned = AssignedFields {
        id: EventId(uuid::Uuid::from_u128(42)),
        timestamp: DateTime::from_timestamp_millis(1_795_421_730_123).expect("a time"),
    };
    let webhook_id = WebhookId(uuid::Uuid::from_u128(7));
    Event::test(
        webhook_id,
        EventType::LicenseExpired,
        Environment::Development,
        assigned,
    )
}

/// A notice whose time no service can show in the reader's time zone.
pub(crate) fn notice_before_1970() -> Notice {
    let event = event(EventType::LicenseActivated, Environment::Production, "{}");
    let mut notice = Notice::of(&event, &LinkPatterns::default(), None);
    notice.at = DateTime::from_timestamp_secs(-1).expect("a time");
    notice
}

/// A body as JSON.
pub(crate) fn message(body: &[u8]) -> serde_json::Value {
    serde_json::from_slice(body).expect("JSON")
}
