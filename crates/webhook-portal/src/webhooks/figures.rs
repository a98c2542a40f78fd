//! The deliveries and attempts of a webhook in a time span, as numbers and as a chart.

use chrono::{DateTime, TimeDelta, Utc};
use webhook_domain::{FailureKind, WebhookId};

use crate::chart::bars::BarChart;
use crate::chart::span::Span;
use crate::duration_text::in_short;
use webhook_admin::Connections;
use webhook_admin::statistics::{Interval, ReadStatistics, Statistics, read_statistics};
use webhook_web::Problem;

/// The figures of a webhook.
pub(super) struct Figures {
    pub(super) statistics: Statistics,
    /// Deliveries that succeeded and failed.
    pub(super) deliveries: BarChart,
    /// Attempts that were accepted and failed. They have an axis of their own, as a delivery may take many.
    pub(super) attempts: BarChart,
}

/// Reads the figures of a webhook.
pub(super) async fn read(
    webhook_id: WebhookId,
    span: Span,
    connections: &Connections,
) -> Result<Figures, Problem> {
    let request = request(span, webhook_id, Utc::now());
    let statistics = read_statistics(&request, connections).await?;
    let spans = || statistics.data.iter();
    let deliveries = spans().map(|one| (one.start, one.counts.succeeded, one.counts.failed));
    let attempts = spans().map(|one| {
        let (all, failed) = (one.counts.attempts, one.counts.failed_attempts);
        (one.start, all - failed, failed)
    });
    Ok(Figures {
        deliveries: BarChart::of(deliveries),
        attempts: BarChart::of(attempts),
        statistics,
    })
}

/// The request for the statistics of a span up to now.
fn request(span: Span, webhook_id: WebhookId, now: DateTime<Utc>) -> ReadStatistics {
    let by_day = |days: i64| (Interval::Day, Some(now - TimeDelta::days(days - 1)));
    let (interval, since) = match span {
        Span::Day => (Interval::Hour, None),
        Span::Week => by_day(7),
        Span::Month => by_day(30),
    };
    ReadStatistics {
        webhook_id: Some(webhook_id),
        interval,
        since,
        until: None,
    }
}

impl Figures {
    /// Whether there was neither a delivery nor an attempt.
    pub(super) fn is_empty(&self) -> bool {
        let total = &self.statistics.total;
        total.attempts == 0 && total.deliveries == 0
    }

    /// The percentiles of the response times: the name, the share in words, and the time.
    pub(super) fn response_times(&self) -> [(&'static str, &'static str, String); 3] {
        let total = &self.statistics.total;
        let within = |millis: Option<u32>| match millis {
            Some(millis) => format!("within {}", measured(millis)),
            None => "–".to_owned(),
        };
        [
            ("p50", "Median", within(total.p50_ms)),
            ("p95", "95 %", within(total.p95_ms)),
            ("p99", "99 %", within(total.p99_ms)),
        ]
    }

    /// How many attempts failed for each reason, the commonest first.
    pub(super) fn failures(&self) -> Vec<(&'static str, i64)> {
        let counted = self.statistics.total.failures.iter();
        let mut named: Vec<_> = counted
            .map(|(kind, count)| (in_words(kind), count))
            .collect();
        named.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
        named
    }
}

/// Milliseconds, abbreviated: `4.2 s`.
pub(super) fn measured(millis: u32) -> String {
    in_short(TimeDelta::milliseconds(millis.into()))
}

fn in_words(kind: FailureKind) -> &'static str {
    match kind {
        FailureKind::Dns => "The host name was not found (DNS)",
        FailureKind::Connect => "No connection could be opened",
        FailureKind::Tls => "The TLS handshake failed",
        FailureKind::Timeout => "The receiver took too long",
        FailureKind::Reset => "The receiver ended the connection",
        FailureKind::Protocol => "The receiver did not answer in HTTP",
        FailureKind::BlockedAddress => "The address must not be called",
        FailureKind::Redirect => "Redirected (3xx)",
        FailureKind::Refused => "Refused by the receiver (4xx)",
        FailureKind::Broken => "The receiver broke (5xx)",
        FailureKind::Body => "The answer does not confirm the message",
        FailureKind::Other => "Another status than 2xx",
    }
}
