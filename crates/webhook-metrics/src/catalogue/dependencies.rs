//! The build, Postgres and RabbitMQ.

use super::BOTH;
use crate::metric::{Counter, Gauge, Histogram, Label};

const CONNECTION: Label = Label {
    name: "connection",
    values: &["publisher", "events", "rejected"],
};

const READY_PART: Label = Label {
    name: "part",
    values: &["postgres", "rabbitmq", "intake", "recorder"],
};

const POOL: Label = Label {
    name: "pool",
    values: &["work", "batches", "requests"],
};

const POOL_STATE: Label = Label {
    name: "state",
    values: &["busy", "idle"],
};

const WAIT_SECONDS: &[f64] = &[0.001, 0.01, 0.1, 1.0, 5.0];

/// Builds of both services.
pub static BUILD_INFO: Gauge = Gauge::new(
    "webhook_build_info",
    BOTH,
    "1, with the version of the program",
)
.by(&[Label {
    name: "version",
    values: &[],
}]);

/// Whether RabbitMQ is connected.
pub static BROKER_CONNECTED: Gauge = Gauge::new(
    "webhook_broker_connected",
    BOTH,
    "1 while the connection to RabbitMQ is open; the API has a publisher only",
)
.by(&[CONNECTION]);
/// Connections that were lost.
pub static BROKER_RECONNECTS: Counter = Counter::new(
    "webhook_broker_reconnects_total",
    BOTH,
    "Connections to RabbitMQ that were lost, or left because of Postgres, and are opened anew",
)
.by(&[CONNECTION]);
/// Whether RabbitMQ blocks publishers.
pub static BROKER_BLOCKED: Gauge = Gauge::new(
    "webhook_broker_blocked",
    BOTH,
    "1 while RabbitMQ blocks publishers, as its memory or disk is short",
);
/// Connections to Postgres.
pub static POSTGRES_CONNECTIONS: Gauge = Gauge::new(
    "webhook_postgres_connections",
    BOTH,
    "Connections to Postgres by pool: requests in the API, work and batches in a dispatcher",
)
.by(&[POOL, POOL_STATE]);
/// Waits for connections to Postgres.
pub static POSTGRES_WAIT: Histogram = Histogram::new(
    "webhook_postgres_wait_seconds",
    WAIT_SECONDS,
    BOTH,
    "Time until a statement got its connection to Postgres",
)
.by(&[POOL]);

/// The most connections to Postgres.
pub static POSTGRES_CONNECTIONS_MAX: Gauge = Gauge::new(
    "webhook_postgres_connections_max",
    BOTH,
    "The most connections of a pool to Postgres",
)
.by(&[POOL]);

/// The parts of the readiness.
pub static READY: Gauge = Gauge::new(
    "webhook_ready",
    BOTH,
    "1 while a part of /readyz is ok, looked at every 5 s; intake and recorder are parts of a dispatcher",
)
.by(&[READY_PART]);
