//! What all loops share that consume a queue.

use std::sync::Arc;
use std::sync::atomic::AtomicU16;
use std::time::{Duration, Instant};

use tokio_util::sync::CancellationToken;
use webhook_broker::{BrokerError, Intake, Queue, consume};
use webhook_store::{StoreError, ping};

use crate::Worker;

/// The pause after the broker or Postgres failed.
const PAUSE: Duration = Duration::from_millis(500);

/// The pause before consuming again after the broker ended it. It is short, as the message at the head
/// of the queue may be one that no consumer can be handed: each time brings that nearer to its limit.
const BROKER_PAUSE: Duration = Duration::from_millis(50);

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

impl Source {
    /// The most messages in hand as far as is known of the broker, which may be asked still.
    fn limit(&self, worker: &Worker<'_>) -> Arc<AtomicU16> {
        match self.queue {
            Queue::Events => worker.max_prefetch.clone(),
            Queue::Rejected => Arc::new(AtomicU16::new(self.max_prefetch)),
        }
    }
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
            Ok(()) => {
                match consume(broker, source.queue, source.name, source.limit(worker)).await {
                    Ok(intake) => return Some(intake),
                    Err(error) => log::warn!("cannot consume from {broker:?}: {error}"),
                }
            }
        }
        pause(worker.cancel).await;
    }
    None
}

/// Failures of Postgres in a row, each within a minute after consuming had begun.
#[derive(Default)]
pub(crate) struct StoreFailures(u32);

/// Disconnects, after consuming has `ended` that began at `began`, and pauses: with each failure of
/// Postgres in a row twice as long.
pub(crate) async fn leave(
    worker: &Worker<'_>,
    intake: Intake,
    (began, ended): (Instant, Result<(), BrokenOff>),
    failures: &mut StoreFailures,
) {
    let pause = match &ended {
        Err(BrokenOff::Store(_)) if began.elapsed() < Duration::from_secs(60) => {
            failures.0 += 1;
            (PAUSE * 2_u32.saturating_pow(failures.0.min(10))).min(MAX_PAUSE)
        }
        Err(BrokenOff::Broker(_)) => BROKER_PAUSE,
        _ => {
            failures.0 = 0;
            PAUSE
        }
    };
    if let Err(error) = ended {
        log::warn!("consuming broke off, unacknowledged messages come again: {error}");
    }
    intake.close().await;
    pause_for(worker.cancel, pause).await;
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
