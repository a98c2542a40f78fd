//! Tables `webhook_activity`, `webhook_hours` and `total_hours`: the statistics of attempts.
//!
//! The statement that records attempts writes all three, and leaves out test events. After a lost reply the recorder repeats the
//! statement, and the attempts count twice: a chart may be too high by a few.

use std::collections::HashMap;

use chrono::{DateTime, SubsecRound, TimeDelta, Utc};
use diesel::dsl::sum;
use diesel::pg::Pg;
use diesel::prelude::*;
use diesel::sql_types::{Array, Integer};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use webhook_domain::{DeliveryId, DeliveryStatus, FailureClass, WebhookId};

use crate::StoreError;
use crate::column_types::{bind, bind_all};
use crate::schema::{total_hours, webhook_activity, webhook_hours};

/// The latest attempt of a webhook, attempts of test events left out.
#[derive(Debug, Clone, Queryable, Selectable)]
#[diesel(table_name = webhook_activity, check_for_backend(Pg))]
pub struct LastAttempt {
    /// The delivery.
    pub delivery_id: DeliveryId,
    /// The delivery's status after the attempt.
    pub delivery_status: DeliveryStatus,
    /// The start of the attempt.
    pub attempted_at: DateTime<Utc>,
    /// The HTTP status of the response; `None`: no response came.
    pub response_status: Option<i32>,
    /// The reason of the failure; `None`: the attempt succeeded.
    pub failure_class: Option<FailureClass>,
}

/// Numbers of attempts and of ended deliveries in a span of time.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// Attempts.
    pub attempts: i64,
    /// Attempts that failed.
    pub failed_attempts: i64,
    /// Deliveries that succeeded.
    pub succeeded: i64,
    /// Deliveries that were given up.
    pub failed: i64,
}

/// Sums of columns; null where there were no rows.
#[derive(Queryable)]
pub(crate) struct Sums {
    attempts: Option<i64>,
    failed_attempts: Option<i64>,
    succeeded: Option<i64>,
    failed: Option<i64>,
}

impl From<Sums> for Counts {
    fn from(sums: Sums) -> Self {
        Self {
            attempts: sums.attempts.unwrap_or_default(),
            failed_attempts: sums.failed_attempts.unwrap_or_default(),
            succeeded: sums.succeeded.unwrap_or_default(),
            failed: sums.failed.unwrap_or_default(),
        }
    }
}

/// Counts per webhook, from the hour of `since` until now. Webhooks without attempts are left out.
pub async fn count_since(
    connection: &mut AsyncPgConnection,
    webhook_ids: &[WebhookId],
    since: DateTime<Utc>,
) -> Result<HashMap<WebhookId, Counts>, StoreError> {
    use webhook_hours::dsl;
    let rows: Vec<(WebhookId, Sums)> = dsl::webhook_hours
        .filter(dsl::webhook_id.eq_any(bind_all(webhook_ids)))
        .filter(dsl::hour.ge(hour_of(since)))
        .group_by(dsl::webhook_id)
        .select((
            dsl::webhook_id,
            (
                sum(dsl::attempts),
                sum(dsl::failed_attempts),
                sum(dsl::succeeded),
                sum(dsl::failed),
            ),
        ))
        .load(connection)
        .await?;
    let counts = rows.into_iter().map(|(id, sums)| (id, sums.into()));
    Ok(counts.collect())
}

/// Numbers of attempts in an hour.
#[derive(Debug, Clone, Copy)]
pub struct HourCounts {
    /// The start of the hour.
    pub start: DateTime<Utc>,
    /// Attempts.
    pub attempts: i64,
    /// Attempts that failed.
    pub failed_attempts: i64,
}

/// Lists the attempts per webhook and hour, from the hour of `since` until now. Hours without attempts
/// are left out.
pub async fn list_hours_of(
    connection: &mut AsyncPgConnection,
    webhook_ids: &[WebhookId],
    since: DateTime<Utc>,
) -> Result<HashMap<WebhookId, Vec<HourCounts>>, StoreError> {
    use webhook_hours::dsl;
    let rows: Vec<(WebhookId, DateTime<Utc>, i32, i32)> = dsl::webhook_hours
        .filter(dsl::webhook_id.eq_any(bind_all(webhook_ids)))
        .filter(dsl::hour.ge(hour_of(since)))
        .select((
            dsl::webhook_id,
            dsl::hour,
            dsl::attempts,
            dsl::failed_attempts,
        ))
        .load(connection)
        .await?;
    let mut hours: HashMap<WebhookId, Vec<HourCounts>> = HashMap::new();
    for (id, start, attempts, failed_attempts) in rows {
        hours.entry(id).or_default().push(HourCounts {
            start,
            attempts: attempts.into(),
            failed_attempts: failed_attempts.into(),
        });
    }
    Ok(hours)
}

/// The statistics of an hour.
#[derive(Debug, Clone)]
pub struct Hour {
    /// The start of the hour.
    pub start: DateTime<Utc>,
    /// Attempts and ended deliveries.
    pub counts: Counts,
    /// Failed attempts by the position of the `FailureKind`; missing positions at the end are 0.
    pub failures: Vec<i32>,
    /// Attempts by the bucket of the duration, see `Durations`; missing buckets at the end are 0.
    pub durations: Vec<i32>,
}

/// Lists the statistics of a webhook, or of all webhooks together, by the hour and in order. Hours
/// without attempts are left out.
pub async fn list_hours(
    connection: &mut AsyncPgConnection,
    webhook_id: Option<WebhookId>,
    since: DateTime<Utc>,
    until: DateTime<Utc>,
) -> Result<Vec<Hour>, StoreError> {
    match webhook_id {
        Some(id) => list_hours_of_one(connection, id, since, until).await,
        None => list_hours_of_all(connection, since, until).await,
    }
}

#[derive(Queryable, Selectable)]
#[diesel(table_name = webhook_hours, check_for_backend(Pg))]
struct HourRow {
    hour: DateTime<Utc>,
    attempts: i32,
    failed_attempts: i32,
    succeeded: i32,
    failed: i32,
    failures: Vec<i32>,
    durations: Vec<i32>,
}

impl From<HourRow> for Hour {
    fn from(row: HourRow) -> Self {
        Self {
            start: row.hour,
            counts: Counts {
                attempts: row.attempts.into(),
                failed_attempts: row.failed_attempts.into(),
                succeeded: row.succeeded.into(),
                failed: row.failed.into(),
            },
            failures: row.failures,
            durations: row.durations,
        }
    }
}

async fn list_hours_of_one(
    connection: &mut AsyncPgConnection,
    webhook_id: WebhookId,
    since: DateTime<Utc>,
    until: DateTime<Utc>,
) -> Result<Vec<Hour>, StoreError> {
    let rows: Vec<HourRow> = webhook_hours::table
        .filter(webhook_hours::webhook_id.eq(bind(webhook_id)))
        .filter(webhook_hours::hour.ge(hour_of(since)))
        .filter(webhook_hours::hour.lt(until))
        .order(webhook_hours::hour)
        .select(HourRow::as_select())
        .load(connection)
        .await?;
    Ok(rows.into_iter().map(Hour::from).collect())
}

/// The sums of an hour.
#[derive(Queryable)]
struct TotalRow {
    hour: DateTime<Utc>,
    sums: Sums,
    failures: Vec<i32>,
    durations: Vec<i32>,
}

impl From<TotalRow> for Hour {
    fn from(row: TotalRow) -> Self {
        Self {
            start: row.hour,
            counts: row.sums.into(),
            failures: row.failures,
            durations: row.durations,
        }
    }
}

async fn list_hours_of_all(
    connection: &mut AsyncPgConnection,
    since: DateTime<Utc>,
    until: DateTime<Utc>,
) -> Result<Vec<Hour>, StoreError> {
    use total_hours::dsl;
    // Each worker has a row of its own for an hour.
    let sums = (
        sum(dsl::attempts),
        sum(dsl::failed_attempts),
        sum(dsl::succeeded),
        sum(dsl::failed),
    );
    let arrays = (sum_counts(dsl::failures), sum_counts(dsl::durations));
    let rows: Vec<TotalRow> = dsl::total_hours
        .filter(dsl::hour.ge(hour_of(since)))
        .filter(dsl::hour.lt(until))
        .group_by(dsl::hour)
        .order(dsl::hour)
        .select((dsl::hour, sums, arrays.0, arrays.1))
        .load(connection)
        .await?;
    Ok(rows.into_iter().map(Hour::from).collect())
}

#[diesel::declare_sql_function]
extern "SQL" {
    /// Adds arrays up, position by position. A migration creates the aggregate.
    #[aggregate]
    fn sum_counts(counts: Array<Integer>) -> Array<Integer>;
}

/// The start of the last 24 hours at `now`: of the hour 23 hours before the current one. Every figure of
/// “24 hours” begins here, so that no two figures contradict each other.
pub fn last_day(now: DateTime<Utc>) -> DateTime<Utc> {
    hour_of(now) - TimeDelta::hours(23)
}

/// The start of the hour of a time.
pub(crate) fn hour_of(time: DateTime<Utc>) -> DateTime<Utc> {
    let into_hour = time.timestamp().rem_euclid(3_600);
    time.trunc_subsecs(0) - TimeDelta::seconds(into_hour)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_hour_begins_at_its_very_beginning() {
        let at = |millis| DateTime::from_timestamp_millis(millis).expect("a time");

        assert_eq!(hour_of(at(7_200_000)), at(7_200_000));
        assert_eq!(hour_of(at(10_799_999)), at(7_200_000));
        assert_eq!(last_day(at(86_400_000 + 10_799_999)), at(10_800_000));
    }
}
