//! Rejected messages: from the broker's queue into Postgres, for admins to look at. RabbitMQ moves
//! messages to the queue after too many returns, as dispatchers of earlier versions did with other
//! rejected messages.

use std::time::Instant;

use webhook_broker::{Consumer, Message, Queue};
use webhook_metrics::catalogue::{EVENTS_REJECTED, REJECTED_STORED};
use webhook_store::rejected_messages::{NewRejectedMessage, insert};
use webhook_store::{StoreError, acquire};

use crate::consuming::{
    BrokenOff, PAUSE_AFTER_CONSUMER_FAILURE, Session, Source, StoreFailures, connect, leave,
};
use crate::worker::Worker;

/// The queue of rejected messages. Few are unacknowledged at once, as each may be as large as the broker
/// accepts.
const SOURCE: Source = Source {
    queue: Queue::Rejected,
    name: "webhook-dispatcher rejected",
    metric_name: "rejected",
    max_prefetch: 32,
};

/// Consumes until the worker is asked to stop, on a new connection whenever the old one breaks.
pub(crate) async fn run_rejected_queue(worker: &Worker) {
    let mut failures = StoreFailures::default();
    while let Some(mut consumer) = connect(worker, &SOURCE).await {
        let began = Instant::now();
        let ended = write_down_batches(&mut consumer, worker).await;
        let session = Session { began, ended };
        leave(worker, &SOURCE, consumer, session, &mut failures).await;
    }
}

async fn write_down_batches(consumer: &mut Consumer, worker: &Worker) -> Result<(), BrokenOff> {
    loop {
        let batch = tokio::select! {
            batch = consumer.next_batch(usize::from(SOURCE.max_prefetch)) => batch?,
            () = worker.cancel.cancelled() => return Ok(()),
        };
        if !write_down(worker, &batch).await {
            return Ok(());
        }
        let tags: Vec<u64> = batch.iter().map(|message| message.delivery_tag).collect();
        consumer.acknowledge(&tags).await?;
        let count = batch.len() as u64;
        EVENTS_REJECTED.add_for(&["returned_too_often"], count);
        REJECTED_STORED.add(count);
        if consumer.holds_too_much() {
            return Err(BrokenOff::TooLarge);
        }
    }
}

/// Writes a batch down, however long Postgres is away: breaking off would bring the messages nearer to
/// the delivery limit. `false`: the worker was asked to stop before the batch was written.
async fn write_down(worker: &Worker, batch: &[Message]) -> bool {
    let rows = batch.iter().map(|message| NewRejectedMessage {
        id: message.rejection.id,
        reason: &message.rejection.reason,
        origin: &message.published_to,
        body: &message.body,
    });
    let rows: Vec<NewRejectedMessage<'_>> = rows.collect();
    while let Err(error) = try_write_down(worker, &rows).await {
        log::warn!("cannot store rejected messages yet, RabbitMQ keeps the messages: {error}");
        if !worker.sleep_or_stop(PAUSE_AFTER_CONSUMER_FAILURE).await {
            return false;
        }
    }
    true
}

async fn try_write_down(
    worker: &Worker,
    rows: &[NewRejectedMessage<'_>],
) -> Result<(), StoreError> {
    insert(&mut *acquire(&worker.pools.work).await?, rows).await
}
