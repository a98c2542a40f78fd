use std::time::Duration;

use crate::SealError;
use crate::pool::{PoolError, renew_sessions_at_most_each};
use diesel::result::{DatabaseErrorKind, Error};

/// Why something could not be stored or read.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// No connection could be had.
    #[error("no database connection: {0}")]
    Pool(#[from] PoolError),
    /// The database refused the statement, or broke off.
    #[error("database: {0}")]
    Query(Error),
    /// Postgres answers, and takes no writes: it is a standby, or was made read-only.
    #[error("the database takes no writes: it is read-only")]
    ReadOnly,
    /// A stored secret could not be opened.
    #[error(transparent)]
    Sealed(#[from] SealError),
    /// A row holds a name that this version does not know.
    #[error("unreadable row: {0}")]
    Unreadable(String),
}

/// How long sessions are not renewed again because of an error: callers may cause some errors at will.
const RENEWAL_PAUSE: Duration = Duration::from_secs(1);

impl From<Error> for StoreError {
    fn from(error: Error) -> Self {
        if is_of_the_session(&error) {
            renew_sessions_at_most_each(RENEWAL_PAUSE);
        }
        match error {
            Error::DeserializationError(reason) => Self::Unreadable(reason.to_string()),
            error => Self::Query(error),
        }
    }
}

/// Whether an error says something about the session and not about what was asked: the server is a
/// standby by now, or something that diesel has no name for, such as a lost prepared statement, a
/// shutdown or a full disk. Sessions are cheap beside what it may cost to trust them.
fn is_of_the_session(error: &Error) -> bool {
    matches!(
        error,
        Error::DatabaseError(
            DatabaseErrorKind::ReadOnlyTransaction | DatabaseErrorKind::Unknown,
            _
        )
    )
}

impl StoreError {
    /// Whether Postgres refuses a row for what is in it: a constraint says no, today and tomorrow.
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

    /// Whether Postgres is away or takes no writes, so that the same call may work later.
    ///
    /// `false` may mean either: diesel does not tell a full disk from a value that cannot be stored.
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

/// Reads a name that the database holds as text.
pub(crate) fn name<T: std::str::FromStr<Err = webhook_domain::UnknownName>>(
    text: &str,
) -> Result<T, StoreError> {
    text.parse()
        .map_err(|error: webhook_domain::UnknownName| StoreError::Unreadable(error.to_string()))
}

/// What a row holds that this version cannot make sense of.
#[allow(
    clippy::needless_pass_by_value,
    reason = "it is used as a function of map_err"
)]
pub(crate) fn unreadable(error: impl ToString) -> StoreError {
    StoreError::Unreadable(error.to_string())
}
