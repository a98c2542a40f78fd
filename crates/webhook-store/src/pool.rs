//! Pools of sessions with Postgres. A session that went wrong is not used again.

use std::ops::{Deref, DerefMut};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use deadpool::managed::{self, Metrics, Object, RecycleError, RecycleResult};
use diesel::ConnectionError;
use diesel::connection::InstrumentationEvent;
use diesel::result::{DatabaseErrorKind, Error};
use diesel_async::pooled_connection::PoolableConnection;
use diesel_async::{AsyncConnection, AsyncPgConnection};

use crate::connection::Purpose;
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
        generation: Arc::default(),
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
/// standby or was made read-only, makes every session of the pool be opened anew.
pub async fn ping(pool: &Pool) -> Result<(), StoreError> {
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
    connection.session().watch.renew_all();
    Err(StoreError::ReadOnly)
}

/// Opens sessions, and decides which of them are used again.
#[derive(Debug)]
pub struct Sessions {
    database_url: String,
    purpose: Purpose,
    /// Sessions of an earlier generation are not used again.
    generation: Arc<AtomicU64>,
}

/// A session with Postgres.
pub struct Session {
    connection: AsyncPgConnection,
    opened: Instant,
    generation: u64,
    watch: Arc<Watch>,
}

/// What is known of a session from the answers that it got.
struct Watch {
    /// A statement was sent whose answer nobody waits for any more, or is being waited for.
    asked: AtomicBool,
    /// Postgres answered with an error that is no answer to a question of ours.
    failed: AtomicBool,
    generation: Arc<AtomicU64>,
}

impl Watch {
    /// Has every session of the pool opened anew.
    fn renew_all(&self) {
        self.generation.fetch_add(1, Ordering::Relaxed);
    }

    fn observe(&self, event: &InstrumentationEvent<'_>) {
        if let InstrumentationEvent::StartQuery { .. } = event {
            self.asked.store(true, Ordering::Relaxed);
        }
        if let InstrumentationEvent::FinishQuery { error, .. } = event {
            self.asked.store(false, Ordering::Relaxed);
            match error.map(fault) {
                None | Some(Fault::None) => {}
                Some(Fault::Session) => self.failed.store(true, Ordering::Relaxed),
                Some(Fault::Server) => self.renew_all(),
            }
        }
    }
}

/// What an error says about the session that it came over.
enum Fault {
    /// Nothing: it is an answer, such as "this row is there already".
    None,
    /// It is not to be relied on any more.
    Session,
    /// Nor are the others with this server.
    Server,
}

#[allow(
    clippy::wildcard_enum_match_arm,
    reason = "every other error is an answer"
)]
fn fault(error: &Error) -> Fault {
    match error {
        Error::DatabaseError(DatabaseErrorKind::ReadOnlyTransaction, _) => Fault::Server,
        // A shutdown, a failover, a lost prepared statement, a full disk: diesel tells no more of
        // these than that they are others. A session is cheap beside what it may cost to trust it.
        Error::DatabaseError(
            DatabaseErrorKind::Unknown
            | DatabaseErrorKind::ClosedConnection
            | DatabaseErrorKind::UnableToSendCommand,
            _,
        )
        | Error::BrokenTransactionManager => Fault::Session,
        _ => Fault::None,
    }
}

impl managed::Manager for Sessions {
    type Type = Session;
    type Error = ConnectionError;

    async fn create(&self) -> Result<Session, ConnectionError> {
        // Read before the session is opened: it may be told meanwhile that this server is no good.
        let (opened, generation) = (Instant::now(), self.generation.load(Ordering::Relaxed));
        // Boxed, as every future that takes a connection would be as large.
        let opening = Box::pin(connection::open(&self.database_url, self.purpose));
        let mut connection = opening.await?;
        let watch = Arc::new(Watch {
            asked: AtomicBool::new(false),
            failed: AtomicBool::new(false),
            generation: self.generation.clone(),
        });
        let watching = watch.clone();
        connection.set_instrumentation(move |event: InstrumentationEvent<'_>| {
            watching.observe(&event);
        });
        Ok(Session {
            connection,
            opened,
            generation,
            watch,
        })
    }

    async fn recycle(&self, session: &mut Session, _: &Metrics) -> RecycleResult<ConnectionError> {
        let outlived = session.generation != self.generation.load(Ordering::Relaxed)
            || session.opened.elapsed() > MAX_AGE;
        if outlived || session.is_unusable() {
            return Err(RecycleError::message("it is opened anew"));
        }
        Ok(())
    }
}

impl Session {
    fn is_unusable(&mut self) -> bool {
        self.watch.asked.load(Ordering::Relaxed)
            || self.watch.failed.load(Ordering::Relaxed)
            || self.connection.is_broken()
    }
}

/// A connection that goes back to its pool when dropped, unless it went wrong.
///
/// Dropped in the middle of a statement or a transaction, as its request's client went away, it is
/// closed: Postgres then breaks the statement off and rolls the transaction back.
pub struct Connection(Option<Object<Sessions>>);

impl From<Object<Sessions>> for Connection {
    fn from(session: Object<Sessions>) -> Self {
        Self(Some(session))
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        if let Some(mut session) = self.0.take()
            && session.is_unusable()
        {
            drop(Object::take(session));
        }
    }
}

impl Connection {
    fn session(&self) -> &Session {
        self.0.as_ref().expect("it is taken when it is dropped")
    }
}

impl Deref for Connection {
    type Target = AsyncPgConnection;

    fn deref(&self) -> &AsyncPgConnection {
        &self.session().connection
    }
}

impl DerefMut for Connection {
    fn deref_mut(&mut self) -> &mut AsyncPgConnection {
        let session = self.0.as_mut();
        &mut session.expect("it is taken when it is dropped").connection
    }
}
