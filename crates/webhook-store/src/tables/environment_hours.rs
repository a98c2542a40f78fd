//! Table `environment_hours`: the statistics of an environment, by hour and by event type.

use chrono::{DateTime, Utc};
use diesel::sql_types::{BigInt, Nullable, Timestamptz};
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
