//! The webhook's own headers in a document.

use webhook_domain::{CustomHeaders, HeaderName, HeaderSecret, HeaderValue};

use super::draft::Document;
use crate::fields::Fields;

/// Takes `headers` out of a document: a patch changes `headers`, other documents replace all headers.
pub(super) fn read_headers(
    fields: &mut Fields<'_>,
    headers: &mut CustomHeaders,
    document: Document,
) {
    if !fields.has("headers") {
        return;
    }
    if document != Document::Patch {
        *headers = CustomHeaders::default();
    }
    // `X-A` and `x-a` are two keys of a JSON object, and the same header.
    let mut seen = CustomHeaders::default();
    let read = fields.optional_object("headers", |pairs| {
        // Removed headers come first, so that a patch may replace headers at the limit of 20.
        for (key, value) in pairs.take_pairs() {
            let pair = Pair {
                name: &key,
                value: value.as_deref(),
            };
            if let Err(error) = read_header(headers, &mut seen, &pair, document) {
                pairs.refuse(&key, error);
            }
        }
        Some(())
    });
    if read.is_none() {
        *headers = CustomHeaders::default();
    }
}

/// A header of a document. `None`: the value is `null`.
struct Pair<'a> {
    name: &'a str,
    value: Option<&'a str>,
}

fn read_header(
    headers: &mut CustomHeaders,
    seen: &mut CustomHeaders,
    pair: &Pair<'_>,
    document: Document,
) -> Result<(), String> {
    let name = HeaderName::parse(pair.name).map_err(|error| error.to_string())?;
    if seen.contains(&name) {
        return Err("appears more than once".to_owned());
    }
    let noted = seen.set(name.clone(), HeaderSecret::Stored);
    noted.map_err(|error| error.to_string())?;
    let value = match (pair.value, document) {
        (Some(text), _) => HeaderValue::parse(text).map(HeaderSecret::Given),
        (None, Document::Import) => Ok(HeaderSecret::Stored),
        (None, Document::Patch) => {
            headers.remove(&name);
            return Ok(());
        }
        (None, Document::Create | Document::Replace) => return Err("must be a string".to_owned()),
    };
    value
        .and_then(|value| headers.set(name, value))
        .map_err(|error| error.to_string())
}
