//! A database with all migrations, of which the database of each test is a copy: to copy costs a
//! third of the time of the migrations.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::Path;
use std::time::Duration;

use tokio::sync::OnceCell;
use tokio_postgres::Client;

use super::database::connect;
use super::{poll, with_path};

/// How long the session that ran the migrations may take to be gone from the template.
const SESSION_ENDS_WITHIN: Duration = Duration::from_secs(20);

/// The name of the template on `server`, which the first caller of a process makes. The name changes
/// with the migrations, and the template stays on the server for the next process.
pub(super) async fn template(server: &str) -> anyhow::Result<&'static str> {
    static NAME: OnceCell<String> = OnceCell::const_new();
    let name = NAME.get_or_try_init(|| make(server)).await?;
    Ok(name)
}

async fn make(server: &str) -> anyhow::Result<String> {
    let hash = hash_of_migrations()?;
    let name = format!("test_template_{hash:016x}");
    let client = connect(server).await?;
    // Two processes may come at once. The lock ends with the session.
    let lock = "SELECT pg_advisory_lock(hashtext($1))";
    client.execute(lock, &[&name]).await?;
    let there = "SELECT FROM pg_database WHERE datname = $1";
    if client.query_opt(there, &[&name]).await?.is_some() {
        return Ok(name);
    }
    // Under another name until all migrations are done: a process may be killed meanwhile.
    let unfinished = format!("{name}_unfinished");
    run(
        &client,
        &format!("DROP DATABASE IF EXISTS {unfinished} WITH (FORCE)"),
    )
    .await?;
    run(&client, &format!("CREATE DATABASE {unfinished}")).await?;
    webhook_store::migrations::run(&with_path(server, &unfinished)?).await?;
    let rename = format!("ALTER DATABASE {unfinished} RENAME TO {name}");
    poll(
        "the template has its name",
        SESSION_ENDS_WITHIN,
        async || run(&client, &rename).await.ok(),
    )
    .await;
    Ok(name)
}

/// A hash of the texts of all migrations, in order.
fn hash_of_migrations() -> anyhow::Result<u64> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../migrations");
    let mut files = Vec::new();
    for migration in std::fs::read_dir(folder)? {
        files.push(migration?.path().join("up.sql"));
    }
    files.sort_unstable();
    let mut hasher = DefaultHasher::new();
    for file in files {
        std::fs::read(file)?.hash(&mut hasher);
    }
    Ok(hasher.finish())
}

async fn run(client: &Client, sql: &str) -> Result<(), tokio_postgres::Error> {
    client.batch_execute(sql).await
}
