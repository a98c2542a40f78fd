//! Checks of a database before a service relies on it.

use std::io;

use anyhow::{Context, bail};
use diesel::ConnectionError;
use tokio_postgres::error::SqlState;
use tokio_postgres::{Client, SimpleQueryMessage};
use uuid::Uuid;

use crate::{StoreError, connection};

/// How often the second session is asked: a PgBouncer may hand out its servers in turn.
const MARK_LOOKUPS: usize = 20;

/// Fails if the database's encoding is not UTF-8, or if one session sees the settings of another: then a
/// PgBouncer in transaction or statement mode is in between, and lends our sessions to other clients
/// between two statements. Prepared statements, session settings and advisory locks would break.
pub async fn check_sessions(database_url: &str) -> anyhow::Result<()> {
    let (setting, asking) = (connect(database_url).await?, connect(database_url).await?);
    check_encoding(&asking).await?;
    if shares_marks(&setting, &asking).await? {
        bail!(
            "a PgBouncer in transaction or statement mode is between this service and Postgres; \
             set pool_mode = session for this database, or give DATABASE_URL the address of \
             Postgres itself"
        );
    }
    Ok(())
}

/// Whether a PgBouncer lends the sessions to others between two statements. `client` is one of two sessions, and
/// the other is opened here.
pub(crate) async fn lends_sessions(client: &Client, database_url: &str) -> anyhow::Result<bool> {
    let asking = connect(database_url).await?;
    shares_marks(client, &asking).await
}

/// Whether the session `asking` sees a mark that `setting` has set.
async fn shares_marks(setting: &Client, asking: &Client) -> anyhow::Result<bool> {
    let mark = Uuid::new_v4().to_string();
    let set = format!("SET webhooks.session = '{mark}'");
    setting
        .simple_query(&set)
        .await
        .context("cannot use Postgres")?;
    for _ in 0..MARK_LOOKUPS {
        if read(asking, ASK_FOR_MARK).await?.as_deref() == Some(&mark) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Whether `error` says that Postgres cannot be reached, is still starting, or has no connection left: the same
/// start may succeed later. A wrong password and a missing database do not pass by themselves.
pub fn is_away(error: &anyhow::Error) -> bool {
    error.chain().any(|cause| {
        if let Some(error) = cause.downcast_ref::<tokio_postgres::Error>() {
            return error
                .as_db_error()
                .is_none_or(|refusal| passes(refusal.code()));
        }
        if cause.is::<io::Error>() {
            return true;
        }
        if let Some(error) = cause.downcast_ref::<StoreError>() {
            return error.is_unavailable();
        }
        // The preflight reached Postgres a moment before: a wrong password was told then.
        matches!(
            cause.downcast_ref(),
            Some(ConnectionError::BadConnection(_))
        )
    })
}

/// Whether a refusal of Postgres passes by itself: it starts, stops, is a standby, or has no connection left.
fn passes(code: &SqlState) -> bool {
    [
        SqlState::CANNOT_CONNECT_NOW,
        SqlState::ADMIN_SHUTDOWN,
        SqlState::CRASH_SHUTDOWN,
        SqlState::READ_ONLY_SQL_TRANSACTION,
        SqlState::TOO_MANY_CONNECTIONS,
    ]
    .contains(code)
}

pub(crate) async fn connect(database_url: &str) -> anyhow::Result<Client> {
    let client = connection::open_plain(database_url).await;
    client.context("cannot connect to Postgres")
}

async fn check_encoding(client: &Client) -> anyhow::Result<()> {
    let encoding = read(client, "SHOW server_encoding").await?;
    if encoding.as_deref() != Some("UTF8") {
        bail!(
            "the database's encoding is {}, and must be UTF8: create the database with ENCODING 'UTF8'",
            encoding.unwrap_or_default()
        );
    }
    Ok(())
}

const ASK_FOR_MARK: &str = "SELECT current_setting('webhooks.session', true)";

/// Reads the first value of the first row.
async fn read(client: &Client, ask: &str) -> anyhow::Result<Option<String>> {
    let answer = client
        .simple_query(ask)
        .await
        .context("cannot use Postgres")?;
    Ok(answer.iter().find_map(|message| {
        let SimpleQueryMessage::Row(row) = message else {
            return None;
        };
        row.get(0).map(str::to_owned)
    }))
}
