//! The ordering key: events with the same key are delivered to a webhook in order.

use serde::Deserialize;
use serde::de::{Deserializer, IgnoredAny, MapAccess, Visitor};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::Event;

/// The value of the ordering field of an event, as a hash.
///
/// The value is hashed because a value may have any length and may contain characters that no index
/// accepts. 128 bits of SHA-256 make two values with one key as unlikely as two equal random UUIDs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct OrderingKey(pub Uuid);

impl OrderingKey {
    /// Derives the key from the field `field` of the event's `data`.
    ///
    /// `None`: the field is missing, `null`, an object or an array, so the event has no order. A
    /// text and a number that look alike have different keys. If the field is repeated, the last
    /// value counts.
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

/// Finds one field of an object, and skips the values of all others.
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
                // Skipping needs no recursion limit of ours: serde_json skips values iteratively,
                // at any depth.
                map.next_value::<IgnoredAny>()?;
            }
        }
        Ok(found)
    }
}

/// The value as text to hash. A string is unescaped first, so that `"é"` and `"\u00e9"` have the
/// same key; a leading quote keeps the string `"42"` apart from the number 42.
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
