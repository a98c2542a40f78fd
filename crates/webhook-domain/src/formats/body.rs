//! A message as the bytes of a request's body.

use serde::Serialize;

/// The JSON of a message that a format has made.
pub(crate) fn body(message: &impl Serialize) -> Vec<u8> {
    serde_json::to_vec(message).expect("texts, numbers and lists are always JSON")
}
