//! Webhooks: the destinations configured by admins, and all their settings.

pub(crate) mod settings;

// The parts of the settings.
pub(crate) mod custom_headers;
pub(crate) mod limits;
pub(crate) mod metadata;
pub(crate) mod name;
pub(crate) mod rate_limit;
pub(crate) mod retry_policy;
pub(crate) mod url;

// A URL as a password: its secrecy, and the search for a whole URL.
pub(crate) mod target_url;
pub(crate) mod url_fingerprint;
pub(crate) mod url_setting;

pub(crate) mod secret;

// The settings that a format brings along.
pub(crate) mod default_pace;
