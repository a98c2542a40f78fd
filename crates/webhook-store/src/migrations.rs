//! The schema's history, embedded in the binaries.

use std::collections::HashSet;

use anyhow::{Context, anyhow};
use diesel::migration::{Migration, MigrationSource};
use diesel::pg::Pg;
use diesel_async::{AsyncMigrationHarness, AsyncPgConnection, RunQueryDsl};
use diesel_migrations::{EmbeddedMigrations, MigrationHarness, embed_migrations};

const MIGRATIONS: EmbeddedMigrations = embed_migrations!("../../migrations");

use crate::connection::{self, PoolPurpose};

/// The advisory lock of a migration ("webhooks" in ASCII): several replicas may start at once.
const ADVISORY_LOCK: i64 = 0x7765_6268_6f6f_6b73;

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
    let mut harness = locked(database_url).await?;
    let applied = harness.run_pending_migrations(MIGRATIONS).map_err(|error| {
        anyhow!(
            "cannot migrate: {error}; the user of DATABASE_URL must own the tables and may have to \
             create tables: run `webhook-api migrate` as a user with these rights, see docs/operating.md"
        )
    })?;
    Ok(applied.iter().map(ToString::to_string).collect())
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
    let mut harness = locked(database_url).await?;
    harness
        .revert_all_migrations(MIGRATIONS)
        .map_err(|error| anyhow!("cannot revert: {error}"))?;
    Ok(())
}

/// Opens a connection with the advisory lock, held until the connection is dropped.
async fn locked(database_url: &str) -> anyhow::Result<AsyncMigrationHarness<AsyncPgConnection>> {
    let mut connection = connection::open(database_url, PoolPurpose::Commands)
        .await
        .context("cannot connect to Postgres")?;
    diesel::sql_query(format!("SELECT pg_advisory_lock({ADVISORY_LOCK})"))
        .execute(&mut connection)
        .await
        .context("cannot take the migration lock")?;
    Ok(AsyncMigrationHarness::new(connection))
}
