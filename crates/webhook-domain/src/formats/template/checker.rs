//! Checks the paths of a template against examples and recent events.

use std::cell::OnceCell;
use std::collections::BTreeSet;
use std::fmt::{Display, Formatter};

use serde_json::value::RawValue;

use super::body::{Body, Insertion, Piece};
use super::filter::Filter;
use super::path::PathRoot;
use super::value::Value;
use super::variants::Variants;
use crate::formats::json_view::{data_of, walk_fields};
use crate::formats::nearest::nearest;
use crate::{Event, EventType};

/// The most paths of events that are compared with a misspelt path.
const MAX_KNOWN_PATHS: usize = 1_000;

/// The most parts below `data` of a path that is suggested.
const MAX_SUGGESTED_DEPTH: usize = 4;

/// A doubt about a template that can be saved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TemplateWarning {
    /// The JSON pointer of the value in doubt.
    pub pointer: String,
    /// The doubt and a suggestion: lower case, without a full stop.
    pub message: String,
}

impl Display for TemplateWarning {
    fn fmt(&self, f: &mut Formatter<'_>) -> std::fmt::Result {
        if self.pointer.is_empty() {
            f.write_str(&self.message)
        } else {
            write!(f, "{}: {}", self.pointer, self.message)
        }
    }
}

/// Checks every path of every body against the event types that the body serves.
pub(super) fn check(
    variants: &Variants,
    subscribed: &[EventType],
    recent: &[Event],
) -> Vec<TemplateWarning> {
    let mut warnings = Vec::new();
    let mut others: BTreeSet<EventType> = subscribed.iter().copied().collect();
    for (event_type, body) in &variants.by_type {
        match others.remove(event_type) {
            true => warnings.extend(Check::new(body, &[*event_type], recent).warnings()),
            false => warnings.push(unused(*event_type)),
        }
    }
    let others: Vec<EventType> = others.into_iter().collect();
    warnings.extend(Check::new(&variants.default, &others, recent).warnings());
    warnings.sort_by(|one, other| one.pointer.cmp(&other.pointer));
    warnings
}

fn unused(event_type: EventType) -> TemplateWarning {
    TemplateWarning {
        pointer: format!("/{event_type}"),
        message: format!(
            "the webhook does not receive `{event_type}`, so this variant is never used"
        ),
    }
}

/// A body beside the samples of each type that the body serves.
struct Check<'a> {
    body: &'a Body,
    types: Vec<TypeSamples<'a>>,
    /// The paths below `data` of all samples, such as `assignee.id`. Collected for the first misspelt path.
    known: OnceCell<BTreeSet<String>>,
}

/// The example and the recent events of a type.
struct TypeSamples<'a> {
    event_type: EventType,
    recent: usize,
    data: Vec<&'a RawValue>,
    /// Whether any sample has the path, by slot.
    found: Vec<bool>,
}

impl<'a> Check<'a> {
    fn new(body: &'a Body, types: &[EventType], recent: &'a [Event]) -> Self {
        let types = types.iter();
        let types = types.map(|event_type| TypeSamples::new(body, *event_type, recent));
        let (types, known) = (types.collect(), OnceCell::new());
        Self { body, types, known }
    }

    /// One warning per path that is missing in one of the types or more.
    fn warnings(&self) -> Vec<TemplateWarning> {
        let insertions = self.body.pieces.iter().filter_map(|piece| match piece {
            Piece::Literal(_) => None,
            Piece::Whole(insertion) | Piece::Part(insertion) => Some(insertion),
        });
        let below_data = insertions.filter(|insertion| insertion.path.root == PathRoot::Data);
        let mut seen = BTreeSet::new();
        below_data
            .filter(|insertion| seen.insert(insertion.slot))
            .filter_map(|insertion| self.warning(insertion))
            .collect()
    }

    fn warning(&self, insertion: &Insertion) -> Option<TemplateWarning> {
        let (having, lacking): (Vec<_>, Vec<_>) = self
            .types
            .iter()
            .partition(|samples| samples.found[insertion.slot]);
        let has_default = insertion
            .filters
            .iter()
            .any(|filter| matches!(filter, Filter::Default(_)));
        let message = match (having.is_empty(), lacking.first()) {
            (_, None) => return None,
            (true, Some(first)) => self.missing_everywhere(insertion, first),
            (false, Some(_)) if has_default => return None,
            (false, Some(first)) => missing_in_some(insertion, first, lacking.len()),
        };
        let pointer = insertion.pointer.to_string();
        Some(TemplateWarning { pointer, message })
    }

    fn missing_everywhere(&self, insertion: &Insertion, first: &TypeSamples<'_>) -> String {
        let path = &insertion.path;
        let place = match self.types.len() {
            1 => first.place(),
            types => format!("no example and no recent event of the {types} event types"),
        };
        let known = self.known.get_or_init(|| self.known_paths());
        match nearest_path(&path.parts.join("."), known) {
            Some(near) => format!("`{path}` is in {place}; did you mean `data.{near}`?"),
            None => format!("`{path}` is in {place}"),
        }
    }

    fn known_paths(&self) -> BTreeSet<String> {
        let mut known = BTreeSet::new();
        for data in self.types.iter().flat_map(|samples| &samples.data) {
            collect_paths(data, "", MAX_SUGGESTED_DEPTH, &mut known);
        }
        known
    }
}

impl<'a> TypeSamples<'a> {
    fn new(body: &Body, event_type: EventType, recent: &'a [Event]) -> Self {
        let of_type = recent.iter().filter(|event| event.event_type == event_type);
        let mut data: Vec<&RawValue> = of_type.filter_map(data_of).collect();
        let recent = data.len();
        data.extend(serde_json::from_str::<&RawValue>(event_type.example()));
        let mut found = Vec::new();
        for sample in &data {
            let values = body.data.read_data(sample);
            found.resize(values.len(), false);
            for (found, value) in found.iter_mut().zip(values) {
                *found |= value != Value::Missing;
            }
        }
        Self {
            event_type,
            recent,
            data,
            found,
        }
    }

    /// Where the path was looked for in vain.
    fn place(&self) -> String {
        let event_type = self.event_type;
        match self.recent {
            0 => format!("no example of `{event_type}`"),
            1 => format!("neither the example nor the last `{event_type}`"),
            recent => format!("none of the last {recent} `{event_type}`"),
        }
    }
}

fn missing_in_some(insertion: &Insertion, first: &TypeSamples<'_>, lacking: usize) -> String {
    let (path, place) = (&insertion.path, first.place());
    let more = match lacking {
        1 => String::new(),
        2 => " nor in 1 more event type".to_owned(),
        _ => format!(" nor in {} more event types", lacking - 1),
    };
    format!("`{path}` is in {place}{more}; `default:'…'` fills the gap, or a variant for the type")
}

/// The nearest path, or a path whose last part is the same.
fn nearest_path<'k>(path: &str, known: &'k BTreeSet<String>) -> Option<&'k str> {
    let all = || known.iter().map(String::as_str);
    let last = path.rsplit('.').next();
    nearest(path, all()).or_else(|| all().find(|known| known.rsplit('.').next() == last))
}

/// Collects the paths of the fields of an object, a few levels deep, each behind `before`.
fn collect_paths(raw: &RawValue, before: &str, levels: usize, known: &mut BTreeSet<String>) {
    if levels == 0 {
        return;
    }
    walk_fields(raw, &mut |name, value| {
        // A template cannot write a name with these characters.
        let is_writable = || !name.is_empty() && !name.contains(['.', '|', '{', '}', '"', '\'']);
        if known.len() < MAX_KNOWN_PATHS && is_writable() {
            let below = format!("{before}{name}");
            collect_paths(value, &format!("{below}."), levels - 1, known);
            known.insert(below);
        }
    });
}
