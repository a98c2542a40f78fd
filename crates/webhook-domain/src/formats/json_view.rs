//! Reads parts of an event's JSON without converting the rest: numbers keep their digits, and text that is
//! not Unicode is mended instead of refused.
//!
//! A publisher may write a lone surrogate (`"\ud800"`), which JSON allows and Unicode does not. The event is
//! carried through untouched, so a reader of its parts must take the surrogate too: U+FFFD stands in its place.

use std::borrow::Cow;

use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

use crate::Event;

/// A value of JSON by its kind, one level deep.
#[derive(Debug, Clone)]
pub(crate) enum JsonView<'a> {
    /// `null`.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A number with the digits of its publisher.
    Number(&'a str),
    /// A text, unescaped.
    Text(String),
    /// An array; [`walk_elements`] reads the parts.
    Array(&'a RawValue),
    /// An object; [`walk_fields`] reads the parts.
    Object(&'a RawValue),
}

impl<'a> JsonView<'a> {
    /// Looks at a value.
    pub(crate) fn of(value: &'a RawValue) -> Self {
        let json = value.get();
        match json.as_bytes().first() {
            Some(b'"') => Self::Text(text(json).unwrap_or_default()),
            Some(b'{') => Self::Object(value),
            Some(b'[') => Self::Array(value),
            Some(b't') => Self::Bool(true),
            Some(b'f') => Self::Bool(false),
            Some(b'n') | None => Self::Null,
            Some(_) => Self::Number(json),
        }
    }
}

/// Whether a value is an object, without unescaping a text for the look.
pub(crate) fn is_object(value: &RawValue) -> bool {
    value.get().starts_with('{')
}

/// Whether a value is an array, without unescaping a text for the look.
pub(crate) fn is_array(value: &RawValue) -> bool {
    value.get().starts_with('[')
}

/// The field `data` of an event, as its publisher wrote the field.
pub(crate) fn data_of(event: &Event) -> Option<&RawValue> {
    #[derive(Deserialize)]
    struct Envelope<'a> {
        #[serde(borrow)]
        data: &'a RawValue,
    }
    let envelope: Envelope<'_> = serde_json::from_slice(&event.body).ok()?;
    Some(envelope.data)
}

/// The value of a field. A repeated field has its last value. `None`: not an object, or no field of the name.
pub(crate) fn field<'a>(object: &'a RawValue, name: &str) -> Option<&'a RawValue> {
    let mut found = None;
    walk_fields(object, &mut |field, value| {
        if field == name {
            found = Some(value);
        }
    });
    found
}

/// Calls `visit` with the name and the value of each field, in the order of the text. A value that is no
/// object has no field.
pub(crate) fn walk_fields<'a>(object: &'a RawValue, visit: &mut dyn FnMut(&str, &'a RawValue)) {
    if !is_object(object) {
        return;
    }
    let mut reader = serde_json::Deserializer::from_str(object.get());
    // The text was read as JSON before: reading the text again cannot fail.
    let walked = reader.deserialize_map(FieldVisitor { visit });
    debug_assert!(walked.is_ok(), "{walked:?}");
}

/// Calls `visit` with the name and the value of each wanted field of an event's `data`, in one walk over the
/// event's bytes.
pub(crate) fn walk_data<'a>(
    event: &'a Event,
    wanted: &dyn Fn(&str) -> bool,
    visit: &mut dyn FnMut(&str, &'a RawValue),
) {
    let Ok(json) = std::str::from_utf8(&event.body) else {
        return;
    };
    let mut reader = serde_json::Deserializer::from_str(json);
    // The bytes were read as an event before, whose `data` is an object.
    let walked = reader.deserialize_map(EnvelopeVisitor { wanted, visit });
    debug_assert!(walked.is_ok(), "{walked:?}");
}

/// Calls `visit` with the index and the value of each element. A value that is no array has no element.
pub(crate) fn walk_elements<'a>(array: &'a RawValue, visit: &mut dyn FnMut(usize, &'a RawValue)) {
    if !is_array(array) {
        return;
    }
    let mut reader = serde_json::Deserializer::from_str(array.get());
    // The text was read as JSON before: reading the text again cannot fail.
    let walked = reader.deserialize_seq(ElementVisitor { visit });
    debug_assert!(walked.is_ok(), "{walked:?}");
}

/// The values of the fields `names` of an object that may break off: a response of which only the first
/// kilobytes were read. A field counts only if the text goes on after its value, because `100` may be
/// the start of `10015`.
pub(crate) fn fields_before_the_break<'a, const N: usize>(
    json: &'a [u8],
    names: [&str; N],
) -> [Option<&'a RawValue>; N] {
    let mut found = [None; N];
    let mut reader = serde_json::Deserializer::from_slice(json);
    // The error is where the text breaks off, and the fields before that place are found.
    let _ = reader.deserialize_map(BrokenVisitor {
        names,
        found: &mut found,
    });
    found
}

/// The content of a JSON string. `None`: no string.
pub(crate) fn text(json: &str) -> Option<String> {
    let mut reader = serde_json::Deserializer::from_str(json);
    LossyText.deserialize(&mut reader).ok().map(Cow::into_owned)
}

struct FieldVisitor<'v, 'a> {
    visit: &'v mut dyn FnMut(&str, &'a RawValue),
}

impl<'de> Visitor<'de> for FieldVisitor<'_, 'de> {
    type Value = ();

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(name) = map.next_key_seed(LossyText)? {
            (self.visit)(&name, map.next_value::<&'de RawValue>()?);
        }
        Ok(())
    }
}

struct BrokenVisitor<'v, 'a, const N: usize> {
    names: [&'v str; N],
    found: &'v mut [Option<&'a RawValue>; N],
}

impl<'de, const N: usize> Visitor<'de> for BrokenVisitor<'_, 'de, N> {
    type Value = ();

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let mut name = map.next_key_seed(LossyText)?;
        while let Some(known) = name {
            let value = map.next_value::<&'de RawValue>()?;
            // Read before the value is kept: a text that ends here has perhaps cut the value short.
            name = map.next_key_seed(LossyText)?;
            if let Some(place) = self.names.iter().position(|wanted| *wanted == known) {
                self.found[place] = Some(value);
            }
        }
        Ok(())
    }
}

struct EnvelopeVisitor<'v, 'a> {
    wanted: &'v dyn Fn(&str) -> bool,
    visit: &'v mut dyn FnMut(&str, &'a RawValue),
}

impl<'de> Visitor<'de> for EnvelopeVisitor<'_, 'de> {
    type Value = ();

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("an event")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let Self { wanted, visit } = self;
        while let Some(name) = map.next_key_seed(LossyText)? {
            if name == "data" {
                map.next_value_seed(DataVisitor { wanted, visit })?;
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        }
        Ok(())
    }
}

struct DataVisitor<'v, 'a> {
    wanted: &'v dyn Fn(&str) -> bool,
    visit: &'v mut dyn FnMut(&str, &'a RawValue),
}

impl<'de> DeserializeSeed<'de> for DataVisitor<'_, 'de> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for DataVisitor<'_, 'de> {
    type Value = ();

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(name) = map.next_key_seed(LossyText)? {
            if (self.wanted)(&name) {
                (self.visit)(&name, map.next_value::<&'de RawValue>()?);
            } else {
                // Half the time of a `RawValue`, and most fields are in no template.
                map.next_value::<IgnoredAny>()?;
            }
        }
        Ok(())
    }
}

struct ElementVisitor<'v, 'a> {
    visit: &'v mut dyn FnMut(usize, &'a RawValue),
}

impl<'de> Visitor<'de> for ElementVisitor<'_, 'de> {
    type Value = ();

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("an array")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut array: A) -> Result<(), A::Error> {
        let mut index = 0;
        // To the end, also after the last element of use: a reader that stops early reports the rest as a fault.
        while let Some(value) = array.next_element::<&'de RawValue>()? {
            (self.visit)(index, value);
            index += 1;
        }
        Ok(())
    }
}

/// Reads a string with U+FFFD in place of what is not Unicode.
struct LossyText;

impl<'de> DeserializeSeed<'de> for LossyText {
    type Value = Cow<'de, str>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        // As bytes: as text, serde_json refuses a lone surrogate.
        deserializer.deserialize_bytes(self)
    }
}

impl<'de> Visitor<'de> for LossyText {
    type Value = Cow<'de, str>;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a string")
    }

    // A text without escapes is borrowed, because most names of fields are only compared.
    fn visit_borrowed_bytes<E>(self, bytes: &'de [u8]) -> Result<Self::Value, E> {
        Ok(String::from_utf8_lossy(bytes))
    }

    fn visit_bytes<E>(self, bytes: &[u8]) -> Result<Self::Value, E> {
        Ok(Cow::Owned(String::from_utf8_lossy(bytes).into_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn raw(json: &str) -> Box<RawValue> {
        RawValue::from_string(json.to_owned()).expect("JSON")
    }

    #[test]
    fn a_lone_surrogate_in_a_name_or_a_text_is_replaced() {
        let object = raw(r#"{"a\ud800":"x\udc00y","b":"\ud83d\ude00"}"#);
        let mut seen = Vec::new();

        walk_fields(&object, &mut |name, value| {
            seen.push((name.to_owned(), text(value.get()).expect("a text")));
        });

        assert_eq!(seen[0].0, "a\u{fffd}\u{fffd}\u{fffd}");
        assert_eq!(seen[0].1, "x\u{fffd}\u{fffd}\u{fffd}y");
        assert_eq!(seen[1], ("b".to_owned(), "😀".to_owned()));
    }

    #[test]
    fn a_repeated_field_has_its_last_value_and_a_number_keeps_its_digits() {
        let object = raw(r#"{"n":1,"n":9007199254740993,"m":1e400}"#);

        let n = field(&object, "n").map(RawValue::get);

        assert_eq!(n, Some("9007199254740993"));
        assert_eq!(field(&object, "m").map(RawValue::get), Some("1e400"));
        assert!(field(&object, "o").is_none());
    }

    #[test]
    fn fields_before_a_break_are_found_and_a_value_at_the_break_is_not() {
        let of = |json: &'static str| {
            fields_before_the_break(json.as_bytes(), ["a", "b"]).map(|v| v.map(RawValue::get))
        };

        assert_eq!(of(r#"{"a":1,"b":[2]}"#), [Some("1"), Some("[2]")]);
        assert_eq!(
            of(r#" {"b":"x","c":{"a":1},"a":100"#),
            [None, Some("\"x\"")]
        );
        assert_eq!(of(r#"{"a":100,"errors":{"x"#), [Some("100"), None]);
        assert_eq!(of(r#"{"a":100,"err"#), [None, None]);
        assert_eq!(of(r#"{"a":1,"a":2}"#), [Some("2"), None]);
        for nothing in ["", "[]", "null", "{", "error code: 1015", "{\"a\u{0}"] {
            assert_eq!(of(nothing), [None, None], "{nothing}");
        }
    }

    #[test]
    fn an_element_has_its_index_at_any_depth_of_its_neighbours() {
        let deep = format!("[{}{},2]", "[".repeat(5_000), "]".repeat(5_000));
        let array = raw(&deep);
        let mut last = None;

        walk_elements(&array, &mut |index, value| {
            last = Some((index, value.get()));
        });

        assert_eq!(last, Some((1, "2")));
        assert!(field(&array, "a").is_none());
    }
}
