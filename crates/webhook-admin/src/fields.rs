//! The fields of a body or a query, read one by one: one response names all faults.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt::Display;

use serde::de::{Deserialize, DeserializeOwned, Deserializer, Error, MapAccess, Visitor};
use serde_json::value::{RawValue, to_raw_value};
use webhook_domain::FieldError;

use crate::patch::Patch;
use crate::refusal::Refusal;

/// Characters of a stranger's name or message repeated in a refusal; the rest is cut off.
const REPEATED_CHARS: usize = 200;

/// The fields of a JSON object or a query. A reader takes each field out by name;
/// [`finish`](Self::finish) returns all faults.
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

    /// Whether a field is there, was not taken out yet, and is an object.
    pub fn has_object(&self, name: &str) -> bool {
        let raw = self.values.get(name);
        raw.is_some_and(|raw| raw.get().starts_with('{'))
    }

    /// The text of a field that stays in the document, for documents whose fields depend on it.
    pub fn peek_text(&self, name: &str) -> Option<String> {
        let raw = self.values.get(name)?;
        serde_json::from_str(raw.get()).ok()
    }

    /// Takes out a required string.
    pub fn required<T, E: Display>(
        &mut self,
        name: &str,
        parse: impl FnOnce(&str) -> Result<T, E>,
    ) -> Option<T> {
        let raw = self.take_required(name)?;
        self.parse(name, &raw, parse)
    }

    /// Takes out an optional string. `null` counts as left out.
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

    /// Whether a field is left out; `null`, which is taken out, counts as left out.
    pub fn is_left_out(&mut self, name: &str) -> bool {
        let raw = self.values.get(name);
        let is_left_out = raw.is_none_or(|raw| raw.get() == "null");
        if is_left_out {
            self.values.remove(name);
        }
        is_left_out
    }

    /// Takes out an optional value as it is written. `null` counts as left out.
    pub fn take_raw(&mut self, name: &str) -> Option<Cow<'a, RawValue>> {
        let raw = self.values.remove(name)?;
        Some(raw).filter(|raw| raw.get() != "null")
    }

    /// Takes out an optional JSON value of another kind (`expected`: in words). `null` counts as left
    /// out.
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

    /// Takes out a required JSON value of another kind (`expected`: in words).
    pub fn required_json<V: DeserializeOwned>(&mut self, name: &str, expected: &str) -> Option<V> {
        let raw = self.take_required(name)?;
        let value = serde_json::from_str(raw.get());
        if value.is_err() {
            self.refuse(name, format!("must be {expected}"));
        }
        value.ok()
    }

    /// Takes out an optional whole number, 0 or more. `7.0` is a whole number; `null` counts as left out.
    pub fn optional_whole<T, E: Display>(
        &mut self,
        name: &str,
        parse: impl FnOnce(u64) -> Result<T, E>,
    ) -> Option<T> {
        let whole = |number: Whole| parse(number.0);
        self.optional_json(name, "a whole number", whole)
    }

    /// Takes out a required whole number, 0 or more.
    pub fn required_whole<T, E: Display>(
        &mut self,
        name: &str,
        parse: impl FnOnce(u64) -> Result<T, E>,
    ) -> Option<T> {
        let number: Whole = self.required_json(name, "a whole number")?;
        let parsed = parse(number.0);
        parsed.map_err(|reason| self.refuse(name, reason)).ok()
    }

    /// Takes out an optional object; `parse` reads the inner fields. `null` counts as left out.
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

    /// Reads the fields of an inner object; their faults are reported as `name.field`.
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

    /// Takes out all remaining fields, for an object with free names. `null` becomes `None`, and the
    /// `None`s come first.
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
        // Removals go first: they make room for additions under the limits of the object.
        pairs.sort_by_key(|(_, value): &(String, Option<String>)| value.is_some());
        pairs
    }

    /// Takes out a required array of strings, with at least one item.
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

    /// Takes out a required array with at least one item, each item as raw JSON.
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

    /// Takes out a field of a patch: a missing field keeps the value, `null` sets the default.
    pub fn patch<T>(
        &mut self,
        name: &str,
        read: impl FnOnce(&mut Self, &str) -> Option<T>,
    ) -> Patch<T> {
        if !self.has(name) {
            return Patch::Keep;
        }
        // A wrong value is noted by `read` and refuses the whole patch, so the reset has no effect.
        read(self, name).map_or(Patch::Reset, Patch::Set)
    }

    /// Notes a fault of a field.
    pub fn refuse(&mut self, name: &str, reason: impl Display) {
        self.errors.push(FieldError::new(name, reason));
    }

    /// All faults, in the order of their discovery; fields without a reader are faults too.
    pub fn finish(mut self) -> Vec<FieldError> {
        let unknown = self.values.into_keys();
        self.errors
            .extend(unknown.map(|name| FieldError::new(shortened(&name), "is not a known field")));
        self.errors
    }

    /// Joins the faults of a query and of a document, the query's first.
    pub fn and(self, document: Fields<'_>) -> Fields<'static> {
        Fields {
            values: BTreeMap::new(),
            errors: [self.finish(), document.finish()].concat(),
        }
    }

    /// The request made of the fields, or a refusal with all faults.
    pub fn end_with<T>(self, read: Option<T>) -> Result<T, Refusal> {
        let errors = self.finish();
        match read {
            Some(read) if errors.is_empty() => Ok(read),
            _ => Err(Refusal::Invalid(errors)),
        }
    }

    /// Refuses a request with faults.
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

/// A number without a fraction, written as an integer or as a float.
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
            reason = "the number is checked to be whole and in range"
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
mod tests;
