//! Pools of sessions with Postgres. A session that went wrong is not used again.

use std::ops::{Deref, DerefMut};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use deadpool::managed::{self, Metrics, Object, RecycleError, RecycleResult};
use diesel::ConnectionError;
use diesel_async::AsyncPgConnection;
use diesel_async::pooled_connection::PoolableConnection;

use crate::connection::Purpose;
use crate::droppable::{self, droppable};
use crate::{StoreError, connection};

/// A pool of database sessions. Cloning it shares it.
pub type Pool = managed::Pool<Sessions, Connection>;

/// Why no session could be had from a pool.
pub type PoolError = managed::PoolError<ConnectionError>;

/// A connection as functions take it, inside of a [`transaction`](crate::transaction()) too.
pub type RawConnection = AsyncPgConnection;

/// How long a caller waits for a connection before it is told that there is none.
const WAIT: Duration = Duration::from_secs(5);

/// How long a session is used: after a failover that nobody told us of, reads come from the right
/// server again within this time.
const MAX_AGE: Duration = Duration::from_secs(300);

/// Why no pool could be made.
#[derive(Debug, thiserror::Error)]
#[error("cannot make a connection pool: {0}")]
pub struct ConnectError(#[from] managed::BuildError);

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
    let sessions = Sessions {
        database_url: database_url.to_owned(),
        purpose,
    };
    let pool = managed::Pool::builder(sessions)
        .max_size(max_size)
        .wait_timeout(Some(WAIT))
        .create_timeout(Some(WAIT))
        .recycle_timeout(Some(WAIT))
        .runtime(deadpool::Runtime::Tokio1)
        .build()?;
    Ok(pool)
}

/// Takes a connection out of the pool.
pub async fn acquire(pool: &Pool) -> Result<Connection, StoreError> {
    Ok(pool.get().await?)
}

/// Whether Postgres answers and takes writes. A session that is read-only, as its server is a
/// standby or was made read-only, has all sessions opened anew.
pub async fn ping(pool: &Pool) -> Result<(), StoreError> {
    droppable(ask_for_writes(pool)).await
}

async fn ask_for_writes(pool: &Pool) -> Result<(), StoreError> {
    use diesel_async::RunQueryDsl;

    #[derive(diesel::QueryableByName)]
    struct Answer {
        #[diesel(sql_type = diesel::sql_types::Bool)]
        writable: bool,
    }
    let mut connection = acquire(pool).await?;
    let ask = "SELECT current_setting('transaction_read_only') = 'off' AS writable";
    let answer: Answer = diesel::sql_query(ask).get_result(&mut *connection).await?;
    if answer.writable {
        return Ok(());
    }
    renew_sessions();
    Err(StoreError::ReadOnly)
}

/// Sessions of an earlier generation are not used again, in none of the pools.
static GENERATION: AtomicU64 = AtomicU64::new(0);

/// Has every session opened anew before it is used again.
///
/// Called when Postgres answers in a way that says something about the session and not about the
/// question: that it is read-only after a failover, or that it has lost a prepared statement.
pub(crate) fn renew_sessions() {
    GENERATION.fetch_add(1, Ordering::Relaxed);
}

/// The same, unless they were renewed within so long.
pub(crate) fn renew_sessions_at_most_each(pause: Duration) {
    static RENEWED: Mutex<Option<Instant>> = Mutex::new(None);
    let mut renewed = RENEWED.lock().unwrap_or_else(PoisonError::into_inner);
    if renewed.is_none_or(|at| at.elapsed() >= pause) {
        *renewed = Some(Instant::now());
        renew_sessions();
    }
}

/// Opens sessions, and decides which of them are used again.
#[derive(Debug)]
pub struct Sessions {
    database_url: String,
    purpose: Purpose,
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
        // Read before the session is opened: it may be told meanwhile that this server is no good.
        let generation = GENERATION.load(Ordering::Relaxed);
        // Boxed, as every future that takes a connection would be as large.
        let opening = Box::pin(connection::open(&self.database_url, self.purpose));
        Ok(Session {
            connection: opening.await?,
            opened: Instant::now(),
            generation,
        })
    }

    async fn recycle(&self, session: &mut Session, _: &Metrics) -> RecycleResult<ConnectionError> {
        let outlived = session.generation != GENERATION.load(Ordering::Relaxed)
            || session.opened.elapsed() > MAX_AGE;
        if outlived || session.connection.is_broken() {
            return Err(RecycleError::message("it is opened anew"));
        }
        Ok(())
    }
}

/// A connection that goes back to its pool when dropped.
///
/// One whose work was [dropped](droppable()) in the middle is closed: Postgres then breaks its
/// statement off and rolls its transaction back.
pub struct Connection {
    session: Option<Object<Sessions>>,
    /// Whether the work that holds it is being done at this moment.
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
        if !at_work && let Some(session) = self.session.take() {
            drop(Object::take(session));
        }
    }
}

impl Connection {
    /// Tells a connection that was acquired elsewhere by which work it is held.
    pub fn hold(mut self) -> Self {
        self.work = droppable::current();
        self
    }
}

impl Deref for Connection {
    type Target = AsyncPgConnection;

    fn deref(&self) -> &AsyncPgConnection {
        let session = self.session.as_ref();
        &session.expect("it is taken when it is dropped").connection
    }
}

impl DerefMut for Connection {
    fn deref_mut(&mut self) -> &mut AsyncPgConnection {
        let session = self.session.as_mut();
        &mut session.expect("it is taken when it is dropped").connection
    }
}
