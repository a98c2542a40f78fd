//! The faults of a template, each with its place and the mending.

use std::fmt::{Display, Formatter};

use crate::outside::{OutsideText, field_errors::MAX_FIELD_ERRORS};

/// A fault of a template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TemplateError {
    /// The JSON pointer (RFC 6901) of the value at fault, such as `/blocks/0/text`; empty for the whole
    /// document. For a text that is not JSON: `line 3, column 7`.
    pub pointer: String,
    /// The fault and what would be right: lower case, without a full stop.
    pub message: String,
}

impl TemplateError {
    /// Both texts are cut, because a template may have names of 32 KiB.
    fn new(pointer: &str, message: impl AsRef<str>) -> Self {
        Self {
            pointer: OutsideText::<200>::new(pointer).into_string(),
            message: OutsideText::<1_000>::new(message.as_ref()).into_string(),
        }
    }
}

impl Display for TemplateError {
    fn fmt(&self, f: &mut Formatter<'_>) -> std::fmt::Result {
        if self.pointer.is_empty() {
            f.write_str(&self.message)
        } else {
            write!(f, "{}: {}", self.pointer, self.message)
        }
    }
}

/// All faults of a template: up to 20 listed, the others counted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TemplateErrors {
    listed: Vec<TemplateError>,
    more: usize,
}

impl TemplateErrors {
    /// Adds a fault to the list, or to the count once 20 faults are listed.
    pub(super) fn add(&mut self, pointer: &str, message: impl AsRef<str>) {
        if self.listed.len() == MAX_FIELD_ERRORS {
            self.more += 1;
            return;
        }
        self.listed.push(TemplateError::new(pointer, message));
    }

    /// A list with a single fault.
    pub(super) fn one(pointer: &str, message: impl AsRef<str>) -> Self {
        let mut errors = Self::default();
        errors.add(pointer, message);
        errors
    }

    /// The fault of a text that serde_json refused as JSON.
    pub(super) fn not_json(text: &str, error: &serde_json::Error) -> Self {
        let (line, column) = (error.line(), error.column());
        let place = format!("line {line}, column {column}");
        if let Some(mending) = mending(text, line, column) {
            return Self::one(&place, mending);
        }
        // The reader of whole values knows more faults by name, such as a trailing comma.
        let named = serde_json::from_str::<serde_json::Value>(text).err();
        let named = named.filter(|named| (named.line(), named.column()) == (line, column));
        let told = named.as_ref().unwrap_or(error).to_string();
        let reason = told.split(" at line ").next().unwrap_or(&told);
        Self::one(&place, format!("not JSON: {reason}"))
    }

    /// Whether no fault was found.
    pub fn is_empty(&self) -> bool {
        self.listed.is_empty()
    }

    /// The faults in the order of the template. A last entry without pointer counts the faults that are
    /// not listed.
    pub fn into_vec(self) -> Vec<TemplateError> {
        let mut all = self.listed;
        if self.more > 0 {
            all.push(TemplateError::new("", format!("… and {} more", self.more)));
        }
        all
    }
}

impl Display for TemplateErrors {
    fn fmt(&self, f: &mut Formatter<'_>) -> std::fmt::Result {
        for (index, error) in self.listed.iter().enumerate() {
            let separator = if index == 0 { "" } else { "; " };
            write!(f, "{separator}{error}")?;
        }
        match self.more {
            0 => Ok(()),
            more => write!(f, "; … and {more} more"),
        }
    }
}

impl std::error::Error for TemplateErrors {}

/// The mending of JSON that breaks inside a placeholder, at a place of serde_json, which counts lines and bytes
/// from 1. `None`: the place is not in a placeholder.
fn mending(text: &str, line: usize, column: usize) -> Option<&'static str> {
    let line = text.split('\n').nth(line.checked_sub(1)?)?;
    let (_, inside) = line.get(..column)?.rsplit_once("{{")?;
    if inside.contains("}}") {
        return None;
    }
    Some(match inside.is_empty() {
        true => {
            "a placeholder must stand inside a string: write \"{{data.seats}}\" with quotes, and the value \
             keeps its type"
        }
        false => {
            "a quote ends the string inside a placeholder; write {{data.reason|default:'none'}} with single quotes"
        }
    })
}
