//! Entry points for the fuzzer: private parsers of strangers' bytes.

use std::borrow::Cow;

use webhook_domain::{BodyEnd, HeaderText};

use crate::decoding::{DecodedBody, MAX_DECODED_BYTES};
use crate::fields::Fields;
use crate::lists;

/// Reads a cursor in each form of the API's lists. No text may make the readers panic.
pub fn read_cursor(text: &str) {
    if let Ok((_, sorted_by)) = lists::read_place(text) {
        let _ = lists::read_place_time(&sorted_by);
    }
    let _ = lists::parse_cursor::<uuid::Uuid>(text);
}

/// Reads a body without taking any field, and returns the number of faults.
pub fn read_fields(body: &[u8]) -> usize {
    Fields::of_body(body).map_or(0, |fields| fields.finish().len())
}

/// Decodes a receiver's response body by its headers. Returns the length of the text in bytes, and the
/// bound of that length.
pub fn decode_body(
    body: &[u8],
    end: BodyEnd,
    headers: &[(Cow<'static, str>, HeaderText)],
) -> (usize, usize) {
    let decoded = DecodedBody::of(body, end, headers);
    (decoded.text.len(), MAX_DECODED_BYTES)
}
