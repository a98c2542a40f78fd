//! From the broker into Postgres: messages are acknowledged when they are committed, never before.
//!
//! ```text
//! batch ──► events ──► commit ──► lanes
//!   └─► what is no event ──► aside (rejected_messages)
//! ```

use std::time::Instant;

use webhook_broker::{Intake, Message, Queue, SUSPECT};
use webhook_domain::{Event, EventError, RejectionReason};

use crate::Worker;
use crate::consuming::{BrokenOff, Source, StoreFailures, connect, leave};
use aside::Aside;
use commit::{Committed, Patience, commit};

mod aside;
mod commit;

/// As many messages are in hand at most as a crash makes come again: a batch, and one that comes while
/// the first is committed. The broker should accept none of more than 512 KiB, so these are 500 MiB at
/// most, for a moment: when they turn out to be so large, fewer are taken.
pub(crate) const SOURCE: Source = Source {
    queue: Queue::Events,
    name: "webhook-dispatcher",
    max_prefetch: 1_000,
};

/// The most events in one statement.
const BATCH: usize = 500;

/// The most after a time in which there were few: how fast their webhooks are is not known yet. It
/// doubles with each batch that is full.
const FIRST_BATCH: usize = 64;

/// Consumes until the worker is asked to stop, on a new connection whenever one breaks.
pub(crate) async fn take_in_for_ever(worker: &Worker<'_>) {
    let mut failures = StoreFailures::default();
    while let Some(mut intake) = connect(worker, &SOURCE).await {
        let began = Instant::now();
        worker.readiness.set_consuming(true);
        let ended = take_in_batches(&mut intake, worker).await;
        worker.readiness.set_consuming(false);
        // The messages that could not be committed are somebody else's now.
        worker.readiness.set_intake_stuck(false);
        leave(worker, intake, (began, ended), &mut failures).await;
    }
}

async fn take_in_batches(intake: &mut Intake, worker: &Worker<'_>) -> Result<(), BrokenOff> {
    let mut most = FIRST_BATCH;
    let mut aside = Aside::default();
    loop {
        let limit = most.min(worker.lanes.wait_for_room().await);
        let batch = tokio::select! {
            batch = intake.next_batch(limit) => batch?,
            () = aside.wait() => Vec::new(),
            () = worker.cancel.cancelled() => return Ok(()),
        };
        most = if batch.len() == limit {
            BATCH.min(most * 2)
        } else {
            FIRST_BATCH
        };
        let mut read = read_batch(batch);
        let patience = read.patience();
        let Committed::All { refused } = commit(worker, &read.events, patience).await? else {
            return Ok(());
        };
        metrics::counter!("webhook_events_taken_in_total")
            .increment((read.events.len() - refused.len()) as u64);
        read.refuse(refused);
        aside.add(read.refused);
        let mut done = read.tags;
        done.extend(aside.write_down(worker).await);
        done.sort_unstable();
        intake.settle(&done).await?;
        if intake.holds_too_much() {
            return Err(BrokenOff::TooLarge);
        }
    }
}

/// A batch, its events apart from the messages that are none.
#[derive(Default)]
struct ReadBatch {
    events: Vec<Event>,
    /// The messages of the events, in their order.
    messages: Vec<Message>,
    /// The delivery tags of the events.
    tags: Vec<u64>,
    refused: Vec<(Message, RejectionReason)>,
}

fn read_batch(batch: Vec<Message>) -> ReadBatch {
    let mut read = ReadBatch::default();
    for message in batch {
        match Event::parse(message.body.clone()) {
            Ok(event) => {
                read.events.push(event);
                read.tags.push(message.delivery_tag);
                read.messages.push(message);
            }
            Err(error) => {
                let reason = explain(&message, &error);
                read.refused.push((message, reason));
            }
        }
    }
    read
}

/// Why a message is no event; what its publisher says of its encoding may be the reason.
fn explain(message: &Message, error: &EventError) -> RejectionReason {
    match (error, &message.content_encoding) {
        (EventError::NotAnObject(_), Some(encoding)) => RejectionReason::of(format_args!(
            "{error} (its content_encoding is {:?})",
            encoding.as_str()
        )),
        _ => RejectionReason::of(error),
    }
}

impl ReadBatch {
    /// Messages that came back often are held until they are committed, however long that takes:
    /// leaving them to another worker would bring them nearer to the broker's delivery limit.
    fn patience(&self) -> Patience {
        let mut messages = self.messages.iter();
        if messages.any(|message| message.delivery_count >= SUSPECT) {
            Patience::Endless
        } else {
            Patience::TenSeconds
        }
    }

    /// Sets events aside that Postgres refuses, by their places in `events`.
    fn refuse(&mut self, refused: Vec<(usize, RejectionReason)>) {
        for (place, reason) in refused {
            let message = self.messages[place].clone();
            self.tags.retain(|tag| *tag != message.delivery_tag);
            self.refused.push((message, reason));
        }
    }
}
