//! Which events belong together for a webhook that wants them in order.

use serde::Deserialize;
use serde::de::{Deserializer, IgnoredAny, MapAccess, Visitor};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::Event;

/// What events with the same value in the ordering field have in common: a hash of that value.
///
/// Hashed, as the value may be of any length and hold characters that no index takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct OrderingKey(pub Uuid);

impl OrderingKey {
    /// The key of an event by `field` of its `data`.
    ///
    /// `None`: the field is missing, `null`, an object or an array, and the event has no order.
    /// A text and a number that look alike are different. Of a field given twice the last counts.
    pub fn of(event: &Event, field: &str) -> Option<Self> {
        let envelope: EnvelopeData<'_> = serde_json::from_slice(&event.body).ok()?;
        let mut deserializer = serde_json::Deserializer::from_str(envelope.data.get());
        let text = deserializer
            .deserialize_map(FieldVisitor { field })
            .ok()
            .flatten()?;
        let hash = Sha256::digest(text.as_bytes());
        let mut bytes = [0; 16];
        bytes.copy_from_slice(&hash[..16]);
        Some(Self(Uuid::from_bytes(bytes)))
    }
}

#[derive(Deserialize)]
struct EnvelopeData<'a> {
    #[serde(borrow)]
    data: &'a serde_json::value::RawValue,
}

/// Finds one field, without reading any other.
struct FieldVisitor<'f> {
    field: &'f str,
}

impl<'de> Visitor<'de> for FieldVisitor<'_> {
    type Value = Option<String>;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("an event's data")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut found = None;
        while let Some(name) = map.next_key::<String>()? {
            if name == self.field {
                found = scalar(map.next_value::<&serde_json::value::RawValue>()?.get());
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        }
        Ok(found)
    }
}

/// A text is written anew, so that however it was escaped it stays the same text.
fn scalar(raw: &str) -> Option<String> {
    match raw.as_bytes().first()? {
        b'{' | b'[' | b'n' => None,
        b'"' => serde_json::from_str::<String>(raw)
            .ok()
            .map(|text| format!("\"{text}")),
        _ => Some(raw.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::Bytes;

    fn key(data: &str) -> Option<OrderingKey> {
        let body = format!(
            r#"{{"id":"0192f0c1-7c1e-7b7e-8d5e-3f1a2b3c4d5e","type":"license.activated","environment":"production","timestamp":"2026-11-23T08:15:30.123Z","data":{data}}}"#
        );
        let event = Event::parse(Bytes::from(body)).expect("an event");
        OrderingKey::of(&event, "license_id")
    }

    #[test]
    fn equal_values_have_one_key_however_they_are_written() {
        let plain = key(r#"{"license_id":"lic_42","seats":5}"#);

        assert!(plain.is_some());
        assert_eq!(
            plain,
            key(r#"{"a":{"license_id":1},"license_id":"lic_42"}"#)
        );
        assert_eq!(plain, key(r#"{"licens\u0065_id":"l\u0069c_42"}"#));
        assert_eq!(plain, key(r#"{"license_id":1,"license_id":"lic_42"}"#));
    }

    #[test]
    fn other_values_have_other_keys() {
        let keys = [
            key(r#"{"license_id":"42"}"#),
            key(r#"{"license_id":42}"#),
            key(r#"{"license_id":true}"#),
            key(r#"{"license_id":""}"#),
            key("{\"license_id\":\"a\\u0000b\"}"),
        ];

        for (index, one) in keys.iter().enumerate() {
            assert!(one.is_some(), "{index}");
            assert!(!keys[index + 1..].contains(one), "{index}");
        }
    }

    #[test]
    fn what_has_no_value_has_no_order() {
        for data in [
            "{}",
            r#"{"license_id":null}"#,
            r#"{"license_id":{}}"#,
            r#"{"license_id":[1]}"#,
        ] {
            assert_eq!(key(data), None, "{data}");
        }
    }

    #[test]
    fn deep_nesting_is_passed_over() {
        let deep = format!("{}{}", "[".repeat(50_000), "]".repeat(50_000));

        assert!(key(&format!(r#"{{"deep":{deep},"license_id":"x"}}"#)).is_some());
    }
}
