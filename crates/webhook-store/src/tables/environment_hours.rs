//! Table `environment_hours`: the statistics of an environment, by hour and by event type; of days that have
//! ended, by day, so that the overview of 30 days reads a tenth of the rows.

use chrono::{DateTime, DurationRound, TimeDelta, Utc};
use diesel::sql_types::{BigInt, Nullable, Timestamptz, Untyped};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use webhook_domain::{Environment, EventType};

use crate::StoreError;
use crate::column_types::Named;
use crate::sql::{Columns, row, sql};
use crate::tables::activity::Counts;

/// The counts of an environment.
#[derive(Debug, Default)]
pub struct EnvironmentCounts {
    /// By the hour, in order.
    pub hours: Vec<(DateTime<Utc>, Counts)>,
    /// By the event type.
    pub event_types: Vec<(EventType, Counts)>,
}

row! {
    struct SumRow {
        hour: Option<DateTime<Utc>> as Nullable<Timestamptz>,
        event_type: Option<EventType> as Nullable<Named<EventType>>,
        attempts: i64 as BigInt,
        failed_attempts: i64 as BigInt,
        succeeded: i64 as BigInt,
        failed: i64 as BigInt,
    }
}

sql! {
    /// The head of the file explains the binds.
    struct SumUp from "environment_hours/sum_up.sql" -> Columns<SumRow> {
        1 environment: Environment as Named<Environment>,
        2 since: DateTime<Utc> as Timestamptz,
    }
}

sql! {
    struct SumUpDays from "environment_hours/sum_up_days.sql" -> Untyped {
        1 first_in_hours: DateTime<Utc> as Timestamptz,
    }
}

/// Replaces the counts of days that have ended by a row per day. A day stays in hours for as long as the last 24
/// hours may reach into it.
pub async fn sum_up_days(
    connection: &mut AsyncPgConnection,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    let a_day_ago = now - TimeDelta::days(1);
    let first_in_hours = a_day_ago
        .duration_trunc(TimeDelta::days(1))
        .unwrap_or(a_day_ago);
    SumUpDays { first_in_hours }.execute(connection).await?;
    Ok(())
}

/// Sums up an environment's counts from `since` on. Hours and event types without attempts are left out.
pub async fn sum_up(
    connection: &mut AsyncPgConnection,
    environment: Environment,
    since: DateTime<Utc>,
) -> Result<EnvironmentCounts, StoreError> {
    let rows: Vec<SumRow> = SumUp { environment, since }.load(connection).await?;
    let mut sums = EnvironmentCounts::default();
    for row in rows {
        let counts = Counts {
            attempts: row.attempts,
            failed_attempts: row.failed_attempts,
            succeeded: row.succeeded,
            failed: row.failed,
        };
        // A grouping set leaves the column of the other empty.
        if let Some(hour) = row.hour {
            sums.hours.push((hour, counts));
        } else if let Some(event_type) = row.event_type {
            sums.event_types.push((event_type, counts));
        }
    }
    Ok(sums)
}
