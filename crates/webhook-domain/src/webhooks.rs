//! Webhooks: the destinations that admins configure, and everything an admin sets for one.

pub(crate) mod settings;

// The values that the settings consist of.
pub(crate) mod custom_headers;
pub(crate) mod limits;
pub(crate) mod metadata;
pub(crate) mod name;
pub(crate) mod retry_policy;
pub(crate) mod url;

pub(crate) mod secret;
