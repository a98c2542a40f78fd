use diesel_async::{AnsiTransactionManager, AsyncPgConnection, TransactionManager};

use crate::StoreError;

/// Does `work` in a transaction: all of it, or nothing when it fails.
///
/// When the caller is dropped in the middle, its connection does not go back to the pool, and
/// Postgres takes everything back.
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
            // What broke the work is told; a connection that cannot even roll back is dropped.
            let _ = AnsiTransactionManager::rollback_transaction(connection).await;
            Err(error)
        }
    }
}
