//! The bodies of a template: a single body, or one by event type.

use std::collections::BTreeSet;

use serde_json::value::RawValue;

use super::body::Body;
use super::error::TemplateErrors;
use super::escaping::push_token;
use super::limits::repeated;
use super::parser::parse_body;
use crate::EventType;
use crate::formats::json_view::walk_fields;
use crate::formats::nearest::nearest;

/// The name of the body for event types without a variant.
const DEFAULT: &str = "default";

/// The way out for a body whose fields look like variants.
const WRAPPED: &str =
    r#"a single body with a field named like an event type is written as `{"default": {…}}`"#;

/// The bodies of a template.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Variants {
    /// The body for every type that has no body of its own.
    pub(super) default: Body,
    pub(super) by_type: Vec<(EventType, Body)>,
}

impl Variants {
    /// The body for an event type.
    pub(super) fn body(&self, event_type: EventType) -> &Body {
        let own = self.by_type.iter().find(|(own, _)| *own == event_type);
        own.map_or(&self.default, |(_, body)| body)
    }
}

/// The meaning of a field's name at the top of a template.
enum Name {
    Default,
    Type(EventType),
    /// No event type, but near one or in a group of event types.
    NearlyType(Option<&'static str>),
    Other,
}

/// A field at the top of a template.
struct Field<'t> {
    written: String,
    name: Name,
    value: &'t RawValue,
}

/// Parses the document of a template. The document is a set of variants if the name of a field is an event
/// type, or if a field `default` stands alone or beside a name that is nearly an event type. Every other
/// document is a body.
pub(super) fn parse_variants(raw: &RawValue, errors: &mut TemplateErrors) -> Variants {
    let mut fields = Vec::new();
    walk_fields(raw, &mut |written, value| {
        let (written, name) = (written.to_owned(), Name::of(written));
        fields.push(Field {
            written,
            name,
            value,
        });
    });
    if is_set(&fields) {
        return parse_set(&fields, errors);
    }
    let (default, by_type) = (parse_body(raw, "", errors), Vec::new());
    Variants { default, by_type }
}

fn parse_set(fields: &[Field<'_>], errors: &mut TemplateErrors) -> Variants {
    let mut variants = Variants::default();
    let mut seen = BTreeSet::new();
    for Field {
        written,
        name,
        value,
    } in fields
    {
        let mut pointer = String::new();
        push_token(&mut pointer, written);
        if !seen.insert(written) {
            errors.add(
                &pointer,
                format!("the variant `{}` stands twice", repeated(written)),
            );
        }
        match name {
            Name::Default => variants.default = parse_body(value, &pointer, errors),
            Name::Type(event_type) => {
                let body = parse_body(value, &pointer, errors);
                variants.by_type.push((*event_type, body));
            }
            Name::NearlyType(near) => errors.add(&pointer, unknown_type(written, *near)),
            Name::Other => errors.add(&pointer, no_variant(written)),
        }
    }
    if !seen.iter().any(|written| *written == DEFAULT) {
        let message = "variants by event type need a field `default`, the body for all other types";
        errors.add("", format!("{message}; {WRAPPED}"));
    }
    variants
}

fn is_set(fields: &[Field<'_>]) -> bool {
    let has = |is: fn(&Name) -> bool| fields.iter().any(|field| is(&field.name));
    let has_default = has(|name| matches!(name, Name::Default));
    let has_nearly = has(|name| matches!(name, Name::NearlyType(_)));
    let has_type = has(|name| matches!(name, Name::Type(_)));
    has_type || (has_default && (has_nearly || fields.len() == 1))
}

impl Name {
    fn of(written: &str) -> Self {
        if written == DEFAULT {
            return Self::Default;
        }
        if let Ok(event_type) = written.parse() {
            return Self::Type(event_type);
        }
        let known = EventType::ALL.iter().map(|event_type| event_type.as_str());
        let near = nearest(written, known);
        match near.is_some() || is_in_group(written) {
            true => Self::NearlyType(near),
            false => Self::Other,
        }
    }
}

/// Whether a name begins like an event type, such as `license.*`.
fn is_in_group(written: &str) -> bool {
    let group = written.split_once('.').map(|(group, _)| group);
    EventType::ALL
        .iter()
        .any(|event_type| Some(event_type.group()) == group)
}

fn unknown_type(written: &str, near: Option<&str>) -> String {
    let shown = repeated(written);
    match near {
        Some(near) => format!("unknown event type `{shown}`; did you mean `{near}`? ({WRAPPED})"),
        None => format!(
            "unknown event type `{shown}`; a variant is for a single type, such as `license.created`; {WRAPPED}"
        ),
    }
}

fn no_variant(written: &str) -> String {
    format!(
        "`{}` stands beside variants by event type, where every name is `default` or an event type; {WRAPPED}",
        repeated(written)
    )
}
