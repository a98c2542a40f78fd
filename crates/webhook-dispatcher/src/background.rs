//! The loops beside the way of an event.

// For webhooks and deliveries.
pub(crate) mod jobs;
pub(crate) mod sweeps;

// For the API and the platform's other services.
pub(crate) mod day_sums;
pub(crate) mod heartbeat;
pub(crate) mod outbox;
pub(crate) mod rejected;
pub(crate) mod url_checks;

// For operators.
pub(crate) mod broker_check;
pub(crate) mod gauges;
pub(crate) mod retention;
