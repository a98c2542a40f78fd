//! The schema's history, embedded in the binaries.

use std::collections::HashSet;
use std::fmt::Display;
use std::time::Duration;

use anyhow::{Context, anyhow};
use diesel::migration::{Migration, MigrationSource};
use diesel::pg::Pg;
use diesel_async::{AsyncMigrationHarness, AsyncPgConnection, RunQueryDsl};
use diesel_migrations::{EmbeddedMigrations, MigrationHarness, embed_migrations};

const MIGRATIONS: EmbeddedMigrations = embed_migrations!("../../migrations");

use crate::connection::{self, PoolPurpose};

/// The advisory lock of a migration ("webhooks" in ASCII): several replicas may start at once.
const ADVISORY_LOCK: i64 = 0x7765_6268_6f6f_6b73;

/// How long a migration waits for a table. A waiting migration holds up all later statements on the table, so the
/// wait is short, and tried again.
const LOCK_TIMEOUT: &str = "SET lock_timeout = '900ms'";

/// How often the wait is tried, and the pause between two tries: five minutes for a dump that runs.
const LOCK_TRIES: u32 = 100;
const LOCK_PAUSE: Duration = Duration::from_secs(3);

/// Brings the schema up to date. Returns the applied migrations.
///
/// Creates nothing when the schema is up to date, so a user without the right to create tables can
/// start a service once another user has migrated.
///
/// Needs tokio's multi-threaded runtime, as the harness blocks in place.
pub async fn run(database_url: &str) -> anyhow::Result<Vec<String>> {
    // Before the lock: replicas of a running version start without waiting for each other.
    if list_pending(database_url).await?.is_empty() {
        return Ok(Vec::new());
    }
    let mut connection = locked(database_url).await?;
    diesel::sql_query(LOCK_TIMEOUT)
        .execute(&mut connection)
        .await
        .context("cannot set a time limit for locks")?;
    let mut harness = AsyncMigrationHarness::new(connection);
    let mut applied = Vec::new();
    for tried in 1.. {
        // Each migration is a transaction: those before a lock that was not free are done.
        match run_next(&mut harness) {
            Ok(Some(name)) => applied.push(name),
            Ok(None) => break,
            Err(error) if is_lock_timeout(&error) && tried < LOCK_TRIES => {
                log::warn!(
                    "another transaction holds a table that a migration changes; trying again: {error}"
                );
                tokio::time::sleep(LOCK_PAUSE).await;
            }
            Err(error) => {
                return Err(anyhow!(
                    "cannot migrate: {error}; the user of DATABASE_URL must own the tables and may have to \
                     create tables: run `webhook-api migrate` as a user with these rights, see docs/operating.md"
                ));
            }
        }
    }
    Ok(applied)
}

/// Runs the next migration. `None`: the schema is up to date.
fn run_next(
    harness: &mut AsyncMigrationHarness<AsyncPgConnection>,
) -> diesel::migration::Result<Option<String>> {
    if !harness.has_pending_migration(MIGRATIONS)? {
        return Ok(None);
    }
    let version = harness.run_next_migration(MIGRATIONS)?;
    Ok(Some(version.to_string()))
}

/// Whether another transaction held the table (SQLSTATE 55P03), which has no kind of its own in diesel.
fn is_lock_timeout(error: &dyn Display) -> bool {
    error.to_string().contains("lock timeout")
}

/// Reverts the migrations behind `version`, such as `20261128000021`.
pub async fn revert_behind(database_url: &str, version: &str) -> anyhow::Result<()> {
    let mut connection = locked(database_url).await?;
    let applied = list_applied(&mut connection).await?;
    let mut harness = AsyncMigrationHarness::new(connection);
    for _ in applied.iter().filter(|one| one.as_str() > version) {
        harness
            .revert_last_migration(MIGRATIONS)
            .map_err(|error| anyhow!("cannot revert: {error}"))?;
    }
    Ok(())
}

/// Lists the migrations of this binary that were not applied, in order.
pub async fn list_pending(database_url: &str) -> anyhow::Result<Vec<String>> {
    let mut connection = connection::open(database_url, PoolPurpose::Commands)
        .await
        .context("cannot connect to Postgres")?;
    let applied = list_applied(&mut connection).await?;
    let ours: Vec<Box<dyn Migration<Pg>>> = MIGRATIONS
        .migrations()
        .map_err(|error| anyhow!("cannot read the migrations: {error}"))?;
    let pending = ours
        .iter()
        .filter(|migration| !applied.contains(&migration.name().version().to_string()));
    Ok(pending
        .map(|migration| migration.name().to_string())
        .collect())
}

/// The versions of the applied migrations; none if the database was never migrated.
async fn list_applied(connection: &mut AsyncPgConnection) -> anyhow::Result<HashSet<String>> {
    #[derive(diesel::QueryableByName)]
    struct Applied {
        #[diesel(sql_type = diesel::sql_types::Text)]
        version: String,
    }
    let table = "SELECT table_name::text AS version FROM information_schema.tables
        WHERE table_schema = current_schema() AND table_name = '__diesel_schema_migrations'";
    let table: Vec<Applied> = diesel::sql_query(table).load(connection).await?;
    if table.is_empty() {
        return Ok(HashSet::new());
    }
    let applied = diesel::sql_query("SELECT version FROM __diesel_schema_migrations");
    let applied: Vec<Applied> = applied.load(connection).await?;
    Ok(applied.into_iter().map(|row| row.version).collect())
}

/// Reverts all migrations. All data is lost.
pub async fn revert_all(database_url: &str) -> anyhow::Result<()> {
    let mut harness = AsyncMigrationHarness::new(locked(database_url).await?);
    harness
        .revert_all_migrations(MIGRATIONS)
        .map_err(|error| anyhow!("cannot revert: {error}"))?;
    Ok(())
}

/// Opens a connection with the advisory lock, held until the connection is dropped.
async fn locked(database_url: &str) -> anyhow::Result<AsyncPgConnection> {
    let mut connection = connection::open(database_url, PoolPurpose::Commands)
        .await
        .context("cannot connect to Postgres")?;
    diesel::sql_query(format!("SELECT pg_advisory_lock({ADVISORY_LOCK})"))
        .execute(&mut connection)
        .await
        .context("cannot take the migration lock")?;
    Ok(connection)
}
