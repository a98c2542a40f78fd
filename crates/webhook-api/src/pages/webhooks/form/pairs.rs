//! Rows of a name and a value.

use crate::pages::errors::Errors;

/// How many rows stand empty for more: without scripts, more are had by saving these.
const EMPTY_ROWS: usize = 2;

/// A header.
pub(crate) struct HeaderRow {
    pub(crate) name: String,
    /// What was typed: the value of a stored header is never shown.
    pub(crate) value: String,
    /// Whether the webhook has it: without a value it stays as it is.
    pub(crate) stored: bool,
    /// Whether it is to go.
    pub(crate) removed: bool,
}

/// Something to be remembered with a webhook.
pub(crate) struct MetadataRow {
    pub(crate) name: String,
    pub(crate) value: String,
}

impl HeaderRow {
    /// One that the webhook has.
    pub(super) fn stored(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            value: String::new(),
            stored: true,
            removed: false,
        }
    }

    /// One that it is to get.
    pub(super) fn new((name, value): (String, String)) -> Self {
        Self {
            name,
            value,
            stored: false,
            removed: false,
        }
    }

    /// Why it was refused.
    pub(crate) fn reason(&self, errors: &Errors) -> Option<String> {
        errors
            .reason(&format!("headers.{}", self.name))
            .filter(|_| !self.is_empty())
    }

    /// Whether it says nothing.
    pub(super) fn is_empty(&self) -> bool {
        self.name.is_empty() && self.value.is_empty()
    }
}

impl MetadataRow {
    /// Why it was refused.
    pub(crate) fn reason(&self, errors: &Errors) -> Option<String> {
        errors
            .reason(&format!("metadata.{}", self.name))
            .filter(|_| !self.is_empty())
    }

    /// Whether it says nothing.
    pub(super) fn is_empty(&self) -> bool {
        self.name.is_empty() && self.value.is_empty()
    }
}

/// Headers that are there, those to come, and room for more.
pub(super) fn header_rows(
    stored: impl IntoIterator<Item = HeaderRow>,
    new: impl IntoIterator<Item = HeaderRow>,
) -> Vec<HeaderRow> {
    let new = new.into_iter().filter(|row| !row.is_empty());
    let room = (0..EMPTY_ROWS).map(|_| HeaderRow::new((String::new(), String::new())));
    stored.into_iter().chain(new).chain(room).collect()
}

/// What is to be remembered, and room for more.
pub(super) fn metadata_rows(rows: impl IntoIterator<Item = MetadataRow>) -> Vec<MetadataRow> {
    let said = rows.into_iter().filter(|row| !row.is_empty());
    let room = (0..EMPTY_ROWS).map(|_| MetadataRow {
        name: String::new(),
        value: String::new(),
    });
    said.chain(room).collect()
}
