//! What all loops share that consume a queue.

use std::time::Duration;

use tokio_util::sync::CancellationToken;
use webhook_broker::{BrokerError, Intake, Queue, consume};
use webhook_store::{StoreError, ping};

use crate::Worker;

/// The pause after the broker or Postgres failed.
const PAUSE: Duration = Duration::from_millis(500);

/// What a loop consumes.
pub(crate) struct Source {
    pub(crate) queue: Queue,
    /// What the broker calls the consumer.
    pub(crate) name: &'static str,
    /// The most messages in hand.
    pub(crate) prefetch: u16,
}

/// Why consuming broke off. What was not acknowledged comes again.
#[derive(Debug, thiserror::Error)]
pub(crate) enum BrokenOff {
    #[error(transparent)]
    Broker(#[from] BrokerError),
    #[error("events were not written down in time: {0}")]
    Store(StoreError),
}

/// Connects, however long that takes. `None`: the worker is asked to stop.
///
/// One worker consumes events at a time, so one that cannot reach Postgres must not stand in line.
pub(crate) async fn connect(worker: &Worker<'_>, source: &Source) -> Option<Intake> {
    let broker = &worker.settings.broker;
    while !worker.cancel.is_cancelled() {
        match ping(worker.pool).await {
            Err(error) => log::warn!("nothing is consumed without Postgres: {error}"),
            Ok(()) => match consume(broker, source.queue, source.name, source.prefetch).await {
                Ok(intake) => return Some(intake),
                Err(error) => log::warn!("cannot consume from {broker:?}: {error}"),
            },
        }
        pause(worker.cancel).await;
    }
    None
}

/// Disconnects, after consuming has `ended`, and pauses.
pub(crate) async fn leave(worker: &Worker<'_>, intake: Intake, ended: Result<(), BrokenOff>) {
    if let Err(error) = ended {
        log::warn!("consuming broke off, unacknowledged messages come again: {error}");
    }
    intake.close().await;
    pause(worker.cancel).await;
}

/// Waits a little, or until the worker is asked to stop.
pub(crate) async fn pause(cancel: &CancellationToken) {
    tokio::select! {
        () = tokio::time::sleep(PAUSE) => {}
        () = cancel.cancelled() => {}
    }
}
