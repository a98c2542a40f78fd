//! A small checker of JSON against the documented shape of a service.

use std::ops::RangeInclusive;

use serde_json::Value as Json;

/// The values that a service documents for a place of a body.
pub(super) enum Shape {
    /// Any JSON but `null`.
    Any,
    Bool,
    Number,
    /// A text with a number of characters.
    Text(RangeInclusive<usize>),
    /// One of these texts.
    OneOf(&'static [&'static str]),
    /// A time in RFC 3339.
    Time,
    /// An absolute URL with `https`.
    HttpsUrl,
    /// An array with a number of elements.
    List(Box<Shape>, RangeInclusive<usize>),
    /// An object with these fields and no others.
    Object(Vec<Field>),
    /// An object with fields of any name.
    Map(Box<Shape>),
    /// A value of one of these shapes. A fault is told against the last shape.
    Either(Vec<Shape>),
}

/// A field of an object.
pub(super) struct Field {
    name: &'static str,
    presence: Presence,
    shape: Shape,
}

#[derive(PartialEq, Eq)]
enum Presence {
    Required,
    Optional,
}

pub(super) fn required(name: &'static str, shape: Shape) -> Field {
    let presence = Presence::Required;
    Field {
        name,
        presence,
        shape,
    }
}

pub(super) fn optional(name: &'static str, shape: Shape) -> Field {
    let presence = Presence::Optional;
    Field {
        name,
        presence,
        shape,
    }
}

pub(super) fn list(shape: Shape, elements: RangeInclusive<usize>) -> Shape {
    Shape::List(Box::new(shape), elements)
}

pub(super) fn map(shape: Shape) -> Shape {
    Shape::Map(Box::new(shape))
}

impl Shape {
    /// The first fault of a value, with its place. `None`: the value fits.
    pub(super) fn fault(&self, value: &Json) -> Option<String> {
        self.fault_at("", value)
    }

    fn fault_at(&self, place: &str, value: &Json) -> Option<String> {
        let is_fit = match (self, value) {
            (Self::Any, value) => !value.is_null(),
            (Self::Bool, value) => value.is_boolean(),
            (Self::Number, value) => value.is_number(),
            (Self::Text(chars), Json::String(text)) => chars.contains(&text.chars().count()),
            (Self::OneOf(texts), Json::String(text)) => texts.contains(&text.as_str()),
            (Self::Time, Json::String(text)) => chrono::DateTime::parse_from_rfc3339(text).is_ok(),
            (Self::HttpsUrl, Json::String(text)) => {
                url::Url::parse(text).is_ok_and(|url| url.scheme() == "https")
            }
            (Self::List(shape, count), Json::Array(elements)) => {
                let length = elements.len();
                if !count.contains(&length) {
                    return Some(format!("{place}: {length} elements"));
                }
                let mut elements = elements.iter().enumerate();
                return elements
                    .find_map(|(at, value)| shape.fault_at(&format!("{place}/{at}"), value));
            }
            (Self::Object(fields), Json::Object(values)) => {
                return object_fault(fields, place, values);
            }
            (Self::Map(shape), Json::Object(values)) => {
                let mut values = values.iter();
                return values
                    .find_map(|(name, value)| shape.fault_at(&format!("{place}/{name}"), value));
            }
            (Self::Either(shapes), value) => {
                let faults = shapes.iter().map(|shape| shape.fault_at(place, value));
                return faults.reduce(Option::and).flatten();
            }
            (
                Self::Text(_)
                | Self::OneOf(_)
                | Self::Time
                | Self::HttpsUrl
                | Self::List(..)
                | Self::Object(_)
                | Self::Map(_),
                _,
            ) => false,
        };
        (!is_fit).then(|| format!("{place}: {value}"))
    }
}

fn object_fault(
    fields: &[Field],
    place: &str,
    values: &serde_json::Map<String, Json>,
) -> Option<String> {
    let is_known = |name: &String| fields.iter().any(|field| field.name == name);
    if let Some(unknown) = values.keys().find(|name| !is_known(name)) {
        return Some(format!("{place}/{unknown}: unknown field"));
    }
    fields.iter().find_map(|field| {
        let place = format!("{place}/{}", field.name);
        match values.get(field.name) {
            Some(value) => field.shape.fault_at(&place, value),
            None => (field.presence == Presence::Required).then(|| format!("{place}: missing")),
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    /// A shape with every kind of place.
    fn shape() -> Shape {
        let inner = Shape::Object(vec![
            required("n", Shape::Number),
            optional("b", Shape::Bool),
        ]);
        let full = Shape::Object(vec![
            required("text", Shape::Text(1..=3)),
            optional("kind", Shape::OneOf(&["a", "b"])),
            optional("at", Shape::Time),
            optional("url", Shape::HttpsUrl),
            optional("list", list(inner, 1..=2)),
            optional("map", map(Shape::Any)),
        ]);
        Shape::Either(vec![Shape::OneOf(&["short"]), full])
    }

    #[rstest]
    #[case::other_shape(r#""short""#)]
    #[case::least(r#"{"text":"äöü"}"#)]
    #[case::full(r#"{"text":"x","kind":"b","at":"2026-11-23T08:15:30Z","url":"https://a.example","list":[{"n":1,"b":true}],"map":{"x":{}}}"#)]
    fn a_value_of_the_shape_has_no_fault(#[case] value: &str) {
        assert_eq!(
            shape().fault(&serde_json::from_str(value).expect("JSON")),
            None
        );
    }

    #[rstest]
    #[case::missing("{}", "/text: missing")]
    #[case::null(r#"{"text":null}"#, "/text: null")]
    #[case::empty(r#"{"text":""}"#, r#"/text: """#)]
    #[case::long(r#"{"text":"abcd"}"#, r#"/text: "abcd""#)]
    #[case::unknown(r#"{"text":"x","txet":1}"#, "/txet: unknown field")]
    #[case::name(r#"{"text":"x","kind":"c"}"#, r#"/kind: "c""#)]
    #[case::time(r#"{"text":"x","at":"today"}"#, r#"/at: "today""#)]
    #[case::url(
        r#"{"text":"x","url":"http://a.example"}"#,
        r#"/url: "http://a.example""#
    )]
    #[case::length(r#"{"text":"x","list":[]}"#, "/list: 0 elements")]
    #[case::element(r#"{"text":"x","list":[{"n":"1"}]}"#, r#"/list/0/n: "1""#)]
    #[case::in_a_map(r#"{"text":"x","map":{"y":null}}"#, "/map/y: null")]
    fn a_fault_is_told_with_its_place(#[case] value: &str, #[case] expected: &str) {
        let fault = shape().fault(&serde_json::from_str(value).expect("JSON"));

        assert_eq!(fault.as_deref(), Some(expected));
    }
}
