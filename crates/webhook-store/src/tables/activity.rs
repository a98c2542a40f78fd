//! Tables `webhook_activity`, `webhook_hours` and `total_hours`: what the recorder counts.
//!
//! All are written in the statement that records attempts. Should its answer be lost it is
//! repeated, and then these attempts count twice: a chart may be off by a few after a crash.

use std::collections::HashMap;

use chrono::{DateTime, SubsecRound, TimeDelta, Utc};
use diesel::dsl::sum;
use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Integer, Nullable, Timestamptz, Uuid as SqlUuid};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use uuid::Uuid;
use webhook_domain::{DeliveryId, DeliveryStatus, FailureClass, WebhookId};

use crate::StoreError;
use crate::error::{failure_class, name};
use crate::schema::{webhook_activity, webhook_hours};

/// The latest attempt for a webhook.
#[derive(Debug, Clone)]
pub struct LastAttempt {
    /// For which delivery.
    pub delivery_id: DeliveryId,
    /// What the delivery was after it.
    pub delivery_status: DeliveryStatus,
    /// When it began.
    pub attempted_at: DateTime<Utc>,
    /// The answer's status, if there was an answer.
    pub response_status: Option<i32>,
    /// Why it failed, if it did.
    pub failure_class: Option<FailureClass>,
}

#[derive(Queryable, Selectable)]
#[diesel(table_name = webhook_activity, check_for_backend(diesel::pg::Pg))]
pub(crate) struct ActivityRow {
    delivery_id: Uuid,
    delivery_status: String,
    attempted_at: DateTime<Utc>,
    response_status: Option<i32>,
    failure_class: Option<String>,
}

impl ActivityRow {
    pub(crate) fn read(self) -> Result<LastAttempt, StoreError> {
        Ok(LastAttempt {
            delivery_id: DeliveryId(self.delivery_id),
            delivery_status: name(&self.delivery_status)?,
            attempted_at: self.attempted_at,
            response_status: self.response_status,
            failure_class: self.failure_class.as_deref().map(failure_class),
        })
    }
}

/// What was done for a webhook in some time.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// Requests that were made.
    pub attempts: i64,
    /// Those of them that failed.
    pub failed_attempts: i64,
    /// Deliveries that were accepted.
    pub succeeded: i64,
    /// Deliveries that were given up.
    pub failed: i64,
}

/// Counts for webhooks since the hour that `since` is in. Those without any are left out.
pub async fn count_since(
    connection: &mut AsyncPgConnection,
    webhook_ids: &[WebhookId],
    since: DateTime<Utc>,
) -> Result<HashMap<WebhookId, Counts>, StoreError> {
    use webhook_hours::dsl;
    type Sums = (Uuid, Option<i64>, Option<i64>, Option<i64>, Option<i64>);
    let ids = webhook_ids.iter().map(|id| id.0);
    let rows: Vec<Sums> = dsl::webhook_hours
        .filter(dsl::webhook_id.eq_any(ids.collect::<Vec<_>>()))
        .filter(dsl::hour.ge(hour_of(since)))
        .group_by(dsl::webhook_id)
        .select((
            dsl::webhook_id,
            sum(dsl::attempts),
            sum(dsl::failed_attempts),
            sum(dsl::succeeded),
            sum(dsl::failed),
        ))
        .load(connection)
        .await?;
    let counted = rows
        .into_iter()
        .map(|(id, attempts, failed_attempts, succeeded, failed)| {
            let counts = Counts {
                attempts: attempts.unwrap_or_default(),
                failed_attempts: failed_attempts.unwrap_or_default(),
                succeeded: succeeded.unwrap_or_default(),
                failed: failed.unwrap_or_default(),
            };
            (WebhookId(id), counts)
        });
    Ok(counted.collect())
}

/// How many attempts there were in an hour.
#[derive(Debug, Clone, Copy)]
pub struct HourCounts {
    /// When it began.
    pub start: DateTime<Utc>,
    /// Requests that were made.
    pub attempts: i64,
    /// Those of them that failed.
    pub failed_attempts: i64,
}

/// Reads the attempts of webhooks by the hour, since the hour that `since` is in. Hours without any
/// are left out.
pub async fn list_hours_of(
    connection: &mut AsyncPgConnection,
    webhook_ids: &[WebhookId],
    since: DateTime<Utc>,
) -> Result<HashMap<WebhookId, Vec<HourCounts>>, StoreError> {
    use webhook_hours::dsl;
    let ids = webhook_ids.iter().map(|id| id.0);
    let rows: Vec<(Uuid, DateTime<Utc>, i32, i32)> = dsl::webhook_hours
        .filter(dsl::webhook_id.eq_any(ids.collect::<Vec<_>>()))
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
        hours.entry(WebhookId(id)).or_default().push(HourCounts {
            start,
            attempts: attempts.into(),
            failed_attempts: failed_attempts.into(),
        });
    }
    Ok(hours)
}

/// What was counted in an hour.
#[derive(Debug, Clone)]
pub struct Hour {
    /// When it began.
    pub start: DateTime<Utc>,
    /// How many there were.
    pub counts: Counts,
    /// Failed attempts by the position of their kind; what is missing at the end is 0.
    pub failures: Vec<i32>,
    /// Attempts by the bucket of their duration; what is missing at the end is 0.
    pub durations: Vec<i32>,
}

#[derive(QueryableByName)]
struct HourRow {
    #[diesel(sql_type = Timestamptz)]
    hour: DateTime<Utc>,
    #[diesel(sql_type = BigInt)]
    attempts: i64,
    #[diesel(sql_type = BigInt)]
    failed_attempts: i64,
    #[diesel(sql_type = BigInt)]
    succeeded: i64,
    #[diesel(sql_type = BigInt)]
    failed: i64,
    #[diesel(sql_type = Array<Integer>)]
    failures: Vec<i32>,
    #[diesel(sql_type = Array<Integer>)]
    durations: Vec<i32>,
}

/// Reads what was counted for a webhook, or for all of them, in order. Hours without anything are
/// left out.
pub async fn list_hours(
    connection: &mut AsyncPgConnection,
    webhook_id: Option<WebhookId>,
    since: DateTime<Utc>,
    until: DateTime<Utc>,
) -> Result<Vec<Hour>, StoreError> {
    let of_one = "SELECT hour, attempts::bigint, failed_attempts::bigint, succeeded::bigint,
            failed::bigint, failures, durations
        FROM webhook_hours WHERE webhook_id = $3 AND hour >= $1 AND hour < $2 ORDER BY hour";
    let of_all = "SELECT hour, sum(attempts) AS attempts, sum(failed_attempts) AS failed_attempts,
            sum(succeeded) AS succeeded, sum(failed) AS failed,
            sum_counts(failures) AS failures, sum_counts(durations) AS durations
        FROM total_hours WHERE hour >= $1 AND hour < $2 AND $3 IS NULL GROUP BY hour ORDER BY hour";
    let text = if webhook_id.is_some() { of_one } else { of_all };
    let rows: Vec<HourRow> = diesel::sql_query(text)
        .bind::<Timestamptz, _>(hour_of(since))
        .bind::<Timestamptz, _>(until)
        .bind::<Nullable<SqlUuid>, _>(webhook_id.map(|id| id.0))
        .load(connection)
        .await?;
    let hours = rows.into_iter().map(|row| Hour {
        start: row.hour,
        counts: Counts {
            attempts: row.attempts,
            failed_attempts: row.failed_attempts,
            succeeded: row.succeeded,
            failed: row.failed,
        },
        failures: row.failures,
        durations: row.durations,
    });
    Ok(hours.collect())
}

/// The hour that a time is in.
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
    }
}
