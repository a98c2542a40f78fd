//! The handlers of the REST API: each parses, makes one call to `webhook-admin`, and responds.

pub(crate) mod api_keys;
pub(crate) mod audit;
pub(crate) mod csv;
pub(crate) mod deliveries;
pub(crate) mod event_types;
pub(crate) mod events;
pub(crate) mod health;
pub(crate) mod jobs;
pub(crate) mod overview;
pub(crate) mod rejected_messages;
pub(crate) mod retry_policies;
pub(crate) mod session;
pub(crate) mod settings;
pub(crate) mod signatures;
pub(crate) mod statistics;
pub(crate) mod webhooks;
