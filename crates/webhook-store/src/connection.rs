//! Opening a database connection.

use std::sync::Arc;
use std::time::Duration;

use diesel::{ConnectionError, ConnectionResult};
use diesel_async::{AsyncPgConnection, SimpleAsyncConnection};
use rustls::ClientConfig;
use rustls::crypto::aws_lc_rs::default_provider;
use rustls_platform_verifier::BuilderVerifierExt;
use tokio_postgres::config::SslMode;
use tokio_postgres::{Client, Config, NoTls};
use tokio_postgres_rustls::MakeRustlsConnect;

/// Settings of every session. They are set by a statement after connecting and not with the start
/// message: a PgBouncer in session mode passes statements on, and refuses or forgets the other.
///
/// A transaction whose owner is gone must not hold its locks for ever (10 s). Compiling a
/// statement takes longer than any of ours. And each is planned for what it is given: how many
/// rows a batch has, or what people filter by, decides what is the best way to it.
const SETTINGS: &str = "SET idle_in_transaction_session_timeout = '10s'; SET jit = off;
    SET plan_cache_mode = force_custom_plan;";

/// Every statement on the way of an event means to use an index: a planner that has not been told
/// yet how a table grew must not read it whole, batch after batch.
const EVENTS_SETTINGS: &str = "SET enable_seqscan = off;";

/// A batch's statement does the same whatever is in the batch, so it is planned once per connection:
/// that took as long as a hundred of its rows. A plan that does not know how long its arrays are would
/// compare every row with every other, unless it may only join by hash.
const BATCHES_SETTINGS: &str = "SET enable_seqscan = off; SET enable_nestloop = off;
    SET plan_cache_mode = force_generic_plan;";

/// A request that waits for another one's lock gives up before its client does (5 s), and no
/// question of a request keeps Postgres busy for longer than anybody waits for the answer (15 s).
/// A client that went away takes its statement with it: Postgres looks for that every second.
const MANAGEMENT_SETTINGS: &str = "SET lock_timeout = '5s'; SET statement_timeout = '15s';
    SET client_connection_check_interval = '1s';";

/// What connections are for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// The way of an event: the same few statements for ever, on tables that grow fast.
    Events,
    /// Taking events in and recording attempts, in batches.
    Batches,
    /// Everything that people ask for through the API.
    Management,
    /// What an operator starts and waits for: migrations, sealing anew.
    Commands,
}

impl Purpose {
    fn settings(self) -> &'static str {
        match self {
            Self::Events => EVENTS_SETTINGS,
            Self::Batches => BATCHES_SETTINGS,
            Self::Management => MANAGEMENT_SETTINGS,
            Self::Commands => "",
        }
    }
}

/// A server that is silent for so long is gone, and with it the connection: the network may
/// swallow packets without a word.
const SILENCE: Duration = Duration::from_secs(20);

/// Opens a connection. `sslmode=require` in the URL means TLS with the server's certificate
/// checked against the system's roots; anything else means no TLS, as there is nothing between
/// the two that would protect against anybody.
pub(crate) async fn open(
    database_url: &str,
    purpose: Purpose,
) -> ConnectionResult<AsyncPgConnection> {
    let mut config = configure(database_url).map_err(bad)?;
    let mut connection = if config.get_ssl_mode() == SslMode::Require {
        let tls = MakeRustlsConnect::new(client_config().map_err(bad)?);
        let (client, connection) = config.connect(tls).await.map_err(bad)?;
        AsyncPgConnection::try_from_client_and_connection(client, connection).await?
    } else {
        config.ssl_mode(SslMode::Disable);
        let (client, connection) = config.connect(NoTls).await.map_err(bad)?;
        AsyncPgConnection::try_from_client_and_connection(client, connection).await?
    };
    let settings = format!("{SETTINGS} {}", purpose.settings());
    let set = connection.batch_execute(&settings).await;
    set.map_err(ConnectionError::CouldntSetupConfiguration)?;
    Ok(connection)
}

/// Opens a connection without settings of ours, for simple queries only.
pub(crate) async fn open_plain(database_url: &str) -> anyhow::Result<Client> {
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
        .connect_timeout(SILENCE)
        .tcp_user_timeout(SILENCE)
        .keepalives_idle(SILENCE / 2)
        .keepalives_interval(SILENCE / 8)
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
    reason = "it is used as a function of map_err"
)]
fn bad(error: impl std::error::Error) -> ConnectionError {
    let mut text = error.to_string();
    if let Some(cause) = error.source() {
        text = format!("{text}: {cause}");
    }
    ConnectionError::BadConnection(text)
}
