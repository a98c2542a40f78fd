//! Reads the counts of hours, and sums up the hours of each span.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use webhook_domain::{Durations, FailureKind};
use webhook_store::activity::{self, Counts, Hour};

use super::body::{SpanBody, SpanCounts, Statistics};
use super::request::{ReadStatistics, Spans};
use crate::connections::Connections;
use crate::named_counts::NamedCounts;
use crate::refusal::Refusal;

/// Reads deliveries and attempts per hour or day. The cost grows with the number of hours, not with the
/// number of deliveries.
pub async fn read_statistics(
    request: &ReadStatistics,
    connections: &Connections,
) -> Result<Statistics, Refusal> {
    let spans = request.spans(Utc::now());
    let mut connection = connections.acquire().await?;
    let (since, until) = (spans.since, spans.until);
    let hours = activity::list_hours(&mut connection, request.webhook_id, since, until).await?;
    Ok(sum(spans, &hours))
}

/// The sums of a span.
#[derive(Default)]
struct Sums {
    counts: Counts,
    failures: [i64; FailureKind::ALL.len()],
    durations: Durations,
}

impl Sums {
    fn add(&mut self, hour: &Hour) {
        self.counts.attempts += hour.counts.attempts;
        self.counts.failed_attempts += hour.counts.failed_attempts;
        self.counts.succeeded += hour.counts.succeeded;
        self.counts.failed += hour.counts.failed;
        // An hour counted by an older version may have fewer kinds of failures: the missing ones are 0.
        for (sum, count) in self.failures.iter_mut().zip(&hour.failures) {
            *sum += i64::from(*count);
        }
        let durations = hour.durations.iter();
        self.durations
            .add(durations.map(|count| u64::from(count.unsigned_abs())));
    }
}

fn sum(spans: Spans, hours: &[Hour]) -> Statistics {
    let mut total = Sums::default();
    let mut by_start: BTreeMap<DateTime<Utc>, Sums> = BTreeMap::new();
    let mut start = spans.since;
    while start < spans.until {
        by_start.insert(start, Sums::default());
        start += spans.interval.length();
    }
    for hour in hours {
        total.add(hour);
        let span = spans.interval.start(hour.start);
        by_start.entry(span).or_default().add(hour);
    }
    let data = by_start.iter().map(|(start, sums)| SpanBody {
        start: *start,
        counts: sums.into(),
    });
    Statistics {
        interval: spans.interval,
        data: data.collect(),
        total: (&total).into(),
    }
}

impl From<&Sums> for SpanCounts {
    fn from(sums: &Sums) -> Self {
        let counts = sums.counts;
        let failures = FailureKind::ALL.iter().copied().zip(sums.failures);
        Self {
            deliveries: counts.succeeded + counts.failed,
            succeeded: counts.succeeded,
            failed: counts.failed,
            attempts: counts.attempts,
            failed_attempts: counts.failed_attempts,
            failures: NamedCounts::of(failures.filter(|(_, count)| *count > 0)),
            p50_ms: sums.durations.percentile(0.5),
            p95_ms: sums.durations.percentile(0.95),
            p99_ms: sums.durations.percentile(0.99),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().expect("a time")
    }

    #[test]
    fn hours_are_summed_by_day_and_days_without_any_are_there() {
        let request = ReadStatistics::parse("interval=day").expect("it is right");
        let hour = |start: &str| Hour {
            start: at(start),
            counts: Counts {
                attempts: 2,
                failed_attempts: 1,
                succeeded: 1,
                failed: 0,
            },
            failures: vec![0, 0, 0, 1],
            durations: vec![0, 0, 2],
        };

        let statistics = sum(
            request.spans(at("2026-11-24T10:30:00Z")),
            &[hour("2026-11-24T00:00:00Z"), hour("2026-11-24T09:00:00Z")],
        );

        assert_eq!(statistics.data.len(), 30);
        let today = &statistics.data[29];
        assert_eq!(today.start, at("2026-11-24T00:00:00Z"));
        assert_eq!((today.counts.attempts, today.counts.succeeded), (4, 2));
        let failures: Vec<_> = today.counts.failures.iter().collect();
        assert_eq!(failures, [(FailureKind::Timeout, 2)]);
        assert_eq!(today.counts.p50_ms, Some(3));
        assert_eq!(statistics.data[28].counts.p50_ms, None);
    }

    #[test]
    fn of_a_time_that_is_too_long_the_last_spans_are_told() {
        let now = at("2026-11-24T10:30:00Z");
        let spans = |query: &str| {
            let request = ReadStatistics::parse(query).expect("it is right");
            sum(request.spans(now), &[]).data
        };

        assert_eq!(spans("since=2026-11-24T08:10:00Z").len(), 3);
        assert_eq!(spans("since=2026-12-01T00:00:00Z").len(), 0);
        let longest = spans("since=2000-01-01T00:00:00Z");
        assert_eq!(
            (longest.len(), longest[743].start.to_rfc3339()),
            (744, "2026-11-24T10:00:00+00:00".to_owned())
        );
        assert!(ReadStatistics::parse("interval=week").is_err());
    }
}
