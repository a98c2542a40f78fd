//! Statistics: what was delivered, per hour or day.

use std::collections::BTreeMap;

use actix_web::HttpRequest;
use actix_web::web::{Data, Json};
use chrono::{DateTime, DurationRound, TimeDelta, Utc};
use serde::Serialize;
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;
use webhook_domain::{Durations, FailureKind, WebhookId};
use webhook_store::activity::{self, Counts, Hour};

use crate::refusals::Refusals;
use webhook_admin::Connections;
use webhook_admin::Refusal;
use webhook_admin::fields::Fields;
use webhook_admin::values::parse_time;
use webhook_web::Problem;

/// The most spans that one answer has: 31 days of hours.
const MAX_SPANS: i32 = 31 * 24;

/// Of what, and of which time.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[allow(dead_code, reason = "it documents what `parse` reads field by field")]
pub(crate) struct ReadStatistics {
    /// Of this webhook; of all together when left out.
    webhook_id: Option<Uuid>,
    /// `hour` when left out.
    #[param(pattern = "^(hour|day)$")]
    interval: Option<String>,
    /// From the span that this time is in; 24 hours or 30 days ago when left out. Of more than 744
    /// spans the last ones are told.
    since: Option<DateTime<Utc>>,
    /// Up to this time; up to now when left out.
    until: Option<DateTime<Utc>>,
}

/// What was counted, span by span.
#[derive(Serialize, ToSchema)]
pub(crate) struct Statistics {
    /// `hour` or `day`, in UTC.
    #[schema(pattern = "^(hour|day)$")]
    interval: &'static str,
    /// One per span, in order, those without anything too.
    pub(crate) data: Vec<SpanBody>,
    /// All of them together.
    pub(crate) total: SpanCounts,
}

/// What was counted in a span of time.
#[derive(Serialize, ToSchema)]
#[schema(as = StatisticsSpan)]
pub(crate) struct SpanBody {
    /// When it began.
    pub(crate) start: DateTime<Utc>,
    #[serde(flatten)]
    pub(crate) counts: SpanCounts,
}

/// What was counted. Attempts count when they began, deliveries when they ended.
#[derive(Serialize, ToSchema)]
#[schema(as = StatisticsCounts)]
pub(crate) struct SpanCounts {
    /// Deliveries that ended: `succeeded` and `failed` together.
    pub(crate) deliveries: i64,
    pub(crate) succeeded: i64,
    /// Deliveries that were given up.
    pub(crate) failed: i64,
    /// Requests that were made.
    pub(crate) attempts: i64,
    pub(crate) failed_attempts: i64,
    /// Failed attempts by why: `dns`, `connect`, `tls`, `timeout`, `reset`, `blocked_address`,
    /// `3xx`, `4xx`, `5xx`, `other`; those without any are left out.
    pub(crate) failures: BTreeMap<&'static str, i64>,
    /// How long attempts took: half of them at most so long. Estimated to about a fifth. `null`:
    /// there were none.
    pub(crate) p50_ms: Option<u32>,
    pub(crate) p95_ms: Option<u32>,
    pub(crate) p99_ms: Option<u32>,
}

/// Tells what was delivered, per hour or day. It reads a row per hour, however many deliveries there
/// were.
#[utoipa::path(
    get, path = "/api/v1/statistics", tag = "statistics", params(ReadStatistics),
    responses((status = 200, body = Statistics), Refusals)
)]
pub(crate) async fn read_statistics(
    request: HttpRequest,
    connections: Data<Connections>,
) -> Result<Json<Statistics>, Problem> {
    read_counts(request.query_string(), &connections)
        .await
        .map(Json)
        .map_err(Problem::from)
}

/// Reads what a query asks for.
pub(crate) async fn read_counts(
    query: &str,
    connections: &Connections,
) -> Result<Statistics, Refusal> {
    let asked = parse(query, Utc::now())?;
    let mut connection = connections.acquire().await?;
    let of = (asked.webhook_id, asked.since, asked.until);
    let hours = activity::list_hours(&mut connection, of.0, of.1, of.2).await?;
    Ok(summed(&asked, &hours))
}

#[derive(Clone, Copy)]
struct Asked {
    webhook_id: Option<WebhookId>,
    interval: Interval,
    /// The start of a span.
    since: DateTime<Utc>,
    until: DateTime<Utc>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Interval {
    Hour,
    Day,
}

impl Interval {
    fn length(self) -> TimeDelta {
        match self {
            Self::Hour => TimeDelta::hours(1),
            Self::Day => TimeDelta::days(1),
        }
    }

    fn start(self, time: DateTime<Utc>) -> DateTime<Utc> {
        time.duration_trunc(self.length()).unwrap_or(time)
    }
}

fn parse(query: &str, now: DateTime<Utc>) -> Result<Asked, Refusal> {
    let mut fields = Fields::of_query(query);
    let webhook_id = fields.optional("webhook_id", str::parse);
    let interval = fields.optional("interval", |text| match text {
        "hour" => Ok(Interval::Hour),
        "day" => Ok(Interval::Day),
        _ => Err("must be hour or day"),
    });
    let interval = interval.unwrap_or(Interval::Hour);
    let back = match interval {
        Interval::Hour => TimeDelta::hours(23),
        Interval::Day => TimeDelta::days(29),
    };
    let until = fields.optional("until", parse_time).unwrap_or(now);
    let since = fields.optional("since", parse_time);
    let since = interval.start(since.unwrap_or(until - back));
    fields.end()?;
    Ok(Asked {
        webhook_id,
        interval,
        since: since.max(interval.start(until) - interval.length() * (MAX_SPANS - 1)),
        until,
    })
}

impl Interval {
    fn name(self) -> &'static str {
        match self {
            Self::Hour => "hour",
            Self::Day => "day",
        }
    }
}

/// What is added up.
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
        for (sum, count) in self.failures.iter_mut().zip(&hour.failures) {
            *sum += i64::from(*count);
        }
        let durations = hour.durations.iter();
        self.durations
            .add(durations.map(|count| u64::from(count.unsigned_abs())));
    }
}

fn summed(asked: &Asked, hours: &[Hour]) -> Statistics {
    let mut total = Sums::default();
    let mut spans: BTreeMap<DateTime<Utc>, Sums> = BTreeMap::new();
    let mut start = asked.since;
    while start < asked.until {
        spans.insert(start, Sums::default());
        start += asked.interval.length();
    }
    for hour in hours {
        total.add(hour);
        let span = asked.interval.start(hour.start);
        spans.entry(span).or_default().add(hour);
    }
    let data = spans.iter().map(|(start, sums)| SpanBody {
        start: *start,
        counts: sums.into(),
    });
    Statistics {
        interval: asked.interval.name(),
        data: data.collect(),
        total: (&total).into(),
    }
}

impl From<&Sums> for SpanCounts {
    fn from(sums: &Sums) -> Self {
        let counts = sums.counts;
        let failures = FailureKind::ALL.iter().zip(sums.failures);
        let failures = failures.filter(|(_, count)| *count > 0);
        Self {
            deliveries: counts.succeeded + counts.failed,
            succeeded: counts.succeeded,
            failed: counts.failed,
            attempts: counts.attempts,
            failed_attempts: counts.failed_attempts,
            failures: failures
                .map(|(kind, count)| (kind.as_str(), count))
                .collect(),
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
        let asked = parse("interval=day", at("2026-11-24T10:30:00Z")).expect("it is right");
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

        let statistics = summed(
            &asked,
            &[hour("2026-11-24T00:00:00Z"), hour("2026-11-24T09:00:00Z")],
        );

        assert_eq!(statistics.data.len(), 30);
        let today = &statistics.data[29];
        assert_eq!(today.start, at("2026-11-24T00:00:00Z"));
        assert_eq!((today.counts.attempts, today.counts.succeeded), (4, 2));
        assert_eq!(today.counts.failures, BTreeMap::from([("timeout", 2)]));
        assert_eq!(today.counts.p50_ms, Some(3));
        assert_eq!(statistics.data[28].counts.p50_ms, None);
    }

    #[test]
    fn of_a_time_that_is_too_long_the_last_spans_are_told() {
        let now = at("2026-11-24T10:30:00Z");
        let spans = |query: &str| {
            let asked = parse(query, now).expect("it is right");
            summed(&asked, &[]).data
        };

        assert_eq!(spans("since=2026-11-24T08:10:00Z").len(), 3);
        assert_eq!(spans("since=2026-12-01T00:00:00Z").len(), 0);
        let longest = spans("since=2000-01-01T00:00:00Z");
        assert_eq!(
            (longest.len(), longest[743].start.to_rfc3339()),
            (744, "2026-11-24T10:00:00+00:00".to_owned())
        );
        assert!(parse("interval=week", now).is_err());
    }
}
