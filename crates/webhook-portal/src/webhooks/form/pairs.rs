//! The rows of headers and metadata: a name and a value each.

use crate::errors::Errors;

/// How many empty rows a form offers. Without scripts, saving the form offers more.
const EMPTY_ROWS: usize = 2;

/// The row of a header.
pub(crate) struct HeaderRow {
    pub(crate) name: String,
    /// The typed value; the value of a stored header is never shown.
    pub(crate) value: String,
    /// Whether the webhook has the header. A stored header without a typed value stays.
    pub(crate) stored: bool,
    /// Whether the header is to be removed.
    pub(crate) removed: bool,
}

/// The row of a pair of metadata.
pub(crate) struct MetadataRow {
    pub(crate) name: String,
    pub(crate) value: String,
}

impl HeaderRow {
    /// The row of a stored header.
    pub(super) fn stored(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            value: String::new(),
            stored: true,
            removed: false,
        }
    }

    /// The row of a new header.
    pub(super) fn new((name, value): (String, String)) -> Self {
        Self {
            name,
            value,
            stored: false,
            removed: false,
        }
    }

    /// Why the pair was refused.
    pub(crate) fn reason(&self, errors: &Errors) -> Option<String> {
        errors
            .reason(&format!("headers.{}", self.name))
            .filter(|_| !self.is_empty())
    }

    /// Whether neither the name nor the value is typed.
    pub(super) fn is_empty(&self) -> bool {
        self.name.is_empty() && self.value.is_empty()
    }
}

impl MetadataRow {
    /// Why the pair was refused.
    pub(crate) fn reason(&self, errors: &Errors) -> Option<String> {
        errors
            .reason(&format!("metadata.{}", self.name))
            .filter(|_| !self.is_empty())
    }

    /// Whether neither the name nor the value is typed.
    pub(super) fn is_empty(&self) -> bool {
        self.name.is_empty() && self.value.is_empty()
    }
}

/// The rows of stored headers, of new headers, and empty rows.
pub(super) fn header_rows(
    stored: impl IntoIterator<Item = HeaderRow>,
    new: impl IntoIterator<Item = HeaderRow>,
) -> Vec<HeaderRow> {
    let new = new.into_iter().filter(|row| !row.is_empty());
    let room = (0..EMPTY_ROWS).map(|_| HeaderRow::new((String::new(), String::new())));
    stored.into_iter().chain(new).chain(room).collect()
}

/// The rows of metadata, and empty rows.
pub(super) fn metadata_rows(rows: impl IntoIterator<Item = MetadataRow>) -> Vec<MetadataRow> {
    let said = rows.into_iter().filter(|row| !row.is_empty());
    let room = (0..EMPTY_ROWS).map(|_| MetadataRow {
        name: String::new(),
        value: String::new(),
    });
    said.chain(room).collect()
}
