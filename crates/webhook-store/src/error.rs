use diesel::result::DatabaseErrorKind;
use diesel_async::pooled_connection::deadpool::PoolError;

use crate::SealError;

/// Why something could not be stored or read.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// No connection could be had.
    #[error("no database connection: {0}")]
    Pool(#[from] PoolError),
    /// The database refused the statement, or broke off.
    #[error("database: {0}")]
    Query(#[from] diesel::result::Error),
    /// A stored secret could not be opened.
    #[error(transparent)]
    Sealed(#[from] SealError),
    /// A row holds a name that this version does not know.
    #[error("unreadable row: {0}")]
    Unreadable(String),
}

impl StoreError {
    /// Whether Postgres is away, so that the same call may work later.
    pub fn is_unavailable(&self) -> bool {
        match self {
            Self::Pool(_) | Self::Query(diesel::result::Error::BrokenTransactionManager) => true,
            Self::Query(diesel::result::Error::DatabaseError(kind, _)) => {
                matches!(kind, DatabaseErrorKind::ClosedConnection)
            }
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
