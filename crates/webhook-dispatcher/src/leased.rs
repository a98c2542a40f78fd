//! A delivery in a worker's hand.

use chrono::{DateTime, Utc};
use webhook_domain::{DeliveryId, Event, OrderingKey, WebhookId};

/// A delivery that is ours until its lease ends.
pub(crate) struct Leased {
    pub(crate) id: DeliveryId,
    pub(crate) webhook_id: WebhookId,
    pub(crate) webhook_version: i64,
    pub(crate) max_concurrency: Option<i32>,
    pub(crate) attempts: i32,
    /// How many of its attempts its schedule does not count.
    pub(crate) schedule_from: i32,
    /// When its schedule began.
    pub(crate) schedule_since: DateTime<Utc>,
    /// Its latest attempts in a row that were answered 429 and cost none.
    pub(crate) throttled: i32,
    pub(crate) ordering_key: Option<OrderingKey>,
    pub(crate) event: Event,
    pub(crate) lease_until: DateTime<Utc>,
    pub(crate) origin: Origin,
}

impl Leased {
    /// Whether it is of a test event, which waits for nothing.
    pub(crate) fn is_test(&self) -> bool {
        self.event.test_for.is_some()
    }
}

/// How a delivery came into our hand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Origin {
    /// Its event was just taken in.
    Broker,
    /// It was claimed, and more may wait behind it.
    Backlog,
    /// It was claimed to probe an open circuit.
    Probe,
}
