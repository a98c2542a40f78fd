//! Leased deliveries, and the room of lanes for more.

use chrono::{DateTime, Utc};
use webhook_domain::{DeliveryId, Event, OrderingKey, WebhookId};

/// A delivery leased to a worker: the worker may attempt the delivery until the lease ends.
///
/// In Postgres a lease is a pending delivery whose `next_attempt_at` lies ahead: when a worker dies,
/// its deliveries become due by themselves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeasedDelivery {
    /// The delivery's id.
    pub id: DeliveryId,
    /// The event, whose body is shared with the other deliveries of the same event.
    pub event: Event,
    /// The webhook.
    pub webhook_id: WebhookId,
    /// The webhook's version when the delivery was leased.
    pub webhook_version: i64,
    /// How many requests the webhook takes at once; `None`: the worker's default.
    pub max_concurrency: Option<i32>,
    /// Whether the webhook has a rate limit, so that each delivery costs a token.
    pub rate_limited: bool,
    /// The number of recorded attempts.
    pub attempts: i32,
    /// The number of attempts not counted by the retry schedule: attempts before an admin's retry, and
    /// later attempts with a 429 response that cost none.
    pub schedule_from: i32,
    /// When the retry schedule began.
    pub schedule_since: DateTime<Utc>,
    /// The number of latest attempts in a row with a 429 response that cost none.
    pub throttled: i32,
    /// The ordering key; `None`: the delivery has no order.
    pub ordering_key: Option<OrderingKey>,
    /// The end of the lease, to the microsecond, the resolution of Postgres: a result or hand-back counts
    /// only with the exact time of the row.
    pub lease_until: DateTime<Utc>,
    /// Where the delivery was leased from.
    pub leased_from: LeasedFrom,
}

impl LeasedDelivery {
    /// Whether the event is a test, which waits for no rate limit, hold or open circuit.
    #[must_use]
    pub fn is_test(&self) -> bool {
        self.event.test_for.is_some()
    }
}

/// Where a worker leased a delivery from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LeasedFrom {
    /// The intake: the worker wrote the delivery and leased it in one statement.
    Intake,
    /// The backlog, where more deliveries of the same webhook may wait.
    Backlog,
    /// The backlog, to probe a circuit that is open.
    Probe,
}

/// How many more deliveries of a webhook its lane in a worker takes.
#[derive(Debug, Clone, Copy)]
pub struct LaneRoom {
    /// The webhook that the lane serves.
    pub webhook_id: WebhookId,
    /// How many more first attempts; 0 keeps them out of a claim.
    pub first_attempts: i32,
    /// How many more retries.
    pub retries: i32,
    /// How many deliveries the lane holds already.
    pub queued: i32,
}
