//! The settings of a webhook in requests. A table of fields makes the reader and the schema of each
//! document.
//!
//! Four documents hold settings, and differ in the meaning of a missing field and of a `null`:
//!
//! | document | a missing field | `null` for a header or a pair of metadata |
//! | --- | --- | --- |
//! | create | gets the default | is refused |
//! | replace | gets the default | is refused |
//! | patch (RFC 7396) | stays | removes the header or the pair |
//! | import | gets the default | a header keeps the stored value; a pair is refused |

mod body_format;
mod delivery_options;
mod draft;
mod fields;
mod headers;
mod metadata;
mod rate_limit;
mod url;

pub(super) use body_format::{TEMPLATE, take_template};
pub use delivery_options::Ordering;
pub(super) use draft::{Document, ReadContext, SettingsDraft};
pub(super) use fields::{schema_of, take_settings};
pub(super) use rate_limit::RateLimitBody;
