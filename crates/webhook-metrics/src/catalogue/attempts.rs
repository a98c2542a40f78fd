//! Deliveries and attempts.

use super::{BOTH, DISPATCHER};
use crate::metric::{Counter, Histogram, Label};

const END: Label = Label {
    name: "status",
    values: &["succeeded", "failed", "cancelled"],
};

const OUTCOME: Label = Label {
    name: "outcome",
    values: &[
        "accepted",
        "gone",
        "refused",
        "forbidden",
        "throttled",
        "overloaded",
        "failed",
    ],
};

/// The class of the response's status, or the failure of an attempt without a response.
const RESPONSE: Label = Label {
    name: "response",
    values: &[
        "2xx",
        "3xx",
        "4xx",
        "5xx",
        "dns",
        "connect",
        "tls",
        "timeout",
        "reset",
        "protocol",
        "blocked_address",
    ],
};

/// Whether the webhook's own settings or state may have held a first attempt back.
const FIRST_HELD_BY: Label = Label {
    name: "held_by",
    values: &["nothing", "webhook"],
};

const ACCEPTED: Label = Label {
    name: "accepted",
    values: &["true", "false"],
};

/// Up to the longest timeout of an attempt.
const ATTEMPT_SECONDS: &[f64] = &[0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 15.0, 60.0];

/// From a delivery at once to a delivery after a day of retries.
const EVENT_AGE_SECONDS: &[f64] = &[
    0.01, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 15.0, 60.0, 300.0, 3_600.0, 86_400.0,
];

/// Deliveries that have ended.
pub static DELIVERIES_ENDED: Counter = Counter::new(
    "webhook_deliveries_ended_total",
    BOTH,
    "Deliveries that ended; failed: given up after the last attempt, or at once; the API ends deliveries by cancelling only",
)
.by(&[END]);
/// Attempts.
pub static ATTEMPTS: Counter = Counter::new(
    "webhook_attempts_total",
    DISPATCHER,
    "Attempts, by outcome and by the class of the response's status or the failure without a response",
)
.by(&[OUTCOME, RESPONSE]);
/// Attempts of each webhook.
pub static ATTEMPTS_BY_WEBHOOK: Counter = Counter::new(
    "webhook_attempts_by_webhook_total",
    DISPATCHER,
    "Attempts of each webhook, only with METRICS_PER_WEBHOOK=true",
)
.by(&[
    Label {
        name: "webhook_id",
        values: &[],
    },
    OUTCOME,
]);
/// Durations of attempts.
pub static ATTEMPT_DURATION: Histogram = Histogram::new(
    "webhook_attempt_duration_seconds",
    ATTEMPT_SECONDS,
    DISPATCHER,
    "Time of an attempt, from the name look-up to the end of the response",
)
.by(&[ACCEPTED]);
/// Delay of first attempts.
pub static EVENT_TO_FIRST_ATTEMPT: Histogram = Histogram::new(
    "webhook_event_to_first_attempt_seconds",
    EVENT_AGE_SECONDS,
    DISPATCHER,
    "Time from the event's timestamp to the start of the first attempt, test events aside; held_by webhook: a rate limit, an order or an open circuit of the webhook may have held the delivery back",
)
.by(&[FIRST_HELD_BY]);
/// Delay of successes.
pub static EVENT_TO_SUCCESS: Histogram = Histogram::new(
    "webhook_event_to_success_seconds",
    EVENT_AGE_SECONDS,
    DISPATCHER,
    "Time from the event's timestamp to the receiver's acceptance; test events aside",
);
/// Attempts without a transcript.
pub static ATTEMPTS_RECORDED_PLAIN: Counter = Counter::new(
    "webhook_attempts_recorded_plain_total",
    DISPATCHER,
    "Attempts recorded without their transcript, which Postgres refused; the log has the reason",
);
/// Attempts without a record.
pub static ATTEMPTS_NOT_RECORDED: Counter = Counter::new(
    "webhook_attempts_not_recorded_total",
    DISPATCHER,
    "Attempts that Postgres refused in every form; the delivery is attempted again",
);
/// Requests to addresses that are not permitted.
pub static EGRESS_BLOCKED: Counter = Counter::new(
    "webhook_egress_blocked_total",
    DISPATCHER,
    "Connections refused before they were opened, as the address is not public and not allowed",
);
