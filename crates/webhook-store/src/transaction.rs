//! Transactions.

use diesel_async::{AnsiTransactionManager, AsyncPgConnection, TransactionManager};

use crate::StoreError;

/// Does `work` in a transaction: commits when the work succeeds, rolls back when the work fails.
///
/// Call this where no caller drops the future: a transaction dropped in the middle stays open until
/// the pool hands out its connection again, or until Postgres ends it after 10 s.
pub async fn transaction<T, E: From<StoreError>>(
    connection: &mut AsyncPgConnection,
    work: impl AsyncFnOnce(&mut AsyncPgConnection) -> Result<T, E>,
) -> Result<T, E> {
    let begun = AnsiTransactionManager::begin_transaction(connection).await;
    begun.map_err(StoreError::from)?;
    match work(connection).await {
        Ok(done) => {
            let committed = AnsiTransactionManager::commit_transaction(connection).await;
            committed.map_err(StoreError::from)?;
            Ok(done)
        }
        Err(error) => {
            // The caller gets the error of the work. A connection with a failed rollback is dropped
            // by the pool.
            let _ = AnsiTransactionManager::rollback_transaction(connection).await;
            Err(error)
        }
    }
}
