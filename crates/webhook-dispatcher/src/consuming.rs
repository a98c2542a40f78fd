//! What all loops share that consume a queue.

use std::time::Duration;

use tokio_util::sync::CancellationToken;
use webhook_broker::{BrokerError, Intake, Queue, consume};
use webhook_store::{StoreError, ping};

use crate::Worker;

/// The pause after the broker or Postgres failed.
const PAUSE: Duration = Duration::from_millis(500);

/// The longest pause before messages are taken again that Postgres did not take.
const MAX_PAUSE: Duration = Duration::from_secs(30);

/// What a loop consumes.
pub(crate) struct Source {
    pub(crate) queue: Queue,
    /// What the broker calls the consumer.
    pub(crate) name: &'static str,
    /// The most messages in hand, once they are known to be small.
    pub(crate) max_prefetch: u16,
}

/// Why consuming broke off. What was not acknowledged comes again.
#[derive(Debug, thiserror::Error)]
pub(crate) enum BrokenOff {
    #[error(transparent)]
    Broker(#[from] BrokerError),
    #[error("events were not written down in time: {0}")]
    Store(StoreError),
    #[error("messages have become so large that fewer may be in hand")]
    TooLarge,
}

/// Connects, however long that takes. `None`: the worker is asked to stop.
///
/// One worker consumes events at a time, so one whose Postgres is away or read-only must not stand
/// in line; and nothing is taken that cannot be committed, as what comes back is counted.
pub(crate) async fn connect(worker: &Worker<'_>, source: &Source) -> Option<Intake> {
    let broker = &worker.settings.broker;
    while !worker.cancel.is_cancelled() {
        match ping(worker.pool).await {
            Err(error) => log::warn!("{} waits for Postgres: {error}", source.name),
            Ok(()) => match consume(broker, source.queue, source.name, source.max_prefetch).await {
                Ok(intake) => return Some(intake),
                Err(error) => log::warn!("cannot consume from {broker:?}: {error}"),
            },
        }
        pause(worker.cancel).await;
    }
    None
}

/// Disconnects, after consuming has `ended`, and pauses. `store_failures`: how often in a row it was
/// Postgres that did not take what was handed out; the pause doubles with each.
pub(crate) async fn leave(
    worker: &Worker<'_>,
    intake: Intake,
    ended: Result<(), BrokenOff>,
    store_failures: &mut u32,
) {
    *store_failures = match &ended {
        Err(BrokenOff::Store(_)) => *store_failures + 1,
        _ => 0,
    };
    if let Err(error) = ended {
        log::warn!("consuming broke off, unacknowledged messages come again: {error}");
    }
    intake.close().await;
    let doubled = PAUSE * 2_u32.saturating_pow((*store_failures).min(10));
    pause_for(worker.cancel, doubled.min(MAX_PAUSE)).await;
}

/// Waits a little, or until the worker is asked to stop.
pub(crate) async fn pause(cancel: &CancellationToken) {
    pause_for(cancel, PAUSE).await;
}

async fn pause_for(cancel: &CancellationToken, pause: Duration) {
    tokio::select! {
        () = tokio::time::sleep(pause) => {}
        () = cancel.cancelled() => {}
    }
}
