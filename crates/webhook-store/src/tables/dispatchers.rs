//! Table `dispatchers`: signs of life, from which pages tell whether dispatchers run and record.

use std::time::Duration;

use chrono::{DateTime, Utc};
use diesel::dsl::now;
use diesel::prelude::*;
use diesel::sql_types::{Bool, Double, Nullable, Timestamptz, Uuid as SqlUuid};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use uuid::Uuid;
use webhook_domain::SignOfLife;

use crate::StoreError;
use crate::schema::dispatchers;
use crate::sql::sql;

sql! {
    /// The head of the file explains the binds.
    struct Sign from "dispatchers/sign.sql" -> Bool {
        1 id: Uuid as SqlUuid,
        2 not_recording_since: Option<DateTime<Utc>> as Nullable<Timestamptz>,
        3 alive_for_seconds: f64 as Double,
    }
}

/// Writes a sign of life, and removes dispatchers without one for an hour. Returns whether the dispatcher counts
/// for the metrics of all: the one with the least id among those with a sign of life within `alive_for`.
pub async fn sign(
    connection: &mut AsyncPgConnection,
    id: Uuid,
    not_recording_since: Option<DateTime<Utc>>,
    alive_for: Duration,
) -> Result<bool, StoreError> {
    let statement = Sign {
        id,
        not_recording_since,
        alive_for_seconds: alive_for.as_secs_f64(),
    };
    Ok(statement.get_result(connection).await?)
}

/// Lists the latest signs of life, and reads the time by the same clock.
pub async fn list_signs(
    connection: &mut AsyncPgConnection,
) -> Result<(Vec<SignOfLife>, DateTime<Utc>), StoreError> {
    let time = diesel::select(now.into_sql::<Timestamptz>());
    let time: DateTime<Utc> = time.get_result(connection).await?;
    let columns = (dispatchers::seen_at, dispatchers::not_recording_since);
    let rows: Vec<(DateTime<Utc>, Option<DateTime<Utc>>)> =
        dispatchers::table.select(columns).load(connection).await?;
    let signs = rows
        .into_iter()
        .map(|(seen_at, not_recording_since)| SignOfLife {
            seen_at,
            not_recording_since,
        });
    Ok((signs.collect(), time))
}
