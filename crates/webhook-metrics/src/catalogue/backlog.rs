//! What waits, and the webhooks of all dispatchers together. One dispatcher counts, the others show NaN: use `max()`.

use super::DISPATCHER;
use crate::metric::{Gauge, Label};

/// What keeps due deliveries of a webhook from being sent.
const HELD_BY: Label = Label {
    name: "held_by",
    values: &[
        "nothing",
        "receiver",
        "rate_limit",
        "hold",
        "circuit",
        "inactive",
    ],
};

const WEBHOOK_STATE: Label = Label {
    name: "state",
    values: &[
        "active",
        "inactive",
        "disabled",
        "failing",
        "circuit_open",
        "held",
    ],
};

const AGING_TABLE: Label = Label {
    name: "table",
    values: &["deliveries", "events", "exchanges"],
};

/// Pending deliveries.
pub static DELIVERIES_PENDING: Gauge = Gauge::new(
    "webhook_deliveries_pending",
    DISPATCHER,
    "Pending deliveries of all dispatchers, due or not; a million at most are counted",
);
/// Due deliveries.
pub static DELIVERIES_DUE: Gauge = Gauge::new(
    "webhook_deliveries_due",
    DISPATCHER,
    "Due deliveries in no lane, by what holds them back; nothing: a dispatcher with room sends them; receiver: the receiver asks for less by 429 or 5xx; a million at most are counted for each webhook",
)
.by(&[HELD_BY]);
/// Age of the oldest due delivery.
pub static OLDEST_DUE: Gauge = Gauge::new(
    "webhook_oldest_due_seconds",
    DISPATCHER,
    "How long the oldest due delivery has waited that nothing holds back; 0: none waits",
);
/// Time until everything due is sent.
pub static DRAIN: Gauge = Gauge::new(
    "webhook_drain_seconds",
    DISPATCHER,
    "Due deliveries that nothing holds back, divided by the attempts per second of all dispatchers in the last minute; NaN until a minute's rate is known",
);
/// Webhooks by state.
pub static WEBHOOKS: Gauge = Gauge::new(
    "webhook_webhooks",
    DISPATCHER,
    "Webhooks by state; disabled: set Inactive by the platform; failing, circuit_open and held are Active ones",
)
.by(&[WEBHOOK_STATE]);
/// Dispatchers with a sign of life.
pub static DISPATCHERS: Gauge = Gauge::new(
    "webhook_dispatchers",
    DISPATCHER,
    "Dispatchers with a sign of life in the last 15 s",
);
/// Status events in the outbox.
pub static STATUS_EVENTS_WAITING: Gauge = Gauge::new(
    "webhook_status_events_waiting",
    DISPATCHER,
    "Status events that RabbitMQ has not confirmed yet; ten thousand at most are counted",
);
/// Rows older than the retention.
pub static RETENTION_BEHIND: Gauge = Gauge::new(
    "webhook_retention_behind_seconds",
    DISPATCHER,
    "How much older than the retention period the oldest removable row is",
)
.by(&[AGING_TABLE]);

/// Messages in the queue of events.
pub static EVENTS_QUEUED: Gauge = Gauge::new(
    "webhook_events_queued",
    DISPATCHER,
    "Messages in RabbitMQ's queue of events that no dispatcher holds",
);
