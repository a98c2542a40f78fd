//! The settings of a webhook in requests: one table of fields, from which the reader and the schema of
//! each document are made.
//!
//! Four documents hold settings, and differ in what a missing field and a `null` mean:
//!
//! | document | a field that is left out | `null` for a header or a pair of metadata |
//! | --- | --- | --- |
//! | create | has its default | is refused |
//! | replace | has its default | is refused |
//! | patch (RFC 7396) | stays | removes the header or the pair |
//! | import | has its default | a header keeps its stored value; a pair is refused |

mod draft;
mod fields;
mod headers;
mod metadata;
mod serving;

pub(super) use draft::{Document, Draft, Reading};
pub(super) use fields::{schema_of, take_settings};
pub use serving::Ordering;
