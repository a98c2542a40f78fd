//! Webhooks: the destinations configured by admins, and all their settings.

pub(crate) mod settings;

// The parts of the settings.
pub(crate) mod custom_headers;
pub(crate) mod limits;
pub(crate) mod metadata;
pub(crate) mod name;
pub(crate) mod retry_policy;
pub(crate) mod url;

pub(crate) mod secret;
