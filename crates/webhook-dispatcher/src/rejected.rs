//! From the rejected queue into Postgres, where admins look at what could not be an event: what
//! RabbitMQ dead-lettered, and what dispatchers of earlier versions set aside there.

use std::time::Instant;

use webhook_broker::{Intake, Message, Queue};
use webhook_store::rejected_messages::{NewRejectedMessage, insert};
use webhook_store::{StoreError, acquire};

use crate::Worker;
use crate::consuming::{BrokenOff, Source, StoreFailures, connect, leave, pause};

/// Few messages are in hand, as each may be as large as the broker lets it be.
const SOURCE: Source = Source {
    queue: Queue::Rejected,
    name: "webhook-dispatcher rejected",
    max_prefetch: 32,
};

/// Consumes until the worker is asked to stop, on a new connection whenever one breaks.
pub(crate) async fn write_down_for_ever(worker: &Worker<'_>) {
    let mut failures = StoreFailures::default();
    while let Some(mut intake) = connect(worker, &SOURCE).await {
        let began = Instant::now();
        let ended = write_down_batches(&mut intake, worker).await;
        leave(worker, intake, (began, ended), &mut failures).await;
    }
}

async fn write_down_batches(intake: &mut Intake, worker: &Worker<'_>) -> Result<(), BrokenOff> {
    loop {
        let batch = tokio::select! {
            batch = intake.next_batch(usize::from(SOURCE.max_prefetch)) => batch?,
            () = worker.cancel.cancelled() => return Ok(()),
        };
        if !write_down(worker, &batch).await {
            return Ok(());
        }
        let tags: Vec<u64> = batch.iter().map(|message| message.delivery_tag).collect();
        intake.settle(&tags).await?;
        let count = batch.len() as u64;
        metrics::counter!("webhook_rejected_messages_written_down_total").increment(count);
        if intake.holds_too_much() {
            return Err(BrokenOff::TooLarge);
        }
    }
}

/// Writes a batch down, however long Postgres is away: breaking off would bring the messages nearer
/// to the delivery limit. `false`: asked to stop before it was done.
async fn write_down(worker: &Worker<'_>, batch: &[Message]) -> bool {
    let rows = batch.iter().map(|message| NewRejectedMessage {
        id: message.rejection.id,
        reason: &message.rejection.reason,
        origin: &message.published_to,
        body: &message.body,
    });
    let rows: Vec<NewRejectedMessage<'_>> = rows.collect();
    while let Err(error) = try_write_down(worker, &rows).await {
        log::warn!("rejected messages stay with the broker: {error}");
        pause(worker.cancel).await;
        if worker.cancel.is_cancelled() {
            return false;
        }
    }
    true
}

async fn try_write_down(
    worker: &Worker<'_>,
    rows: &[NewRejectedMessage<'_>],
) -> Result<(), StoreError> {
    insert(&mut *acquire(worker.pool).await?, rows).await
}
