//! Pools of sessions with Postgres. A broken or outdated session is not used again.

use std::ops::{Deref, DerefMut};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use deadpool::managed::{self, Metrics, Object, RecycleError, RecycleResult};
use diesel::ConnectionError;
use diesel_async::AsyncPgConnection;
use diesel_async::pooled_connection::PoolableConnection;
use webhook_metrics::catalogue::{POSTGRES_CONNECTIONS, POSTGRES_CONNECTIONS_MAX, POSTGRES_WAIT};

use crate::connection::PoolPurpose;
use crate::droppable::{self, droppable};
use crate::{StoreError, connection, generation};

/// A pool of database sessions. Cloning it shares it.
pub type Pool = managed::Pool<Sessions, Connection>;

/// A connection as functions take it, inside and outside of a [`transaction`](crate::transaction()).
pub type RawConnection = AsyncPgConnection;

/// How long a caller waits for a connection, then gets an error. As long as clients wait for the API.
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(5);

/// How long a session is used. After a failover without an error, reads come from the right server
/// again within 5 minutes.
const MAX_SESSION_AGE: Duration = Duration::from_secs(300);

/// Why no pool could be made.
#[derive(Debug, thiserror::Error)]
#[error("cannot make a connection pool: {0}")]
pub struct ConnectError(#[from] managed::BuildError);

/// Makes a pool of up to `max_size` connections. A connection is opened at its first use: Postgres may
/// be away when a service starts.
#[allow(
    clippy::unused_async,
    reason = "opening connections at the start must not change the callers"
)]
pub async fn connect(
    database_url: &str,
    max_size: usize,
    purpose: PoolPurpose,
) -> Result<Pool, ConnectError> {
    let sessions = Sessions {
        database_url: database_url.to_owned(),
        purpose,
    };
    let pool = managed::Pool::builder(sessions)
        .max_size(max_size)
        .wait_timeout(Some(ACQUIRE_TIMEOUT))
        .create_timeout(Some(ACQUIRE_TIMEOUT))
        .recycle_timeout(Some(ACQUIRE_TIMEOUT))
        .runtime(deadpool::Runtime::Tokio1)
        .build()?;
    Ok(pool)
}

/// Takes a connection out of the pool.
pub async fn acquire(pool: &Pool) -> Result<Connection, StoreError> {
    let began = Instant::now();
    let connection = pool.get().await;
    // A wait in vain is the longest of all.
    if let Some(name) = pool.manager().purpose.metric_name() {
        POSTGRES_WAIT.record_for(&[name], began.elapsed().as_secs_f64());
    }
    Ok(connection?)
}

/// Shows how many connections of a pool are open, busy and idle.
pub fn show_size(pool: &Pool) {
    let status = pool.status();
    if let Some(name) = pool.manager().purpose.metric_name() {
        let busy = status.size.saturating_sub(status.available);
        POSTGRES_CONNECTIONS.set_count_for(&[name, "busy"], busy);
        POSTGRES_CONNECTIONS.set_count_for(&[name, "idle"], status.available);
        POSTGRES_CONNECTIONS_MAX.set_count_for(&[name], status.max_size);
    }
}

/// Checks that Postgres replies and takes writes. A read-only session has all sessions opened anew: its
/// server is a standby by now, or was made read-only.
pub async fn ping(pool: &Pool) -> Result<(), StoreError> {
    droppable(check_writable(pool)).await
}

async fn check_writable(pool: &Pool) -> Result<(), StoreError> {
    use diesel_async::RunQueryDsl;

    #[derive(diesel::QueryableByName)]
    struct Reply {
        #[diesel(sql_type = diesel::sql_types::Bool)]
        writable: bool,
    }
    let mut connection = acquire(pool).await?;
    let ask = "SELECT current_setting('transaction_read_only') = 'off' AS writable";
    let reply: Reply = diesel::sql_query(ask).get_result(&mut *connection).await?;
    if reply.writable {
        return Ok(());
    }
    generation::renew();
    Err(StoreError::ReadOnly)
}

/// Opens the sessions of a pool, and decides which sessions are used again.
#[derive(Debug)]
pub struct Sessions {
    database_url: String,
    purpose: PoolPurpose,
}

/// A session with Postgres.
pub struct Session {
    connection: AsyncPgConnection,
    opened: Instant,
    generation: u64,
}

impl managed::Manager for Sessions {
    type Type = Session;
    type Error = ConnectionError;

    async fn create(&self) -> Result<Session, ConnectionError> {
        // Read before the session is opened: a renewal meanwhile must count for this session, too.
        let generation = generation::current();
        // Boxed: the future of opening is large, and every future with a connection would contain one.
        let opening = Box::pin(connection::open(&self.database_url, self.purpose));
        Ok(Session {
            connection: opening.await?,
            opened: Instant::now(),
            generation,
        })
    }

    async fn recycle(&self, session: &mut Session, _: &Metrics) -> RecycleResult<ConnectionError> {
        // No query as a check: a round trip for every acquire would double the cost of a short statement.
        let outlived = session.generation != generation::current()
            || session.opened.elapsed() > MAX_SESSION_AGE;
        if outlived || session.connection.is_broken() {
            return Err(RecycleError::message("the connection is opened anew"));
        }
        Ok(())
    }
}

/// A connection of a pool. Dropping returns the connection to the pool.
///
/// The connection of [dropped](droppable()) work is closed: Postgres then cancels the statement and
/// rolls the transaction back.
pub struct Connection {
    session: Option<Object<Sessions>>,
    /// Whether the work with this connection is being polled now.
    work: Option<Arc<AtomicBool>>,
}

impl From<Object<Sessions>> for Connection {
    fn from(session: Object<Sessions>) -> Self {
        Self {
            session: Some(session),
            work: droppable::current(),
        }
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        let at_work = self
            .work
            .as_ref()
            .is_none_or(|work| work.load(Ordering::Relaxed));
        // Not polled means dropped in the middle: taken out of the pool, and closed with the drop.
        if !at_work && let Some(session) = self.session.take() {
            drop(Object::take(session));
        }
    }
}

impl Connection {
    /// Ties a connection acquired elsewhere to the current [droppable](droppable()) work.
    pub fn hold(mut self) -> Self {
        self.work = droppable::current();
        self
    }
}

impl Deref for Connection {
    type Target = AsyncPgConnection;

    fn deref(&self) -> &AsyncPgConnection {
        let session = self.session.as_ref();
        &session
            .expect("the connection is taken in drop only")
            .connection
    }
}

impl DerefMut for Connection {
    fn deref_mut(&mut self) -> &mut AsyncPgConnection {
        let session = self.session.as_mut();
        &mut session
            .expect("the connection is taken in drop only")
            .connection
    }
}
