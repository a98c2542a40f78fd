//! The fields of a body or a query, read one by one, so that all that is wrong is told at once.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt::Display;

use serde::de::{Deserialize, DeserializeOwned, Deserializer, Error, MapAccess, Visitor};
use serde_json::value::{RawValue, to_raw_value};
use webhook_domain::FieldError;

use crate::patch::Patch;
use crate::refusal::Refusal;

/// How much of a name or a message that came from outside is repeated.
const REPEATED_CHARS: usize = 200;

/// The fields of a JSON object or a query. Each is taken out by name; [`finish`](Self::finish)
/// tells everything that was wrong.
#[derive(Default)]
pub struct Fields<'a> {
    values: BTreeMap<String, Cow<'a, RawValue>>,
    errors: Vec<FieldError>,
}

impl<'a> Fields<'a> {
    /// Reads a JSON object.
    pub fn of_body(body: &'a [u8]) -> Result<Self, Refusal> {
        serde_json::from_slice(body)
            .map_err(|error| Refusal::NotJson(shortened(&error.to_string())))
    }

    /// Reads a URL's query.
    pub fn of_query(query: &str) -> Self {
        let mut fields = Self::default();
        for (name, value) in url::form_urlencoded::parse(query.as_bytes()) {
            let value = to_raw_value(&value).expect("a string is JSON");
            fields.put(&name, Cow::Owned(value));
        }
        fields
    }

    /// Reads a whole URL query with `take`, which a `request!` declares. Every fault is told at once.
    pub fn read_query<T>(
        query: &str,
        take: impl FnOnce(&mut Fields<'_>) -> Option<T>,
    ) -> Result<T, Refusal> {
        let mut fields = Fields::of_query(query);
        let request = take(&mut fields);
        fields.end_with(request)
    }

    /// Reads a whole JSON object with `take`, which a `request!` declares. Every fault is told at once.
    pub fn read_body<T>(
        body: &[u8],
        take: impl FnOnce(&mut Fields<'_>) -> Option<T>,
    ) -> Result<T, Refusal> {
        let mut fields = Fields::of_body(body)?;
        let request = take(&mut fields);
        fields.end_with(request)
    }

    /// Whether a field is there and was not taken out yet.
    pub fn has(&self, name: &str) -> bool {
        self.values.contains_key(name)
    }

    /// The text of a field that stays in the document, for documents whose fields depend on it.
    pub fn peek_text(&self, name: &str) -> Option<String> {
        let raw = self.values.get(name)?;
        serde_json::from_str(raw.get()).ok()
    }

    /// Takes out a string that must be there.
    pub fn required<T, E: Display>(
        &mut self,
        name: &str,
        parse: impl FnOnce(&str) -> Result<T, E>,
    ) -> Option<T> {
        let raw = self.take_required(name)?;
        self.parse(name, &raw, parse)
    }

    /// Takes out a string that may be left out or `null`.
    pub fn optional<T, E: Display>(
        &mut self,
        name: &str,
        parse: impl FnOnce(&str) -> Result<T, E>,
    ) -> Option<T> {
        let raw = self.values.remove(name)?;
        if raw.get() == "null" {
            return None;
        }
        self.parse(name, &raw, parse)
    }

    /// Takes out a JSON value of another kind (`expected`: in words) that may be left out or
    /// `null`.
    pub fn optional_json<V: DeserializeOwned, T, E: Display>(
        &mut self,
        name: &str,
        expected: &str,
        parse: impl FnOnce(V) -> Result<T, E>,
    ) -> Option<T> {
        let raw = self.values.remove(name)?;
        if raw.get() == "null" {
            return None;
        }
        let Ok(value) = serde_json::from_str(raw.get()) else {
            self.refuse(name, format!("must be {expected}"));
            return None;
        };
        parse(value)
            .map_err(|reason| self.refuse(name, reason))
            .ok()
    }

    /// Takes out a JSON value of another kind (`expected`: in words) that must be there.
    pub fn required_json<V: DeserializeOwned>(&mut self, name: &str, expected: &str) -> Option<V> {
        let raw = self.take_required(name)?;
        let value = serde_json::from_str(raw.get());
        if value.is_err() {
            self.refuse(name, format!("must be {expected}"));
        }
        value.ok()
    }

    /// Takes out a whole number, not negative, that may be left out or `null`. `7.0` is one.
    pub fn optional_whole<T, E: Display>(
        &mut self,
        name: &str,
        parse: impl FnOnce(u64) -> Result<T, E>,
    ) -> Option<T> {
        let whole = |number: Whole| parse(number.0);
        self.optional_json(name, "a whole number", whole)
    }

    /// Takes out an object that may be left out or `null`; its own fields are read by `parse`.
    pub fn optional_object<T>(
        &mut self,
        name: &str,
        parse: impl FnOnce(&mut Fields<'_>) -> Option<T>,
    ) -> Option<T> {
        let raw = self.values.remove(name)?;
        if raw.get() == "null" {
            return None;
        }
        self.nested(name, &raw, parse)
    }

    /// Reads the fields of an object inside; what is wrong with them is told under `name`.
    pub fn nested<T>(
        &mut self,
        name: &str,
        raw: &RawValue,
        parse: impl FnOnce(&mut Fields<'_>) -> Option<T>,
    ) -> Option<T> {
        let Ok(mut inner) = serde_json::from_str::<Fields<'_>>(raw.get()) else {
            self.refuse(name, "must be an object");
            return None;
        };
        let parsed = parse(&mut inner);
        let errors = inner.finish();
        let sound = errors.is_empty();
        let prefixed = errors
            .into_iter()
            .map(|error| FieldError::new(format!("{name}.{}", error.field), error.reason));
        self.errors.extend(prefixed);
        parsed.filter(|_| sound)
    }

    /// Takes out all that is left: an object whose names are not known before. `None`: `null`, these
    /// come first.
    pub fn take_pairs(&mut self) -> Vec<(String, Option<String>)> {
        let values = std::mem::take(&mut self.values);
        let pairs = values.into_iter().filter_map(|(name, raw)| {
            let value = serde_json::from_str(raw.get());
            if value.is_err() {
                self.refuse(&shortened(&name), "must be a string");
            }
            Some((name, value.ok()?))
        });
        let mut pairs: Vec<_> = pairs.collect();
        // What is to go first makes room for what is to come.
        pairs.sort_by_key(|(_, value): &(String, Option<String>)| value.is_some());
        pairs
    }

    /// Takes out an array of strings with at least one item.
    pub fn required_list<T, E: Display>(
        &mut self,
        name: &str,
        parse: impl Fn(&str) -> Result<T, E>,
    ) -> Option<Vec<T>> {
        let items = self.required_items(name)?.into_iter().enumerate();
        let parsed: Vec<Option<T>> = items
            .map(|(index, raw)| self.parse(&format!("{name}[{index}]"), raw, &parse))
            .collect();
        parsed.into_iter().collect()
    }

    /// Takes out an array with at least one item, each as it was written.
    pub fn required_items(&mut self, name: &str) -> Option<Vec<&'a RawValue>> {
        let items = match self.take_required(name)? {
            Cow::Borrowed(raw) => serde_json::from_str::<Vec<&'a RawValue>>(raw.get()).ok(),
            Cow::Owned(_) => None,
        };
        match items {
            Some(items) if !items.is_empty() => return Some(items),
            Some(_) => self.refuse(name, "must not be empty"),
            None => self.refuse(name, "must be an array"),
        }
        None
    }

    /// Takes out a field of a patch: one that is left out keeps its value, `null` sets the default.
    pub fn patch<T>(
        &mut self,
        name: &str,
        read: impl FnOnce(&mut Self, &str) -> Option<T>,
    ) -> Patch<T> {
        if !self.has(name) {
            return Patch::Keep;
        }
        // A wrong value is noted by `read` and refuses the patch, so its reset does not count.
        read(self, name).map_or(Patch::Reset, Patch::Set)
    }

    /// Notes that a field is wrong.
    pub fn refuse(&mut self, name: &str, reason: impl Display) {
        self.errors.push(FieldError::new(name, reason));
    }

    /// Everything that was wrong, fields that nobody took included.
    pub fn finish(mut self) -> Vec<FieldError> {
        let unknown = self.values.into_keys();
        self.errors
            .extend(unknown.map(|name| FieldError::new(shortened(&name), "is not known here")));
        self.errors
    }

    /// The faults of a query and of a document, told together, the query's first.
    pub fn and(self, document: Fields<'_>) -> Fields<'static> {
        Fields {
            values: BTreeMap::new(),
            errors: [self.finish(), document.finish()].concat(),
        }
    }

    /// The request that was read from the fields, unless anything was wrong.
    pub fn end_with<T>(self, read: Option<T>) -> Result<T, Refusal> {
        let errors = self.finish();
        match read {
            Some(read) if errors.is_empty() => Ok(read),
            _ => Err(Refusal::Invalid(errors)),
        }
    }

    /// Refuses the request if anything was wrong.
    pub fn end(self) -> Result<(), Refusal> {
        let errors = self.finish();
        if errors.is_empty() {
            return Ok(());
        }
        Err(Refusal::Invalid(errors))
    }

    fn put(&mut self, name: &str, value: Cow<'a, RawValue>) {
        if self.values.insert(name.to_owned(), value).is_some() {
            self.refuse(&shortened(name), "appears more than once");
        }
    }

    fn take_required(&mut self, name: &str) -> Option<Cow<'a, RawValue>> {
        let raw = self.values.remove(name);
        if raw.is_none() {
            self.refuse(name, "is required");
        }
        raw
    }

    fn parse<T, E: Display>(
        &mut self,
        name: &str,
        raw: &RawValue,
        parse: impl FnOnce(&str) -> Result<T, E>,
    ) -> Option<T> {
        let Ok(text) = serde_json::from_str::<String>(raw.get()) else {
            self.refuse(name, "must be a string");
            return None;
        };
        parse(&text)
            .map_err(|reason| self.refuse(name, reason))
            .ok()
    }
}

/// A number without a fraction, however it is written.
struct Whole(u64);

impl<'de> Deserialize<'de> for Whole {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        /// Up to here every whole number is a float.
        const EXACT: f64 = 9_007_199_254_740_992.0;
        let number = serde_json::Number::deserialize(deserializer)?;
        let float = number.as_f64().unwrap_or(f64::NAN);
        #[allow(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "it is checked to be whole and in range"
        )]
        let whole =
            || ((0.0..=EXACT).contains(&float) && float.fract() == 0.0).then_some(float as u64);
        let whole = number.as_u64().or_else(whole);
        whole.map(Self).ok_or_else(|| D::Error::custom("not whole"))
    }
}

fn shortened(text: &str) -> String {
    text.chars().take(REPEATED_CHARS).collect()
}

impl<'de: 'a, 'a> Deserialize<'de> for Fields<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct FieldsVisitor;

        impl<'de> Visitor<'de> for FieldsVisitor {
            type Value = Fields<'de>;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut fields = Fields::default();
                while let Some((name, value)) = map.next_entry::<String, &'de RawValue>()? {
                    fields.put(&name, Cow::Borrowed(value));
                }
                Ok(fields)
            }
        }

        deserializer.deserialize_map(FieldsVisitor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use webhook_domain::Environment;

    fn names(errors: &[FieldError]) -> Vec<&str> {
        errors.iter().map(|error| error.field.as_str()).collect()
    }

    #[test]
    fn every_fault_is_named_at_once() {
        let body = br#"{"wrong_type":5,"invalid":"moon","twice":"a","twice":"b",
            "list":["staging",7,"moon"],"none":[],"extra":1}"#;
        let mut fields = Fields::of_body(body).expect("an object");

        fields.required("missing", str::parse::<Environment>);
        fields.required("wrong_type", str::parse::<Environment>);
        fields.optional("invalid", str::parse::<Environment>);
        fields.optional("twice", str::parse::<String>);
        fields.required_list("list", str::parse::<Environment>);
        fields.required_items("none");

        let errors = fields.finish();
        assert_eq!(
            names(&errors),
            [
                "twice",
                "missing",
                "wrong_type",
                "invalid",
                "list[1]",
                "list[2]",
                "none",
                "extra"
            ]
        );
    }

    #[test]
    fn the_fields_of_an_object_in_an_object_are_named_with_its_name() {
        let body = br#"{"policy":{"attempts":"5","more":1},"limit":"x","other":7,"none":null}"#;
        let mut fields = Fields::of_body(body).expect("an object");
        let number = |fields: &mut Fields<'_>, name: &str| {
            fields.optional_json(name, "a number", Ok::<i64, String>)
        };

        let policy = fields.optional_object("policy", |inner| number(inner, "attempts"));
        fields.optional_object("other", |_| Some(()));
        let none = fields.optional_object("none", |_| Some(()));
        number(&mut fields, "limit");

        assert_eq!((policy, none), (None, None));
        let errors = fields.finish();
        assert_eq!(
            names(&errors),
            ["policy.attempts", "policy.more", "other", "limit"]
        );
    }

    #[test]
    fn a_whole_number_may_be_written_as_a_float() {
        let whole = |number: &str| {
            let body = format!("{{\"n\":{number}}}");
            let mut fields = Fields::of_body(body.as_bytes()).unwrap_or_default();
            fields.optional_whole("n", Ok::<_, String>)
        };

        assert_eq!(whole("7"), Some(7));
        assert_eq!(whole("7.0"), Some(7));
        assert_eq!(whole("1e3"), Some(1_000));
        for other in ["7.5", "-1", "1e400", "1e17", "\"7\"", "true", "null"] {
            assert_eq!(whole(other), None, "{other}");
        }
    }

    #[test]
    fn what_is_no_object_is_refused() {
        for body in ["", "[]", "{\"a\":", "{} {}", "\"text\""] {
            let refused = Fields::of_body(body.as_bytes());

            assert!(matches!(refused, Err(Refusal::NotJson(_))), "{body}");
        }
    }

    #[test]
    fn a_query_is_read_like_a_body() {
        let mut fields = Fields::of_query("environment=staging&limits=5");

        let environment = fields.optional("environment", str::parse);

        assert_eq!(environment, Some(Environment::Staging));
        assert_eq!(names(&fields.finish()), ["limits"]);
    }
}
