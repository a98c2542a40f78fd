//! From finished attempts into Postgres, as many in one statement as are there.

use std::time::Duration;

use tokio::sync::mpsc;
use webhook_domain::WebhookId;
use webhook_store::attempts::{AttemptResult, record};
use webhook_store::{Pool, StoreError, acquire, webhooks};

/// How many results wait at most; then attempts wait to hand theirs in.
const CAPACITY: usize = 4_096;

/// The most results in one statement.
const BATCH: usize = 500;

/// The pause after Postgres failed.
const PAUSE: Duration = Duration::from_millis(500);

/// A finished attempt.
pub(crate) struct Finished {
    pub(crate) result: AttemptResult,
    /// The webhook that wants nothing more.
    pub(crate) disable: Option<WebhookId>,
}

/// Where attempts hand in their results.
pub(crate) type Results = mpsc::Sender<Finished>;

/// The way from the courier to the recorder.
pub(crate) fn channel() -> (Results, mpsc::Receiver<Finished>) {
    mpsc::channel(CAPACITY)
}

/// Records until the courier is gone and all is recorded.
pub(crate) async fn record_all(pool: Pool, mut results: mpsc::Receiver<Finished>) {
    let mut batch = Vec::with_capacity(BATCH);
    while results.recv_many(&mut batch, BATCH).await > 0 {
        let disabled: Vec<WebhookId> = batch.iter().filter_map(|f| f.disable).collect();
        let finished: Vec<AttemptResult> = batch.drain(..).map(|f| f.result).collect();
        // Recording twice is harmless, so a lost answer is no reason to stop.
        while let Err(error) = write(&pool, &finished, &disabled).await {
            log::warn!("cannot record {} attempts yet: {error}", finished.len());
            tokio::time::sleep(PAUSE).await;
        }
    }
}

async fn write(
    pool: &Pool,
    finished: &[AttemptResult],
    disabled: &[WebhookId],
) -> Result<(), StoreError> {
    let mut connection = acquire(pool).await?;
    record(&mut connection, finished).await?;
    for webhook_id in disabled {
        webhooks::disable(
            &mut connection,
            *webhook_id,
            "the receiver answered 410 Gone",
        )
        .await?;
    }
    Ok(())
}
