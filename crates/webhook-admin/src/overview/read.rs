//! Reads the overview out of the statistics. The cost grows with the hours of the span and the number of
//! webhooks, not with the number of deliveries.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};
use webhook_domain::{Environment, EventType, WebhookHealth};
use webhook_store::activity::Counts;
use webhook_store::webhooks::{self, Sort, SortKey, WebhookFilter};
use webhook_store::{RawConnection, deliveries, environment_hours, rejected_messages};

use super::body::{
    DeliveryCounts, EventTypeCounts, Overview, OverviewSpan, PendingBody, RejectedBody,
};
use super::oldest_due::OldestDueCache;
use super::request::{ReadOverview, TimeSpan};
use crate::connections::Connections;
use crate::dispatchers::find_trouble;
use crate::named_counts::NamedCounts;
use crate::refusal::Refusal;
use crate::webhooks::{WebhookBody, with_counts};

/// The most failing webhooks that are listed.
const MAX_FAILING: i64 = 10;

/// The most slow webhooks that are listed.
const MAX_SLOWEST: i64 = 5;

/// Reads the overview of an environment.
pub async fn read_overview(
    request: &ReadOverview,
    connections: &Connections,
    oldest_due: &OldestDueCache,
) -> Result<Overview, Refusal> {
    let (environment, span, now) = (request.environment, request.span, Utc::now());
    let since = span.since(now);
    let mut connection = connections.acquire().await?;
    let connection = &mut *connection;
    let sums = environment_hours::sum_up(connection, environment, since).await?;
    let all = WebhookFilter {
        environment: Some(environment),
        ..WebhookFilter::default()
    };
    let (total, data) = by_span(span, now, &sums.hours);
    Ok(Overview {
        environment,
        span,
        since,
        webhooks: NamedCounts::of_all(webhooks::count_by_health(connection, &all).await?),
        total,
        data,
        event_types: by_type(sums.event_types),
        failing: list_failing(connection, environment).await?,
        slowest: list_slowest(connection, environment).await?,
        pending: PendingBody {
            count: deliveries::count_pending_in(connection, environment, PendingBody::MAX).await?,
            oldest_due: oldest_due.find(connection, environment).await?,
        },
        rejected_messages: count_rejected(connection, now).await?,
        dispatchers: find_trouble(connection).await?.map(Into::into),
    })
}

/// The sums of the span, and of each hour or day in it.
fn by_span(
    span: TimeSpan,
    now: DateTime<Utc>,
    hours: &[(DateTime<Utc>, Counts)],
) -> (DeliveryCounts, Vec<OverviewSpan>) {
    let (mut total, mut by_start) = (DeliveryCounts::default(), BTreeMap::new());
    let mut start = span.since(now);
    while start <= now {
        by_start.insert(start, DeliveryCounts::default());
        start += span.interval().length();
    }
    for (hour, counts) in hours {
        total.add(*counts);
        let start = span.interval().start(*hour);
        by_start.entry(start).or_default().add(*counts);
    }
    let data = by_start.into_iter();
    let data = data.map(|(start, counts)| OverviewSpan { start, counts });
    (total, data.collect())
}

fn by_type(types: Vec<(EventType, Counts)>) -> Vec<EventTypeCounts> {
    let counted = types.into_iter().map(|(event_type, sums)| {
        let mut counts = DeliveryCounts::default();
        counts.add(sums);
        EventTypeCounts { event_type, counts }
    });
    let mut counted: Vec<_> = counted.collect();
    counted.sort_by_key(|one| (-one.counts.deliveries(), one.event_type));
    counted
}

async fn list_failing(
    connection: &mut RawConnection,
    environment: Environment,
) -> Result<Vec<WebhookBody>, Refusal> {
    let failing = WebhookFilter {
        environment: Some(environment),
        health: Some(WebhookHealth::Failing),
        sort: Sort {
            by: SortKey::FailureRate,
            descending: true,
        },
        limit: MAX_FAILING,
        ..WebhookFilter::default()
    };
    let rows = webhooks::list(connection, &failing).await?;
    with_counts(connection, rows).await
}

async fn list_slowest(
    connection: &mut RawConnection,
    environment: Environment,
) -> Result<Vec<WebhookBody>, Refusal> {
    let slowest = WebhookFilter {
        environment: Some(environment),
        sort: Sort {
            by: SortKey::ResponseTime,
            descending: true,
        },
        limit: MAX_SLOWEST,
        ..WebhookFilter::default()
    };
    let mut rows = webhooks::list(connection, &slowest).await?;
    // Webhooks without an attempt come last, and are not slow.
    rows.retain(|webhook| webhook.day.is_some());
    with_counts(connection, rows).await
}

async fn count_rejected(
    connection: &mut RawConnection,
    now: DateTime<Utc>,
) -> Result<RejectedBody, Refusal> {
    let a_day_ago = now - TimeDelta::hours(24);
    let count = rejected_messages::count_since(connection, a_day_ago, RejectedBody::MAX).await?;
    Ok(RejectedBody { count })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().expect("a time")
    }

    fn counts(succeeded: i64, failed: i64) -> Counts {
        Counts {
            attempts: succeeded + failed,
            failed_attempts: failed,
            succeeded,
            failed,
        }
    }

    #[test]
    fn a_span_has_all_its_hours_or_days_and_their_sum() {
        let now = at("2026-11-24T10:30:00Z");
        let hours = [
            (at("2026-11-23T11:00:00Z"), counts(3, 0)),
            (at("2026-11-24T10:00:00Z"), counts(1, 2)),
        ];

        for (span, length, last) in [
            (TimeSpan::Day, 24, "2026-11-24T10:00:00Z"),
            (TimeSpan::Week, 7, "2026-11-24T00:00:00Z"),
            (TimeSpan::Month, 30, "2026-11-24T00:00:00Z"),
        ] {
            let (total, data) = by_span(span, now, &hours);
            let end = &data[length - 1];

            assert_eq!((total.succeeded, total.failed), (4, 2));
            assert_eq!((data.len(), end.start), (length, at(last)));
            assert_eq!((end.counts.succeeded, end.counts.failed), (1, 2));
            assert_eq!(data[0].start, span.since(now));
        }
    }
}
