//! The overview as the API shows it.

use chrono::{DateTime, Utc};
use serde::Serialize;
use utoipa::ToSchema;
use webhook_domain::{Environment, EventType, WebhookHealth};
use webhook_store::activity::Counts;

use super::request::TimeSpan;
use crate::dispatchers::TroubleBody;
use crate::named_counts::NamedCounts;
use crate::schema;
use crate::webhooks::WebhookBody;

/// All webhooks of an environment at once. Test events count nowhere.
#[derive(Serialize, ToSchema)]
pub struct Overview {
    /// The environment.
    #[schema(value_type = schema::EnvironmentName)]
    pub environment: Environment,
    /// The span of `total`, `data` and `event_types`: `24h`, `7d` or `30d`, the current hour or day
    /// included.
    #[schema(value_type = String, pattern = "^(24h|7d|30d)$")]
    pub span: TimeSpan,
    /// The start of the span.
    pub since: DateTime<Utc>,
    /// The webhooks by health.
    #[schema(value_type = schema::WebhookHealthCounts)]
    pub webhooks: NamedCounts<WebhookHealth>,
    /// The sums of the span.
    pub total: DeliveryCounts,
    /// The counts by the hour (`24h`) or by the day, oldest first, also those without deliveries.
    pub data: Vec<OverviewSpan>,
    /// The counts of each event type with attempts, the commonest first.
    pub event_types: Vec<EventTypeCounts>,
    /// Up to ten webhooks whose attempts fail now, by the failure rate of the last 24 hours.
    pub failing: Vec<WebhookBody>,
    /// Up to five webhooks with the longest response times of the last 24 hours, the slowest first.
    pub slowest: Vec<WebhookBody>,
    /// Deliveries that are pending now.
    pub pending: PendingBody,
    /// Rejected messages of the last 24 hours, which belong to no environment.
    pub rejected_messages: RejectedBody,
    /// The trouble of dispatchers; `null`: dispatchers run and record results.
    pub dispatchers: Option<TroubleBody>,
}

/// Ended deliveries and attempts. An attempt counts where it starts, a delivery where its last attempt
/// starts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, ToSchema)]
pub struct DeliveryCounts {
    /// Accepted deliveries.
    pub succeeded: i64,
    /// Deliveries that failed, all retries used.
    pub failed: i64,
    /// Requests made.
    pub attempts: i64,
    /// Requests not accepted.
    pub failed_attempts: i64,
}

/// The counts of an hour or a day.
#[derive(Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct OverviewSpan {
    /// The start of the hour or day, in UTC.
    pub start: DateTime<Utc>,
    /// The counts.
    #[serde(flatten)]
    pub counts: DeliveryCounts,
}

/// The counts of an event type.
#[derive(Serialize, ToSchema)]
pub struct EventTypeCounts {
    /// The event type.
    #[schema(value_type = schema::EventTypeName)]
    pub event_type: EventType,
    /// The counts.
    #[serde(flatten)]
    pub counts: DeliveryCounts,
}

/// Pending deliveries of an environment.
#[derive(Serialize, ToSchema)]
#[schema(as = PendingDeliveries)]
pub struct PendingBody {
    /// The number of pending deliveries, 10,000 at most.
    pub count: i64,
    /// Since when the oldest due delivery of an Active webhook waits for its request; `null`: no delivery
    /// is overdue.
    pub oldest_due: Option<DateTime<Utc>>,
}

/// Rejected messages of the last 24 hours.
#[derive(Serialize, ToSchema)]
#[schema(as = RejectedMessageCount)]
pub struct RejectedBody {
    /// The number of rejected messages, 1,000 at most.
    pub count: i64,
}

impl PendingBody {
    /// The most deliveries that are counted.
    pub const MAX: i64 = 10_000;

    /// Whether there may be more than counted.
    pub fn is_cut(&self) -> bool {
        self.count == Self::MAX
    }
}

impl RejectedBody {
    /// The most messages that are counted.
    pub const MAX: i64 = 1_000;

    /// Whether there may be more than counted.
    pub fn is_cut(&self) -> bool {
        self.count == Self::MAX
    }
}

impl DeliveryCounts {
    /// Ended deliveries.
    pub fn deliveries(&self) -> i64 {
        self.succeeded + self.failed
    }

    /// The share of deliveries that succeeded, 0 to 1. `None`: no delivery ended.
    pub fn success_rate(&self) -> Option<f64> {
        #[allow(clippy::cast_precision_loss, reason = "a share needs no 53 bits")]
        let rate = self.succeeded as f64 / self.deliveries() as f64;
        (self.deliveries() > 0).then_some(rate)
    }

    pub(super) fn add(&mut self, counts: Counts) {
        self.succeeded += counts.succeeded;
        self.failed += counts.failed;
        self.attempts += counts.attempts;
        self.failed_attempts += counts.failed_attempts;
    }
}
