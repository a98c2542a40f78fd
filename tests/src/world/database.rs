use tokio_postgres::NoTls;
use tokio_postgres::types::FromSql;
use webhook_domain::{Environment, PlatformSettings, RetryPolicy};
use webhook_store::rejected_messages::{self, RejectedMessage, RejectedMessageFilter};
use webhook_store::{Connection, Pool, PoolPurpose, retry_policies, settings, transaction};

use super::with_path;

/// Moves every time in the log `{days}` days into the past, times in ids included.
const AGE: &str = include_str!("age.sql");

/// Makes Postgres refuse events as on a full disk (SQLSTATE 53100).
const FILL_DISK: &str = include_str!("fill_disk.sql");

/// Writes `{count}` failed deliveries of `{webhook}`, with the events.
const FAILED_DELIVERIES: &str = include_str!("failed_deliveries.sql");

/// The database of a test.
pub struct Database {
    /// `postgres://…`, with the database's name.
    pub url: String,
    /// Up to ten connections to the database.
    pub pool: Pool,
    name: String,
    /// `postgres://…`, where databases are created and dropped.
    server: String,
}

impl Database {
    /// Creates the database `name` on `server`: a copy of `template`, or an empty database in which
    /// all migrations are run.
    pub(super) async fn create(
        server: &str,
        name: &str,
        template: Option<&str>,
    ) -> anyhow::Result<Self> {
        let url = with_path(server, name)?;
        let client = connect(server).await?;
        if let Some(template) = template {
            let copy = format!("CREATE DATABASE {name} TEMPLATE {template} STRATEGY file_copy");
            client.batch_execute(&copy).await?;
        } else {
            let create = format!("CREATE DATABASE {name}");
            client.batch_execute(&create).await?;
            webhook_store::migrations::run(&url).await?;
        }
        Ok(Self {
            pool: webhook_store::connect(&url, 10, PoolPurpose::Events).await?,
            url,
            name: name.to_owned(),
            server: server.to_owned(),
        })
    }

    /// Drops the database and ends all sessions.
    pub(super) async fn remove(&self) {
        self.pool.close();
        let drop = format!("DROP DATABASE {} WITH (FORCE)", self.name);
        self.on_server(&drop).await;
    }

    /// A connection to the database.
    pub async fn connection(&self) -> Connection {
        webhook_store::acquire(&self.pool)
            .await
            .expect("Postgres answers")
    }

    /// Sets the default retry policy of every environment.
    pub async fn set_retry_policy(&self, policy: &RetryPolicy) {
        let mut connection = self.connection().await;
        for environment in Environment::ALL {
            retry_policies::set_default(&mut connection, *environment, policy)
                .await
                .expect("the policy is set");
        }
    }

    /// Sets the platform's settings, as an owner would.
    pub async fn set_settings(&self, new: &PlatformSettings) {
        let mut connection = self.connection().await;
        let saved = transaction(&mut connection, async |connection| {
            let before = settings::lock(connection).await?;
            settings::save(connection, &before, new).await
        });
        saved.await.expect("the settings are saved");
    }

    /// Moves every event, delivery and audit entry `days` days into the past.
    pub async fn age(&self, days: u32) {
        self.execute(&AGE.replace("{days}", &days.to_string()))
            .await;
    }

    /// Makes Postgres refuse events as on a full disk.
    pub async fn fill_disk(&self) {
        self.execute(FILL_DISK).await;
    }

    /// Ends the refusals of [`Database::fill_disk`].
    pub async fn free_disk(&self) {
        self.execute("DROP TRIGGER full_disk ON events").await;
    }

    /// Opens the circuit of a webhook for an hour: deliveries wait.
    pub async fn open_circuit(&self, webhook_id: &str) {
        self.execute(&format!(
            "INSERT INTO webhook_health (webhook_id, failing_since, failures, paused_at, paused_until)
             VALUES ('{webhook_id}', now(), 20, now(), now() + interval '1 h')"
        ))
        .await;
    }

    /// Writes `count` deliveries of a webhook that failed a minute ago, each with an event of its
    /// own.
    pub async fn fail_deliveries(&self, webhook_id: &str, count: usize) {
        let sql = FAILED_DELIVERIES
            .replace("{webhook}", webhook_id)
            .replace("{count}", &count.to_string());
        self.execute(&sql).await;
    }

    /// Runs a query for a value. A count for several tests gets a name in `peeks.rs`.
    pub async fn ask<T: for<'a> FromSql<'a>>(&self, sql: &str) -> T {
        let client = connect(&self.url).await.expect("Postgres answers");
        let row = client.query_one(sql, &[]).await;
        row.unwrap_or_else(|error| panic!("{sql}: {error:?}"))
            .get(0)
    }

    /// Runs statements behind the back of the programs.
    pub async fn execute(&self, sql: &str) {
        let client = connect(&self.url).await.expect("Postgres answers");
        let executed = client.batch_execute(sql).await;
        executed.unwrap_or_else(|error| panic!("{sql}: {error:?}"));
    }

    /// Makes new sessions read-only or writable, as a failover does. With `end_sessions`, the old
    /// sessions end.
    pub async fn set_read_only(&self, read_only: bool, end_sessions: bool) {
        let name = &self.name;
        let set = format!("ALTER DATABASE {name} SET default_transaction_read_only = {read_only}");
        self.on_server(&set).await;
        if end_sessions {
            let end = format!(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'"
            );
            self.on_server(&end).await;
        }
    }

    /// The messages set aside, with the bodies, newest first, at most 5,000.
    pub async fn rejected(&self) -> Vec<(RejectedMessage, Vec<u8>)> {
        let mut connection = self.connection().await;
        let all = RejectedMessageFilter::default();
        let listed = rejected_messages::list(&mut connection, &all, None, 5_000).await;
        let mut rejected = Vec::new();
        for message in listed.expect("the list is read") {
            let found = rejected_messages::find(&mut connection, message.id).await;
            rejected.extend(found.expect("the message is read"));
        }
        rejected
    }

    async fn on_server(&self, sql: &str) {
        let client = connect(&self.server).await.expect("Postgres answers");
        let executed = client.batch_execute(sql).await;
        executed.unwrap_or_else(|error| panic!("{sql}: {error:?}"));
    }
}

pub(super) async fn connect(url: &str) -> anyhow::Result<tokio_postgres::Client> {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await?;
    tokio::spawn(connection);
    Ok(client)
}
