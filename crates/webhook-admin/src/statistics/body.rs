//! Statistics as the API shows them.

use chrono::{DateTime, Utc};
use serde::Serialize;
use utoipa::ToSchema;
use webhook_domain::FailureKind;

use super::request::Interval;
use crate::named_counts::NamedCounts;

/// Deliveries and attempts, counted span by span.
#[derive(Serialize, ToSchema)]
pub struct Statistics {
    /// The length of a span: `hour` or `day`, in UTC.
    #[schema(value_type = String, pattern = "^(hour|day)$")]
    pub interval: Interval,
    /// The spans, oldest first, also those without deliveries.
    pub data: Vec<SpanBody>,
    /// The sums of all spans.
    pub total: SpanCounts,
}

/// The counts of a span of time.
#[derive(Serialize, ToSchema)]
#[schema(as = StatisticsSpan)]
pub struct SpanBody {
    /// The start of the span.
    pub start: DateTime<Utc>,
    /// The counts.
    #[serde(flatten)]
    pub counts: SpanCounts,
}

/// The counts of a span. An attempt counts where it starts, a delivery where it ends.
#[derive(Serialize, ToSchema)]
#[schema(as = StatisticsCounts)]
pub struct SpanCounts {
    /// Ended deliveries: `succeeded` and `failed` together.
    pub deliveries: i64,
    /// Deliveries accepted by the webhook.
    pub succeeded: i64,
    /// Deliveries that failed, all retries used.
    pub failed: i64,
    /// Requests made.
    pub attempts: i64,
    /// Requests not accepted by the webhook.
    pub failed_attempts: i64,
    /// Failed attempts by reason: `dns`, `connect`, `tls`, `timeout`, `reset`, `blocked_address`,
    /// `3xx`, `4xx`, `5xx`, `other`; reasons without failed attempts are left out.
    #[schema(value_type = BTreeMap<String, i64>)]
    pub failures: NamedCounts<FailureKind>,
    /// The median duration of attempts, accurate to about a fifth. `null`: there were no attempts.
    pub p50_ms: Option<u32>,
    /// The 95th percentile of the durations.
    pub p95_ms: Option<u32>,
    /// The 99th percentile of the durations.
    pub p99_ms: Option<u32>,
}
