//! The fields of an event's `data`, as text for people.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde_json::value::RawValue;

use super::json_view::{
    JsonView, field, is_array, is_object, text, walk_data, walk_elements, walk_fields,
};
use super::plain_text::one_line;
use crate::Event;

/// The most elements of an array that a list names.
const MAX_LIST_ELEMENTS: usize = 5;

/// The fields of an object, in the order of the text. A repeated field has its last value.
#[derive(Default)]
pub(crate) struct Fields<'a> {
    fields: Vec<(String, &'a RawValue)>,
    places: BTreeMap<String, usize>,
}

impl<'a> Fields<'a> {
    /// Reads the fields of an object once. A value that is no object has no field.
    pub(crate) fn of(object: &'a RawValue) -> Self {
        let mut read = Self::default();
        walk_fields(object, &mut |name, value| read.take(name, value));
        read
    }

    /// Reads the wanted fields of an event's `data`, in one walk over the event's bytes.
    pub(crate) fn wanted(event: &'a Event, wanted: &dyn Fn(&str) -> bool) -> Self {
        let mut read = Self::default();
        walk_data(event, wanted, &mut |name, value| read.take(name, value));
        read
    }

    /// The value of the field at `path`: a name, or two names with a dot for a field of an object.
    pub(crate) fn get(&self, path: &str) -> Option<&'a RawValue> {
        if let Some(place) = self.places.get(path) {
            return Some(self.fields[*place].1);
        }
        let (name, inner) = path.split_once('.')?;
        field(self.fields[*self.places.get(name)?].1, inner)
    }

    /// Every field and value.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, &'a RawValue)> {
        self.fields
            .iter()
            .map(|(name, value)| (name.as_str(), *value))
    }

    fn take(&mut self, name: &str, value: &'a RawValue) {
        match self.places.get(name) {
            Some(place) => self.fields[*place].1 = value,
            None => {
                self.places.insert(name.to_owned(), self.fields.len());
                self.fields.push((name.to_owned(), value));
            }
        }
    }
}

/// A value as one line: a text, the digits of a number, yes or no, a moment for a time. `None`: `null`, an
/// array, an object, or a text without a visible character.
pub(crate) fn scalar(value: JsonView<'_>, max: usize) -> Option<String> {
    let shown = match value {
        JsonView::Text(text) => match instant(&text) {
            Some(time) => moment(time),
            None => one_line(&text, max),
        },
        JsonView::Number(digits) => one_line(digits, max),
        JsonView::Bool(true) => "yes".to_owned(),
        JsonView::Bool(false) => "no".to_owned(),
        JsonView::Null | JsonView::Array(_) | JsonView::Object(_) => String::new(),
    };
    (!shown.is_empty()).then_some(shown)
}

/// The name of a value that a sentence can use: a text or a number, or the `name` or `id` of an object.
/// `None`: a value of another kind.
pub(crate) fn name(value: &RawValue, max: usize) -> Option<String> {
    if !is_object(value) {
        return text_or_number(value, max);
    }
    let fields = Fields::of(value);
    let mut inner = ["name", "id"]
        .into_iter()
        .filter_map(|name| fields.get(name));
    inner.find_map(|value| text_or_number(value, max))
}

fn text_or_number(value: &RawValue, max: usize) -> Option<String> {
    match JsonView::of(value) {
        view @ (JsonView::Text(_) | JsonView::Number(_)) => scalar(view, max),
        JsonView::Null | JsonView::Bool(_) | JsonView::Array(_) | JsonView::Object(_) => None,
    }
}

/// The texts, numbers and booleans of an array, each written by `show`: `seats, ends_at and 3 more`. A value
/// alone is a list of one. `None`: nothing to list.
pub(crate) fn list(value: &RawValue, max: usize, show: fn(&str) -> String) -> Option<String> {
    if !is_array(value) {
        return name(value, max).map(|name| show(&name));
    }
    let mut shown = Vec::new();
    let mut more = 0_usize;
    walk_elements(value, &mut |_, element| {
        if shown.len() == MAX_LIST_ELEMENTS {
            more += 1;
        } else if let Some(element) = scalar(JsonView::of(element), max) {
            shown.push(show(&element));
        }
    });
    let rest = if more == 0 {
        String::new()
    } else {
        format!(" and {more} more")
    };
    // The end says how much is missing, so only the elements are cut.
    let elements = one_line(&shown.join(", "), max.saturating_sub(rest.len()));
    (!shown.is_empty()).then(|| elements + &rest)
}

/// The instant that an RFC 3339 text names.
pub(crate) fn instant(text: &str) -> Option<DateTime<Utc>> {
    let time = DateTime::parse_from_rfc3339(text.trim()).ok()?;
    Some(time.to_utc())
}

/// The instant that a value names. `None`: a value of another kind.
pub(crate) fn instant_of(value: &RawValue) -> Option<DateTime<Utc>> {
    instant(&text(value.get())?)
}

/// An instant for people, such as `2026-11-23 08:15 UTC`.
pub(crate) fn moment(time: DateTime<Utc>) -> String {
    time.format("%Y-%m-%d %H:%M UTC").to_string()
}

/// A code such as `no_seat_left` in words: `no seat left`. Any other text stays.
pub(crate) fn in_words(text: &str) -> String {
    let is_code = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    let words = text.replace('_', " ");
    // A code of underscores alone would leave nothing to read.
    if text.chars().all(is_code) && !words.trim().is_empty() {
        return words.trim().to_owned();
    }
    text.to_owned()
}
