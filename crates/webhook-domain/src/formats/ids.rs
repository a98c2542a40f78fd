//! The ids of the objects that an event is about.

use super::fields::Fields;
use super::json_view::{JsonView, field};
use super::plain_text::one_line;
use crate::EventType;

/// The most characters of an id. A longer text is no id, and is neither linked nor named as a subject.
const MAX_ID_CHARS: usize = 200;

/// Fields with ids by group of the catalogue: the event's own object first, then the object that holds it.
const ID_FIELDS: [(&str, &[&str]); 5] = [
    ("license", &["license_id", "contract_id"]),
    ("activation", &["activation_id", "license_id"]),
    ("product", &["product_id"]),
    ("contract", &["contract_id", "customer_id"]),
    ("telemetry", &["activation_id", "license_id"]),
];

/// Whether a field of an event has an id of one of the event's objects.
pub(crate) fn is_id_field(event_type: EventType, name: &str) -> bool {
    let of_group = ID_FIELDS
        .iter()
        .filter(|(group, _)| *group == event_type.group());
    of_group.flat_map(|(_, names)| *names).any(|id| *id == name)
}

/// The ids of an event's objects with their fields, the event's own object first.
pub(crate) fn ids_of(
    event_type: EventType,
    fields: &Fields<'_>,
) -> impl Iterator<Item = (&'static str, String)> {
    let of_group = ID_FIELDS
        .into_iter()
        .filter(move |(group, _)| *group == event_type.group());
    of_group
        .flat_map(|(_, names)| names)
        .filter_map(|name| Some((*name, id(fields, name)?)))
}

/// The id in a field: a text or a number, or the field `id` of an object.
fn id(fields: &Fields<'_>, name: &str) -> Option<String> {
    let value = match JsonView::of(fields.get(name)?) {
        JsonView::Object(object) => JsonView::of(field(object, "id")?),
        view @ (JsonView::Text(_)
        | JsonView::Number(_)
        | JsonView::Null
        | JsonView::Bool(_)
        | JsonView::Array(_)) => view,
    };
    let id = match value {
        JsonView::Text(text) => text,
        JsonView::Number(digits) => digits.to_owned(),
        JsonView::Null | JsonView::Bool(_) | JsonView::Array(_) | JsonView::Object(_) => {
            return None;
        }
    };
    // A text with invisible characters, or too long, would name another object after cleaning.
    (!id.is_empty() && one_line(&id, MAX_ID_CHARS) == id).then_some(id)
}
