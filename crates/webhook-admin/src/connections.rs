//! Database connections of operations.

use tokio::runtime::Handle;
use webhook_store::{Connection, Pool, StoreError};

use crate::refusal::Refusal;

/// Database connections for handlers.
///
/// A connection lives on the runtime that opened it. Each HTTP worker has a small runtime of its
/// own, so connections are opened on the one that made this.
pub struct Connections {
    pool: Pool,
    runtime: Handle,
}

impl Connections {
    /// Opens connections on the current runtime, whoever asks for them.
    pub fn new(pool: Pool) -> Self {
        let runtime = Handle::current();
        Self { pool, runtime }
    }

    /// Takes a connection; it goes back when dropped.
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
        // It is only aborted when the runtime ends, and then nobody waits for the answer.
        pinging
            .await
            .unwrap_or_else(|error| Err(StoreError::Unreadable(error.to_string())))
    }
}
