//! The error of all functions of this crate.

use std::time::Duration;

use deadpool::managed;
use diesel::ConnectionError;
use diesel::result::{DatabaseErrorKind, Error};

use crate::{SealError, generation};

/// Why a pool gave no session.
pub type PoolError = managed::PoolError<ConnectionError>;

/// Why a value could not be stored or read.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The pool gave no connection.
    #[error("no database connection: {0}")]
    Pool(#[from] PoolError),
    /// The database refused the statement, or the connection broke.
    #[error("database: {0}")]
    Query(Error),
    /// Postgres replies but takes no writes: a standby, or a server made read-only.
    #[error("the database is read-only")]
    ReadOnly,
    /// A stored secret could not be opened.
    #[error(transparent)]
    Sealed(#[from] SealError),
    /// A row holds a value unknown to this version.
    #[error("unreadable row: {0}")]
    Unreadable(String),
}

/// The least time between two renewals of all sessions because of errors: callers may cause some
/// errors at will.
const RENEWAL_PAUSE: Duration = Duration::from_secs(1);

impl From<Error> for StoreError {
    fn from(error: Error) -> Self {
        if is_about_the_session(&error) {
            generation::renew_at_most_each(RENEWAL_PAUSE);
        }
        // Row structs hold domain values: an unknown name fails in diesel.
        if let Error::DeserializationError(reason) = error {
            return Self::Unreadable(reason.to_string());
        }
        Self::Query(error)
    }
}

/// Whether an error is about the session and not about the statement: the server is a standby by now,
/// or diesel has no name for the error, as for a lost prepared statement, a shutdown or a full disk.
fn is_about_the_session(error: &Error) -> bool {
    // Sessions are cheap beside the price of trusting broken ones, so unknown errors renew them too.
    matches!(
        error,
        Error::DatabaseError(
            DatabaseErrorKind::ReadOnlyTransaction | DatabaseErrorKind::Unknown,
            _
        )
    )
}

impl StoreError {
    /// Whether Postgres refuses a row because of its values: a constraint says no, today and tomorrow.
    pub fn is_refusal(&self) -> bool {
        let Self::Query(Error::DatabaseError(kind, _)) = self else {
            return false;
        };
        matches!(
            kind,
            DatabaseErrorKind::CheckViolation
                | DatabaseErrorKind::NotNullViolation
                | DatabaseErrorKind::ForeignKeyViolation
                | DatabaseErrorKind::UniqueViolation
                | DatabaseErrorKind::ExclusionViolation
                | DatabaseErrorKind::RestrictViolation
        )
    }

    /// Whether Postgres is away or takes no writes, and the same call may succeed later.
    ///
    /// `false` proves nothing: diesel does not tell a full disk from a value of the wrong kind.
    pub fn is_unavailable(&self) -> bool {
        match self {
            Self::Pool(_) | Self::ReadOnly | Self::Query(Error::BrokenTransactionManager) => true,
            Self::Query(Error::DatabaseError(kind, _)) => matches!(
                kind,
                DatabaseErrorKind::ClosedConnection
                    | DatabaseErrorKind::UnableToSendCommand
                    | DatabaseErrorKind::ReadOnlyTransaction
                    | DatabaseErrorKind::SerializationFailure
            ),
            Self::Query(_) | Self::Sealed(_) | Self::Unreadable(_) => false,
        }
    }
}

/// Parses a name out of a JSON document of a row.
pub(crate) fn name<T: std::str::FromStr<Err = webhook_domain::UnknownName>>(
    text: &str,
) -> Result<T, StoreError> {
    text.parse().map_err(unreadable)
}

/// The error of a row with a value unknown to this version.
#[allow(
    clippy::needless_pass_by_value,
    reason = "used as a function of map_err"
)]
pub(crate) fn unreadable(error: impl ToString) -> StoreError {
    StoreError::Unreadable(error.to_string())
}
