use std::time::Duration;

use diesel_async::pooled_connection::deadpool;
use diesel_async::pooled_connection::{
    AsyncDieselConnectionManager, ManagerConfig, RecyclingMethod,
};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use futures_util::FutureExt;

use crate::connection::Purpose;
use crate::{StoreError, connection};

/// A pool of database connections. Cloning it shares it.
pub type Pool = deadpool::Pool<AsyncPgConnection>;

/// A connection that goes back to its pool when dropped.
pub type Connection = deadpool::Object<AsyncPgConnection>;

/// A connection as functions take it, inside of a [`transaction`](crate::transaction()) too.
pub type RawConnection = AsyncPgConnection;

/// How long a caller waits for a connection before it is told that there is none.
const WAIT: Duration = Duration::from_secs(5);

/// Why no pool could be made.
#[derive(Debug, thiserror::Error)]
#[error("cannot make a connection pool: {0}")]
pub struct ConnectError(#[from] deadpool::BuildError);

/// Makes a pool of up to `max_size` connections, which are opened when they are wanted: Postgres
/// may be away when a service starts.
#[allow(
    clippy::unused_async,
    reason = "opening it early must not change the callers"
)]
pub async fn connect(
    database_url: &str,
    max_size: usize,
    purpose: Purpose,
) -> Result<Pool, ConnectError> {
    let mut config = ManagerConfig::default();
    // One that is closed is left out in any case; to ask each of the others first whether it works
    // would be a round trip for every batch and every request.
    config.recycling_method = RecyclingMethod::Fast;
    config.custom_setup = Box::new(move |url| connection::open(url, purpose).boxed());
    let manager = AsyncDieselConnectionManager::new_with_config(database_url, config);
    let pool = Pool::builder(manager)
        .max_size(max_size)
        .wait_timeout(Some(WAIT))
        .create_timeout(Some(WAIT))
        .recycle_timeout(Some(WAIT))
        .runtime(::deadpool::Runtime::Tokio1)
        .build()?;
    Ok(pool)
}

/// Takes a connection out of the pool.
pub async fn acquire(pool: &Pool) -> Result<Connection, StoreError> {
    Ok(pool.get().await?)
}

/// Whether Postgres answers.
pub async fn ping(pool: &Pool) -> Result<(), StoreError> {
    let mut connection = acquire(pool).await?;
    diesel::sql_query("SELECT 1")
        .execute(&mut *connection)
        .await?;
    Ok(())
}
