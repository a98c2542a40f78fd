//! The memory of a dispatcher.

use super::DISPATCHER;
use crate::metric::{Counter, Gauge, Histogram, Label};

const LIMITED_BY: Label = Label {
    name: "by",
    values: &["concurrency", "slowed", "hold", "rest"],
};

const TABLE: Label = Label {
    name: "table",
    values: &[
        "deliveries",
        "events",
        "audit_entries",
        "exchanges",
        "rejected_messages",
        "jobs",
        "webhook_history",
        "total_hours",
        "environment_hours",
        "webhook_hours",
    ],
};

const CLAIM_SIZES: &[f64] = &[1.0, 5.0, 20.0, 100.0, 500.0, 1_000.0];

/// Lanes.
pub static LANES: Gauge = Gauge::new(
    "webhook_lanes",
    DISPATCHER,
    "Lanes of this dispatcher, one per webhook with deliveries in memory",
);
/// Lanes with running attempts.
pub static LANES_BUSY: Gauge = Gauge::new(
    "webhook_lanes_busy",
    DISPATCHER,
    "Lanes with running attempts",
);
/// Lanes that could send more.
pub static LANES_LIMITED: Gauge = Gauge::new(
    "webhook_lanes_limited",
    DISPATCHER,
    "Lanes with waiting deliveries, by what limits them: the webhook's concurrency, a pace slowed by 429 and 5xx, a hold, or a rest after an impossible attempt",
)
.by(&[LIMITED_BY]);
/// Deliveries in memory.
pub static LANE_DELIVERIES: Gauge = Gauge::new(
    "webhook_lane_deliveries",
    DISPATCHER,
    "Deliveries in the lanes, running ones included",
);
/// Bytes in memory.
pub static LANE_BYTES: Gauge = Gauge::new(
    "webhook_lane_bytes",
    DISPATCHER,
    "Bytes of the bodies of the deliveries in the lanes",
);
/// Running attempts.
pub static ATTEMPTS_IN_FLIGHT: Gauge = Gauge::new(
    "webhook_attempts_in_flight",
    DISPATCHER,
    "Attempts that run now",
);
/// Deliveries given back before their lease would end.
pub static LEASES_LOST: Counter = Counter::new(
    "webhook_leases_lost_total",
    DISPATCHER,
    "Deliveries given back without an attempt, as their lease would have ended before the attempt's timeout",
);
/// Sizes of claims.
pub static CLAIMED: Histogram = Histogram::new(
    "webhook_claimed_deliveries",
    CLAIM_SIZES,
    DISPATCHER,
    "Deliveries leased by one claim; empty claims aside",
);
/// Circuits that have opened.
pub static CIRCUITS_OPENED: Counter = Counter::new(
    "webhook_circuits_opened_total",
    DISPATCHER,
    "Circuits opened after ten failures in a row",
);
/// Circuits that have closed.
pub static CIRCUITS_CLOSED: Counter = Counter::new(
    "webhook_circuits_closed_total",
    DISPATCHER,
    "Circuits closed by an accepted attempt",
);
/// Rows that were removed.
pub static ROWS_REMOVED: Counter = Counter::new(
    "webhook_old_rows_removed_total",
    DISPATCHER,
    "Rows removed after the retention period",
)
.by(&[TABLE]);
