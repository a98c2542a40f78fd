//! Opening a database connection.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use diesel::{ConnectionError, ConnectionResult};
use diesel_async::{AsyncPgConnection, SimpleAsyncConnection};
use rustls::ClientConfig;
use rustls::crypto::aws_lc_rs::default_provider;
use rustls_platform_verifier::BuilderVerifierExt;
use tokio::time::timeout;
use tokio_postgres::config::SslMode;
use tokio_postgres::{Client, Config, NoTls};
use tokio_postgres_rustls::MakeRustlsConnect;

/// Settings of every session, set by a statement after connecting and not with the start message: a
/// PgBouncer in session mode passes statements on, but refuses or forgets settings of the start message.
///
/// - A transaction without an owner releases its locks after 10 s.
/// - Compiling (`jit`) takes longer than any of our statements.
/// - Each statement is planned for its values: the best plan depends on the rows of a batch, or on
///   the filters of a list.
const SETTINGS: &str = "SET idle_in_transaction_session_timeout = '10s'; SET jit = off;
    SET plan_cache_mode = force_custom_plan;";

/// Settings of [`PoolPurpose::Events`]. Every statement on the way of an event goes by an index. While a
/// table grows faster than its statistics, the planner would read the whole table, batch after batch.
const EVENTS_SETTINGS: &str = "SET enable_seqscan = off;";

/// Settings of [`PoolPurpose::Batches`]. The statement of a batch is planned once per connection: planning
/// took as long as a hundred rows. The generic plan does not know the lengths of the arrays, and
/// would compare every row with every other, unless hash joins are the only joins allowed.
const BATCHES_SETTINGS: &str = "SET enable_seqscan = off; SET enable_nestloop = off;
    SET plan_cache_mode = force_generic_plan;";

/// Settings of [`PoolPurpose::Management`]. A request gives up waiting for a lock after 5 s, before its
/// client gives up, and a statement ends after 15 s, when no client waits any more. Postgres looks
/// every second whether the client is still connected, and cancels the statement if not.
const MANAGEMENT_SETTINGS: &str = "SET lock_timeout = '5s'; SET statement_timeout = '15s';
    SET client_connection_check_interval = '1s';";

/// The purpose of a pool, which decides the settings of sessions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PoolPurpose {
    /// The way of an event: a few statements, repeated for ever, on fast-growing tables.
    Events,
    /// Taking events in and recording attempts, in batches.
    Batches,
    /// Requests of people and programs to the API.
    Management,
    /// Commands of operators: migrations, sealing anew.
    Commands,
}

impl PoolPurpose {
    /// The pool's name in the metrics. `None`: a command of an operator has no metrics.
    pub fn metric_name(self) -> Option<&'static str> {
        match self {
            Self::Events => Some("work"),
            Self::Batches => Some("batches"),
            Self::Management => Some("requests"),
            Self::Commands => None,
        }
    }

    fn settings(self) -> &'static str {
        match self {
            Self::Events => EVENTS_SETTINGS,
            Self::Batches => BATCHES_SETTINGS,
            Self::Management => MANAGEMENT_SETTINGS,
            Self::Commands => "",
        }
    }
}

/// How long a server may be silent. Beyond, the connection is given up: a network may drop packets
/// without an error.
const MAX_SILENCE: Duration = Duration::from_secs(20);

/// Opens a connection. `sslmode=require` in the URL means TLS, with the server's certificate checked
/// against the system's roots. Any other value means no TLS: TLS without a check protects against
/// no attacker.
pub(crate) async fn open(
    database_url: &str,
    purpose: PoolPurpose,
) -> ConnectionResult<AsyncPgConnection> {
    let mut config = configure(database_url).map_err(bad)?;
    let mut connection = if config.get_ssl_mode() == SslMode::Require {
        let tls = MakeRustlsConnect::new(client_config().map_err(bad)?);
        let (client, connection) = config.connect(tls).await.map_err(bad)?;
        AsyncPgConnection::try_from_client_and_connection(client, connection).await?
    } else {
        // Not `prefer`: a fallback to plain text protects against no attacker.
        config.ssl_mode(SslMode::Disable);
        let (client, connection) = config.connect(NoTls).await.map_err(bad)?;
        AsyncPgConnection::try_from_client_and_connection(client, connection).await?
    };
    // One round trip for all settings.
    let settings = format!("{SETTINGS} {}", purpose.settings());
    let set = connection.batch_execute(&settings).await;
    set.map_err(ConnectionError::CouldntSetupConfiguration)?;
    Ok(connection)
}

/// Opens a connection without our settings, for simple queries only.
pub(crate) async fn open_plain(database_url: &str) -> anyhow::Result<Client> {
    // The timeout of the configuration ends with the TCP handshake: a proxy may accept and never reply.
    let opened = timeout(MAX_SILENCE, handshake(database_url)).await;
    opened.unwrap_or_else(|_| Err(io::Error::from(io::ErrorKind::TimedOut).into()))
}

async fn handshake(database_url: &str) -> anyhow::Result<Client> {
    let mut config = configure(database_url)?;
    let client = if config.get_ssl_mode() == SslMode::Require {
        let tls = MakeRustlsConnect::new(client_config()?);
        let (client, connection) = config.connect(tls).await?;
        tokio::spawn(connection);
        client
    } else {
        config.ssl_mode(SslMode::Disable);
        let (client, connection) = config.connect(NoTls).await?;
        tokio::spawn(connection);
        client
    };
    Ok(client)
}

fn configure(database_url: &str) -> Result<Config, tokio_postgres::Error> {
    let mut config: Config = database_url.parse()?;
    config
        .connect_timeout(MAX_SILENCE)
        .tcp_user_timeout(MAX_SILENCE)
        // 10 s without traffic, then 4 probes 2.5 s apart: the bound in all.
        .keepalives_idle(MAX_SILENCE / 2)
        .keepalives_interval(MAX_SILENCE / 8)
        .keepalives_retries(4);
    Ok(config)
}

fn client_config() -> Result<ClientConfig, rustls::Error> {
    let builder = ClientConfig::builder_with_provider(Arc::new(default_provider()));
    let builder = builder.with_safe_default_protocol_versions()?;
    Ok(builder.with_platform_verifier()?.with_no_client_auth())
}

#[allow(
    clippy::needless_pass_by_value,
    reason = "used as a function of map_err"
)]
fn bad(error: impl std::error::Error) -> ConnectionError {
    let mut text = error.to_string();
    if let Some(cause) = error.source() {
        text = format!("{text}: {cause}");
    }
    ConnectionError::BadConnection(text)
}
