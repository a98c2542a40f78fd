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

/// Reads a name that the database holds as text.
pub(crate) fn name<T: std::str::FromStr<Err = webhook_domain::UnknownName>>(
    text: &str,
) -> Result<T, StoreError> {
    text.parse()
        .map_err(|error: webhook_domain::UnknownName| StoreError::Unreadable(error.to_string()))
}
