//! The facts about a database that decide whether the services work, for `webhook-api doctor`. Reads only.

use anyhow::{Context, anyhow};
use chrono::{DateTime, TimeDelta, Utc};
use tokio_postgres::{Client, SimpleQueryMessage, SimpleQueryRow};

use crate::preflight;

/// Lists a fact a column, in the order of [`DatabaseFacts`].
const FACTS: &str = include_str!("inspection/facts.sql");

/// Lists the rights that the user lacks, a row each.
const MISSING_RIGHTS: &str = include_str!("inspection/missing_rights.sql");

/// The facts about a database and its server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DatabaseFacts {
    /// The version of Postgres.
    pub version: String,
    /// The encoding, which must be `UTF8`.
    pub encoding: String,
    /// Whether the server takes no writes.
    pub read_only: bool,
    /// The most connections of the user, connections reserved for superusers aside.
    pub connection_limit: i64,
    /// Connections of all users now.
    pub connections: i64,
    /// Whether the user may create tables in the schema and owns the tables there.
    pub may_migrate: bool,
    /// The clock of Postgres minus the clock of this machine.
    pub clock_ahead: TimeDelta,
    /// How wrong `clock_ahead` may be: half of the round trip.
    pub clock_error: TimeDelta,
    /// The rights on tables and sequences that the user lacks, 20 at most: `UPDATE on webhooks`.
    pub missing_rights: Vec<String>,
    /// Whether a PgBouncer in transaction or statement mode lends the sessions to others.
    pub lends_sessions: bool,
}

/// Reads the facts over two sessions of its own.
pub async fn inspect(database_url: &str) -> anyhow::Result<DatabaseFacts> {
    let client = preflight::connect(database_url).await?;
    let (before, row) = (Utc::now(), one_row(&client, FACTS).await?);
    let round_trip = Utc::now() - before;
    let time = DateTime::from_timestamp_micros(number(&row, 5)?).context("the time of Postgres")?;
    Ok(DatabaseFacts {
        version: text(&row, 0)?,
        encoding: text(&row, 1)?,
        read_only: text(&row, 2)? == "on",
        connection_limit: number(&row, 3)?,
        connections: number(&row, 4)?,
        may_migrate: text(&row, 6)? == "t",
        clock_ahead: time - (before + round_trip / 2),
        clock_error: round_trip / 2,
        missing_rights: rows(&client, MISSING_RIGHTS)
            .await?
            .iter()
            .map(|row| text(row, 0))
            .collect::<Result<_, _>>()?,
        lends_sessions: preflight::lends_sessions(&client, database_url).await?,
    })
}

/// Simple queries only: a PgBouncer in transaction mode breaks prepared statements.
async fn rows(client: &Client, ask: &str) -> anyhow::Result<Vec<SimpleQueryRow>> {
    let answer = client
        .simple_query(ask)
        .await
        .context("cannot use Postgres")?;
    let rows = answer.into_iter().filter_map(|message| {
        // Other messages carry no row.
        let SimpleQueryMessage::Row(row) = message else {
            return None;
        };
        Some(row)
    });
    Ok(rows.collect())
}

async fn one_row(client: &Client, ask: &str) -> anyhow::Result<SimpleQueryRow> {
    let row = rows(client, ask).await?.into_iter().next();
    row.context("Postgres sent no row")
}

fn text(row: &SimpleQueryRow, column: usize) -> anyhow::Result<String> {
    let value = row.try_get(column)?;
    Ok(value.unwrap_or_default().to_owned())
}

fn number(row: &SimpleQueryRow, column: usize) -> anyhow::Result<i64> {
    let text = text(row, column)?;
    text.parse()
        .map_err(|_| anyhow!("Postgres sent {text:?} for a number"))
}
