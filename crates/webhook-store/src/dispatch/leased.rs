//! A delivery that one worker may attempt for now, and how many more of them a worker takes.

use chrono::{DateTime, Utc};
use webhook_domain::{DeliveryId, Event, OrderingKey, WebhookId};

/// A delivery that this worker may attempt until its lease ends.
///
/// In Postgres a lease is a pending delivery whose `next_attempt_at` lies ahead: when a worker dies,
/// its deliveries become due by themselves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeasedDelivery {
    /// The delivery's id.
    pub id: DeliveryId,
    /// The event, whose body is shared with the other deliveries of the same event.
    pub event: Event,
    /// The webhook that is owed the event.
    pub webhook_id: WebhookId,
    /// The webhook's version when the delivery was leased.
    pub webhook_version: i64,
    /// How many requests the webhook takes at once; `None`: the worker's default.
    pub max_concurrency: Option<i32>,
    /// Whether the webhook has a rate limit, and so gets a delivery only for a token.
    pub rate_limited: bool,
    /// Attempts recorded so far.
    pub attempts: i32,
    /// How many of these attempts the retry schedule does not count: those before an admin's retry.
    pub schedule_from: i32,
    /// When the retry schedule began.
    pub schedule_since: DateTime<Utc>,
    /// The latest attempts in a row that were answered 429 and cost no attempt.
    pub throttled: i32,
    /// The key whose deliveries go one by one; `None`: this delivery waits for no other.
    pub ordering_key: Option<OrderingKey>,
    /// When the lease ends, to the microsecond as Postgres keeps it: results and hand-backs are
    /// accepted only with the very time that stands in the row.
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
