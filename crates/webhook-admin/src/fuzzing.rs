//! What the API reads that strangers write and no public function takes, for those who try every byte.

use std::borrow::Cow;

use webhook_domain::{BodyEnd, HeaderText};

use crate::decoding::{DecodedBody, MAX_DECODED_BYTES};
use crate::fields::Fields;
use crate::lists;

/// Reads a cursor in each of the forms that lists have. Any text is some place or none.
pub fn read_cursor(text: &str) {
    if let Ok((_, sorted_by)) = lists::read_place(text) {
        let _ = lists::read_place_time(&sorted_by);
    }
    let _ = lists::parse_cursor::<uuid::Uuid>(text);
}

/// Reads a body, and tells how many of its fields are wrong when nobody takes any.
pub fn read_fields(body: &[u8]) -> usize {
    Fields::of_body(body).map_or(0, |fields| fields.finish().len())
}

/// Decodes a response's body that came with these headers, and tells how long its text is, and how
/// long the text may be, in bytes.
pub fn decode_body(
    body: &[u8],
    end: BodyEnd,
    headers: &[(Cow<'static, str>, HeaderText)],
) -> (usize, usize) {
    let decoded = DecodedBody::of(body, end, headers);
    (decoded.text.len(), MAX_DECODED_BYTES)
}
