//! Consuming a queue of the broker: connecting, and leaving when the broker or Postgres fails. The
//! intake and the loop for rejected messages use both.

use std::sync::Arc;
use std::sync::atomic::AtomicU16;
use std::time::{Duration, Instant};

use webhook_broker::{BrokerError, Consumer, Queue, consume};
use webhook_metrics::catalogue::{BROKER_CONNECTED, BROKER_RECONNECTS};
use webhook_store::{StoreError, ping};

use crate::worker::Worker;

/// The pause after the broker could not be reached, or Postgres has failed.
pub(crate) const PAUSE_AFTER_CONSUMER_FAILURE: Duration = Duration::from_millis(500);

/// The pause before consuming again after the broker ended the consumer. Short, as the message at the
/// head of the queue may be impossible to hand out: each try brings the message nearer to the delivery
/// limit, and so out of the way.
const PAUSE_AFTER_BROKER_FAILURE: Duration = Duration::from_millis(50);

/// The longest pause before consuming again after failures of Postgres.
const MAX_PAUSE_AFTER_STORE_FAILURES: Duration = Duration::from_secs(30);

/// A failure of Postgres sooner than this after consuming began lengthens the next pause.
const EARLY_FAILURE_WINDOW: Duration = Duration::from_secs(60);

/// A queue and how it is consumed.
pub(crate) struct Source {
    pub(crate) queue: Queue,
    /// The consumer's name in the broker.
    pub(crate) name: &'static str,
    /// The connection's name in the metrics.
    pub(crate) metric_name: &'static str,
    /// The most unacknowledged messages, once messages are known to be small.
    pub(crate) max_prefetch: u16,
}

impl Source {
    /// The most unacknowledged messages as far as the broker is known now.
    fn prefetch(&self, worker: &Worker) -> Arc<AtomicU16> {
        match self.queue {
            Queue::Events => worker.events_prefetch.clone(),
            Queue::Rejected => Arc::new(AtomicU16::new(self.max_prefetch)),
        }
    }
}

/// Why consuming broke off. Unacknowledged messages are delivered again.
#[derive(Debug, thiserror::Error)]
pub(crate) enum BrokenOff {
    #[error(transparent)]
    Broker(#[from] BrokerError),
    #[error("events could not be committed in time: {0}")]
    Store(StoreError),
    #[error("the messages have become larger, and the prefetch must shrink")]
    TooLarge,
}

/// Connects, for as long as needed. `None`: the worker is asked to stop.
pub(crate) async fn connect(worker: &Worker, source: &Source) -> Option<Consumer> {
    let broker = &worker.config.broker;
    BROKER_CONNECTED.set_count_for(&[source.metric_name], 0);
    while !worker.cancel.is_cancelled() {
        // Postgres first. A single worker consumes events at a time, so a worker must not stand in line
        // while its Postgres is away or read-only. And the broker counts each return of a message, up to
        // the delivery limit.
        match ping(&worker.pools.work).await {
            Err(error) => log::warn!("{} waits for Postgres: {error}", source.name),
            Ok(()) => {
                match consume(broker, source.queue, source.name, source.prefetch(worker)).await {
                    Ok(consumer) => {
                        BROKER_CONNECTED.set_count_for(&[source.metric_name], 1);
                        return Some(consumer);
                    }
                    Err(error) => log::warn!("cannot consume from {broker:?}: {error}"),
                }
            }
        }
        worker.sleep_or_stop(PAUSE_AFTER_CONSUMER_FAILURE).await;
    }
    None
}

/// A time of consuming, from the connection on.
pub(crate) struct Session {
    pub(crate) began: Instant,
    /// Why the consuming ended. `Ok`: the worker is asked to stop.
    pub(crate) ended: Result<(), BrokenOff>,
}

/// Failures of Postgres in a row, each soon after consuming had begun.
#[derive(Default)]
pub(crate) struct StoreFailures(u32);

/// Disconnects after a time of consuming, and sleeps: twice as long with each failure of Postgres in a
/// row.
pub(crate) async fn leave(
    worker: &Worker,
    source: &Source,
    consumer: Consumer,
    session: Session,
    failures: &mut StoreFailures,
) {
    let Session { began, ended } = session;
    let pause = match &ended {
        Err(BrokenOff::Store(_)) if began.elapsed() < EARLY_FAILURE_WINDOW => {
            failures.0 += 1;
            let pause = PAUSE_AFTER_CONSUMER_FAILURE * 2_u32.saturating_pow(failures.0.min(10));
            pause.min(MAX_PAUSE_AFTER_STORE_FAILURES)
        }
        Err(BrokenOff::Broker(_)) => PAUSE_AFTER_BROKER_FAILURE,
        Err(BrokenOff::Store(_) | BrokenOff::TooLarge) | Ok(()) => {
            failures.0 = 0;
            PAUSE_AFTER_CONSUMER_FAILURE
        }
    };
    BROKER_CONNECTED.set_count_for(&[source.metric_name], 0);
    if let Err(error) = ended {
        BROKER_RECONNECTS.add_for(&[source.metric_name], 1);
        log::warn!("consuming broke off, RabbitMQ delivers unacknowledged messages again: {error}");
    }
    // Before the pause, so another worker gets the messages at once.
    consumer.close().await;
    worker.sleep_or_stop(pause).await;
}
