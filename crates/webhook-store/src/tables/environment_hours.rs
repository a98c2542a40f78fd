//! Table `environment_hours`: the statistics of an environment, by hour and by event type.

use chrono::{DateTime, Utc};
use diesel::dsl::sum;
use diesel::prelude::*;
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use webhook_domain::{Environment, EventType};

use crate::StoreError;
use crate::column_types::bind;
use crate::schema::environment_hours::dsl;
use crate::tables::activity::{Counts, Sums};

/// Sums up an environment's counts by the hour, from `since` on and in order. Hours without attempts are
/// left out.
pub async fn list_hours(
    connection: &mut AsyncPgConnection,
    environment: Environment,
    since: DateTime<Utc>,
) -> Result<Vec<(DateTime<Utc>, Counts)>, StoreError> {
    let rows: Vec<(DateTime<Utc>, Sums)> = dsl::environment_hours
        .filter(dsl::environment.eq(bind(environment)))
        .filter(dsl::hour.ge(since))
        .group_by(dsl::hour)
        .order(dsl::hour)
        .select((
            dsl::hour,
            (
                sum(dsl::attempts),
                sum(dsl::failed_attempts),
                sum(dsl::succeeded),
                sum(dsl::failed),
            ),
        ))
        .load(connection)
        .await?;
    let hours = rows.into_iter().map(|(hour, sums)| (hour, sums.into()));
    Ok(hours.collect())
}

/// Sums up an environment's counts by event type, from `since` on. Types without attempts are left out.
pub async fn list_types(
    connection: &mut AsyncPgConnection,
    environment: Environment,
    since: DateTime<Utc>,
) -> Result<Vec<(EventType, Counts)>, StoreError> {
    let rows: Vec<(EventType, Sums)> = dsl::environment_hours
        .filter(dsl::environment.eq(bind(environment)))
        .filter(dsl::hour.ge(since))
        .group_by(dsl::event_type)
        .select((
            dsl::event_type,
            (
                sum(dsl::attempts),
                sum(dsl::failed_attempts),
                sum(dsl::succeeded),
                sum(dsl::failed),
            ),
        ))
        .load(connection)
        .await?;
    let types = rows
        .into_iter()
        .map(|(event_type, sums)| (event_type, sums.into()));
    Ok(types.collect())
}
