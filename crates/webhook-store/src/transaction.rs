use diesel_async::{AnsiTransactionManager, AsyncPgConnection, TransactionManager};

use crate::StoreError;

/// Does `work` in a transaction: all of it, or nothing when it fails.
///
/// A caller that is dropped in the middle leaves it open until the pool hands that connection out
/// again, which then ends it, or until Postgres does after 10 s. So run it where nobody drops it.
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
