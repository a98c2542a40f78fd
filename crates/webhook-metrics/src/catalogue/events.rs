//! Events: published, taken in, set aside.

use super::{API, DISPATCHER};
use crate::metric::{Counter, Label};

const REJECTED_BECAUSE: Label = Label {
    name: "reason",
    values: &["not_an_event", "refused_by_postgres", "returned_too_often"],
};

const PUBLISHED: Label = Label {
    name: "result",
    values: &["confirmed", "blocked", "unavailable", "refused", "timeout"],
};

/// Events with their deliveries in Postgres.
pub static EVENTS_TAKEN_IN: Counter = Counter::new(
    "webhook_events_taken_in_total",
    DISPATCHER,
    "Events stored with their deliveries, for the first time",
);
/// Messages that are set aside.
pub static EVENTS_REJECTED: Counter = Counter::new(
    "webhook_events_rejected_total",
    DISPATCHER,
    "Messages set aside instead of being taken in",
)
.by(&[REJECTED_BECAUSE]);
/// Events of no webhook.
pub static EVENTS_UNMATCHED: Counter = Counter::new(
    "webhook_events_unmatched_total",
    DISPATCHER,
    "Events taken in that no Active webhook wanted",
);
/// Events with a known id.
pub static EVENTS_DUPLICATE: Counter = Counter::new(
    "webhook_events_duplicate_total",
    DISPATCHER,
    "Events passed over, as the id was known already",
);
/// Rejected messages that were stored.
pub static REJECTED_STORED: Counter = Counter::new(
    "webhook_rejected_messages_written_down_total",
    DISPATCHER,
    "Rejected messages moved from RabbitMQ's queue into Postgres",
);
/// Events published over HTTP.
pub static EVENTS_PUBLISHED: Counter = Counter::new(
    "webhook_events_published_total",
    API,
    "Events published over HTTP, by RabbitMQ's answer; 202 goes with confirmed only",
)
.by(&[PUBLISHED]);
