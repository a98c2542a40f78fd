//! One file per table: its rows, and the statements that read and write them.

// Who gets events, and how.
pub mod retry_policies;
pub mod secrets;
pub mod templates;
pub mod webhooks;

// Events, and what became of them.
pub(crate) mod attempts;
pub mod circuits;
pub mod deliveries;
pub mod events;
pub mod explanation;
pub(crate) mod jobs;
pub mod rejected_messages;
pub mod status_events;
pub mod transcripts;
pub mod url_checks;

// Statistics.
pub mod activity;
pub mod days;
pub mod environment_hours;

// Who uses the API, and how the platform is set up.
pub mod api_keys;
pub mod audit;
pub mod dispatchers;
pub mod idempotency;
pub mod sessions;
pub mod settings;
