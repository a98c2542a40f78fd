//! The deliveries and attempts of a webhook in a time span, as numbers and as a chart.

use chrono::{DateTime, TimeDelta, Utc};
use webhook_domain::{FailureKind, WebhookId};

use crate::chart::bars::BarChart;
use crate::span::in_short;
use webhook_admin::Connections;
use webhook_admin::statistics::{Interval, ReadStatistics, Statistics, read_statistics};
use webhook_web::Problem;

/// The time span of the figures.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Span {
    Day,
    Week,
    Month,
}

impl Span {
    /// Every time span, the shortest first.
    pub(super) const ALL: [Self; 3] = [Self::Day, Self::Week, Self::Month];

    /// The time span with a name; a day for any other name.
    pub(super) fn of(name: &str) -> Self {
        let named = Self::ALL.into_iter().find(|span| span.name() == name);
        named.unwrap_or(Self::Day)
    }

    /// The name in addresses.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Day => "24h",
            Self::Week => "7d",
            Self::Month => "30d",
        }
    }

    /// The name on the page.
    pub(super) fn label(self) -> &'static str {
        match self {
            Self::Day => "24 hours",
            Self::Week => "7 days",
            Self::Month => "30 days",
        }
    }

    /// Whether a bar stands for an hour. Otherwise a bar stands for a day.
    pub(super) fn is_by_hour(self) -> bool {
        self == Self::Day
    }

    /// How many bars share a label below the chart; more labels would overlap.
    pub(super) fn bars_per_label(self) -> usize {
        match self {
            Self::Day => 4,
            Self::Week => 1,
            Self::Month => 5,
        }
    }

    /// The request for the statistics of this span up to now.
    fn request(self, webhook_id: WebhookId, now: DateTime<Utc>) -> ReadStatistics {
        let by_day = |days: i64| (Interval::Day, Some(now - TimeDelta::days(days - 1)));
        let (interval, since) = match self {
            Self::Day => (Interval::Hour, None),
            Self::Week => by_day(7),
            Self::Month => by_day(30),
        };
        ReadStatistics {
            webhook_id: Some(webhook_id),
            interval,
            since,
            until: None,
        }
    }
}

/// The figures of a webhook.
pub(super) struct Figures {
    pub(super) statistics: Statistics,
    pub(super) chart: BarChart,
}

/// Reads the figures of a webhook.
pub(super) async fn read(
    webhook_id: WebhookId,
    span: Span,
    connections: &Connections,
) -> Result<Figures, Problem> {
    let request = span.request(webhook_id, Utc::now());
    let statistics = read_statistics(&request, connections).await?;
    Ok(Figures {
        chart: BarChart::of(&statistics.data),
        statistics,
    })
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
        FailureKind::Other => "Another status than 2xx",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_that_names_no_span_shows_a_day() {
        assert_eq!(Span::of("30d"), Span::Month);
        assert_eq!(Span::of(""), Span::Day);
        assert_eq!(Span::of("1y"), Span::Day);
    }
}
