//! Database connections of operations.

use tokio::runtime::Handle;
use webhook_store::{Connection, Pool, StoreError};

use crate::refusal::Refusal;

/// Database connections for handlers.
///
/// A connection lives on the runtime of its opening. Each HTTP worker has a small runtime of its own,
/// so connections are opened on the process's main runtime.
pub struct Connections {
    pool: Pool,
    runtime: Handle,
}

impl Connections {
    /// A pool whose connections are opened on the current runtime.
    pub fn new(pool: Pool) -> Self {
        let runtime = Handle::current();
        Self { pool, runtime }
    }

    /// Takes a connection out of the pool; dropping the connection gives it back.
    pub async fn acquire(&self) -> Result<Connection, Refusal> {
        let pool = self.pool.clone();
        let acquiring = async move { webhook_store::acquire(&pool).await };
        let acquired = self.runtime.spawn(acquiring).await;
        Ok(acquired.map_err(|_| Refusal::Stopping)??.hold())
    }

    /// Whether Postgres answers.
    pub async fn ping(&self) -> Result<(), StoreError> {
        let pool = self.pool.clone();
        let pinging = self
            .runtime
            .spawn(async move { webhook_store::ping(&pool).await });
        // The ping is only aborted at the end of the runtime, when no request waits for the result.
        pinging
            .await
            .unwrap_or_else(|error| Err(StoreError::Unreadable(error.to_string())))
    }
}
