//! Parses the JSON of a body into pieces.

use std::collections::BTreeSet;

use serde_json::value::RawValue;

use super::body::{Body, Insertion, Piece};
use super::error::TemplateErrors;
use super::escaping::{push_token, write_quoted, write_text};
use super::limits::{MAX_DEPTH, MAX_PLACEHOLDERS, repeated};
use super::path::PathRoot;
use super::placeholder::{OPENING, Part, Placeholder, parts_of};
use crate::formats::json_view::{text, walk_elements, walk_fields};

/// Parses a body that stands at `pointer` in its template. Faults are added to `errors`, and the body is
/// then of no use.
pub(super) fn parse_body(raw: &RawValue, pointer: &str, errors: &mut TemplateErrors) -> Body {
    let mut parser = Parser {
        body: Body::default(),
        literal: Vec::new(),
        pointer: pointer.to_owned(),
        placeholders: 0,
        errors,
    };
    parser.value(raw, 0);
    parser.end_literal();
    if parser.placeholders > MAX_PLACEHOLDERS {
        let count = parser.placeholders;
        let message =
            format!("the body has {count} placeholders; at most {MAX_PLACEHOLDERS} are allowed");
        parser.errors.add(pointer, message);
    }
    parser.body
}

struct Parser<'e> {
    body: Body,
    /// The JSON since the last placeholder.
    literal: Vec<u8>,
    /// The place of the value that is being parsed.
    pointer: String,
    placeholders: usize,
    errors: &'e mut TemplateErrors,
}

impl Parser<'_> {
    fn value(&mut self, raw: &RawValue, depth: usize) {
        let json = raw.get();
        match json.as_bytes().first() {
            Some(b'{' | b'[') if depth == MAX_DEPTH => {
                let message = format!(
                    "objects and arrays are more than {MAX_DEPTH} deep; move this value up"
                );
                self.errors.add(&self.pointer, message);
            }
            Some(b'{') => self.object(raw, depth + 1),
            Some(b'[') => self.array(raw, depth + 1),
            Some(b'"') => self.string(&text(json).unwrap_or_default()),
            // Numbers keep their digits.
            Some(_) | None => self.literal.extend_from_slice(json.as_bytes()),
        }
    }

    fn object(&mut self, raw: &RawValue, depth: usize) {
        let mut names = BTreeSet::new();
        self.literal.push(b'{');
        walk_fields(raw, &mut |name, value| {
            if !names.is_empty() {
                self.literal.push(b',');
            }
            self.inside(name, |parser| {
                parser.check_name(name, names.insert(name.to_owned()));
                write_quoted(&mut parser.literal, name);
                parser.literal.push(b':');
                parser.value(value, depth);
            });
        });
        self.literal.push(b'}');
    }

    /// Refuses a character that Postgres keeps in no text, so that the audit log can tell the template.
    fn check_text(&mut self, text: &str) {
        if text.contains('\0') {
            let message = "the character U+0000 cannot be stored; leave the character out";
            self.errors.add(&self.pointer, message);
        }
    }

    fn check_name(&mut self, name: &str, is_new: bool) {
        self.check_text(name);
        if name.contains(OPENING) {
            let message =
                "a placeholder cannot stand in the name of a field; only values may change";
            self.errors.add(&self.pointer, message);
        }
        if !is_new {
            let message = format!("the field `{}` stands twice in this object", repeated(name));
            self.errors.add(&self.pointer, message);
        }
    }

    fn array(&mut self, raw: &RawValue, depth: usize) {
        self.literal.push(b'[');
        walk_elements(raw, &mut |index, value| {
            if index > 0 {
                self.literal.push(b',');
            }
            self.inside(&index.to_string(), |parser| parser.value(value, depth));
        });
        self.literal.push(b']');
    }

    fn string(&mut self, text: &str) {
        self.check_text(text);
        let mut faults = Vec::new();
        let mut parts = parts_of(text, &mut faults);
        for fault in faults {
            self.errors.add(&self.pointer, fault);
        }
        if let [Part::Placeholder(_)] = parts[..]
            && let Some(Part::Placeholder(placeholder)) = parts.pop()
        {
            let insertion = self.insertion(placeholder);
            self.body.pieces.push(Piece::Whole(insertion));
            return;
        }
        self.literal.push(b'"');
        for part in parts {
            match part {
                Part::Text(text) => write_text(&mut self.literal, &text),
                Part::Placeholder(placeholder) => {
                    let insertion = self.insertion(placeholder);
                    self.body.pieces.push(Piece::Part(insertion));
                }
            }
        }
        self.literal.push(b'"');
    }

    /// Ends the literal before a placeholder and counts the placeholder.
    fn insertion(&mut self, placeholder: Placeholder) -> Insertion {
        self.end_literal();
        self.placeholders += 1;
        let Placeholder { path, filters } = placeholder;
        self.body.asks_for_notice |= path.root.is_of_notice();
        let slot = match path.root == PathRoot::Data {
            true => self.body.data.add(&path.parts),
            false => 0,
        };
        Insertion {
            path,
            slot,
            filters,
            pointer: self.pointer.as_str().into(),
        }
    }

    fn end_literal(&mut self) {
        if !self.literal.is_empty() {
            self.body.literal_bytes += self.literal.len();
            let literal = std::mem::take(&mut self.literal).into_boxed_slice();
            self.body.pieces.push(Piece::Literal(literal));
        }
    }

    /// Runs `parse` with the pointer at a field or element below.
    fn inside(&mut self, name: &str, parse: impl FnOnce(&mut Self)) {
        let end = self.pointer.len();
        push_token(&mut self.pointer, name);
        parse(self);
        self.pointer.truncate(end);
    }
}
