//! Opening a database connection.

use std::sync::Arc;
use std::time::Duration;

use diesel::{ConnectionError, ConnectionResult};
use diesel_async::AsyncPgConnection;
use rustls::ClientConfig;
use rustls::crypto::aws_lc_rs::default_provider;
use rustls_platform_verifier::BuilderVerifierExt;
use tokio_postgres::config::SslMode;
use tokio_postgres::{Config, NoTls};
use tokio_postgres_rustls::MakeRustlsConnect;

/// A transaction whose owner is gone must not hold its locks for ever (10 s). Compiling a
/// statement takes longer than any of ours. And each is planned for what it is given: how many
/// rows a batch has, or what people filter by, decides what is the best way to it.
const OPTIONS: &str = "-c idle_in_transaction_session_timeout=10000 -c jit=off \
                       -c plan_cache_mode=force_custom_plan";

/// Every statement on the way of an event means to use an index: a planner that has not been told
/// yet how a table grew must not read it whole, batch after batch.
const EVENTS_OPTIONS: &str = "-c enable_seqscan=off";

/// A batch's statement does the same whatever is in the batch, so it is planned once per connection:
/// that took as long as a hundred of its rows. A plan that does not know how long its arrays are would
/// compare every row with every other, unless it may only join by hash.
const BATCHES_OPTIONS: &str = "-c enable_seqscan=off -c enable_nestloop=off \
                               -c plan_cache_mode=force_generic_plan";

/// A request that waits for another one's lock gives up before its client does.
const MANAGEMENT_OPTIONS: &str = "-c lock_timeout=5000";

/// What connections are for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// The way of an event: the same few statements for ever, on tables that grow fast.
    Events,
    /// Taking events in and recording attempts, in batches.
    Batches,
    /// Everything that people ask for.
    Management,
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
    let mut config: Config = database_url.parse().map_err(bad)?;
    let given = config.get_options().unwrap_or_default();
    let more = match purpose {
        Purpose::Events => EVENTS_OPTIONS,
        Purpose::Batches => BATCHES_OPTIONS,
        Purpose::Management => MANAGEMENT_OPTIONS,
    };
    config.options(format!("{given} {OPTIONS} {more}").trim());
    config
        .connect_timeout(SILENCE)
        .tcp_user_timeout(SILENCE)
        .keepalives_idle(SILENCE / 2)
        .keepalives_interval(SILENCE / 8)
        .keepalives_retries(4);
    if config.get_ssl_mode() == SslMode::Require {
        let tls = MakeRustlsConnect::new(client_config().map_err(bad)?);
        let (client, connection) = config.connect(tls).await.map_err(bad)?;
        return AsyncPgConnection::try_from_client_and_connection(client, connection).await;
    }
    config.ssl_mode(SslMode::Disable);
    let (client, connection) = config.connect(NoTls).await.map_err(bad)?;
    AsyncPgConnection::try_from_client_and_connection(client, connection).await
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
