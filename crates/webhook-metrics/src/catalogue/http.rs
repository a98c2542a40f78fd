//! Requests to the API and the portal.

use super::API;
use crate::metric::{Counter, Histogram, Label};

/// The way of a request through the API process: a part of the REST API, of the portal, or neither. Routes share
/// a value, as a histogram per route would exceed 300 series.
const ROUTE: Label = Label {
    name: "route",
    values: &[
        "api/webhooks",
        "api/deliveries",
        "api/events",
        "api/publish",
        "api/jobs",
        "api/rejected-messages",
        "api/platform",
        "api/docs",
        "portal/overview",
        "portal/webhooks",
        "portal/deliveries",
        "portal/events",
        "portal/platform",
        "portal/assets",
        "health",
        "unknown",
    ],
};

const STATUS_CLASS: Label = Label {
    name: "status_class",
    values: &["2xx", "3xx", "4xx", "5xx"],
};

const SIGN_IN: Label = Label {
    name: "by",
    values: &["api_key", "session", "form"],
};

const REQUEST_SECONDS: &[f64] = &[0.005, 0.01, 0.025, 0.05, 0.1, 0.5, 2.0, 10.0];

/// Requests.
pub static HTTP_REQUESTS: Counter = Counter::new(
    "webhook_http_requests_total",
    API,
    "Requests by part of the API or portal, and class of the response's status",
)
.by(&[ROUTE, STATUS_CLASS]);
/// Durations of requests.
pub static HTTP_DURATION: Histogram = Histogram::new(
    "webhook_http_request_duration_seconds",
    REQUEST_SECONDS,
    API,
    "Time from the head of a request to the head of its response",
)
.by(&[ROUTE]);
/// Requests beyond the limit of an API key.
pub static REQUESTS_LIMITED: Counter = Counter::new(
    "webhook_http_requests_limited_total",
    API,
    "Requests refused with 429, as the API key had used its requests per second",
);
/// Refused credentials.
pub static SIGN_IN_FAILURES: Counter = Counter::new(
    "webhook_sign_in_failures_total",
    API,
    "Credentials that were refused: an API key, a session's cookie, or a key in the sign-in form",
)
.by(&[SIGN_IN]);
