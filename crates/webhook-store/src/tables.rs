//! One file per table: its rows, and what reads and writes them one by one.

// Who gets events, and how.
pub mod retry_policies;
pub mod secrets;
pub mod webhooks;

// Events, and what became of them.
pub mod activity;
pub mod deliveries;
pub mod events;
pub mod explanation;
pub mod health;
pub mod rejected_messages;
pub mod status_events;
pub mod url_checks;

// Who uses the API, and how the platform is set up.
pub mod api_keys;
pub mod audit;
pub mod idempotency;
pub mod sessions;
pub mod settings;
