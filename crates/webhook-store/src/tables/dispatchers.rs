//! Table `dispatchers`: signs of life, from which pages tell whether dispatchers run and record.

use chrono::{DateTime, Utc};
use diesel::dsl::now;
use diesel::prelude::*;
use diesel::sql_types::{Nullable, Timestamptz, Untyped, Uuid as SqlUuid};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use uuid::Uuid;
use webhook_domain::SignOfLife;

use crate::StoreError;
use crate::schema::dispatchers;
use crate::sql::sql;

sql! {
    /// The head of the file explains the binds.
    struct Sign from "dispatchers/sign.sql" -> Untyped {
        1 id: Uuid as SqlUuid,
        2 not_recording_since: Option<DateTime<Utc>> as Nullable<Timestamptz>,
    }
}

/// Writes a sign of life, and removes dispatchers without one for an hour.
pub async fn sign(
    connection: &mut AsyncPgConnection,
    id: Uuid,
    not_recording_since: Option<DateTime<Utc>>,
) -> Result<(), StoreError> {
    let statement = Sign {
        id,
        not_recording_since,
    };
    statement.execute(connection).await?;
    Ok(())
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
