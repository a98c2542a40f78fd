//! The metadata of a webhook in a document.

use webhook_domain::Metadata;

use super::draft::Document;
use crate::fields::Fields;

/// Takes `metadata` out of a document: a patch changes `metadata`, other documents replace all pairs.
pub(super) fn read_metadata(fields: &mut Fields<'_>, metadata: &mut Metadata, document: Document) {
    if !fields.has("metadata") {
        return;
    }
    if document != Document::Patch {
        *metadata = Metadata::default();
    }
    let read = fields.optional_object("metadata", |pairs| {
        // Removed pairs come first, so that a patch may replace pairs at the limit of 50.
        for (key, value) in pairs.take_pairs() {
            match value {
                Some(value) => {
                    if let Err(error) = metadata.set(&key, &value) {
                        pairs.refuse(&key, error);
                    }
                }
                None if document == Document::Patch => metadata.remove(&key),
                None => pairs.refuse(&key, "must be a string"),
            }
        }
        Some(())
    });
    if read.is_none() {
        *metadata = Metadata::default();
    }
}
