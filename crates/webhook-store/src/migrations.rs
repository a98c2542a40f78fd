//! The schema's history, embedded in the binaries.

use anyhow::{Context, anyhow};
use diesel_async::{AsyncMigrationHarness, AsyncPgConnection, RunQueryDsl};
use diesel_migrations::{EmbeddedMigrations, MigrationHarness, embed_migrations};

const MIGRATIONS: EmbeddedMigrations = embed_migrations!("../../migrations");

use crate::connection::{self, Purpose};

/// Held while migrating, so that several replicas may start at once ("webhooks" in ASCII).
const ADVISORY_LOCK: i64 = 0x7765_6268_6f6f_6b73;

/// Brings the schema up to date and tells which migrations that took.
///
/// Needs tokio's multi-threaded runtime, as the harness blocks in place.
pub async fn run(database_url: &str) -> anyhow::Result<Vec<String>> {
    let mut harness = locked(database_url).await?;
    let applied = harness
        .run_pending_migrations(MIGRATIONS)
        .map_err(|error| anyhow!("cannot migrate: {error}"))?;
    Ok(applied.iter().map(ToString::to_string).collect())
}

/// Takes the whole schema back. All data is lost.
pub async fn revert_all(database_url: &str) -> anyhow::Result<()> {
    let mut harness = locked(database_url).await?;
    harness
        .revert_all_migrations(MIGRATIONS)
        .map_err(|error| anyhow!("cannot revert: {error}"))?;
    Ok(())
}

/// A connection of its own that holds the lock until it is dropped.
async fn locked(database_url: &str) -> anyhow::Result<AsyncMigrationHarness<AsyncPgConnection>> {
    let mut connection = connection::open(database_url, Purpose::Management)
        .await
        .context("cannot connect to Postgres")?;
    diesel::sql_query(format!("SELECT pg_advisory_lock({ADVISORY_LOCK})"))
        .execute(&mut connection)
        .await
        .context("cannot take the migration lock")?;
    Ok(AsyncMigrationHarness::new(connection))
}
