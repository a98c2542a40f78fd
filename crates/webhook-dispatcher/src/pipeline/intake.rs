//! The intake: events from RabbitMQ into Postgres and into lanes. A message is acknowledged after the
//! commit, never before.
//!
//! ```text
//! batch ──► parse ─► events ──► commit ──► lanes
//!             └────► no events, refused events ──► aside (table rejected_messages)
//! ```

use std::time::Instant;

use webhook_broker::{Consumer, Message, Queue, SUSPECT_AFTER_RETURNS};
use webhook_domain::{Event, EventError, RejectionReason};
use webhook_metrics::catalogue::EVENTS_REJECTED;
use webhook_traces::TakingIn;

use crate::consuming::{BrokenOff, Session, Source, StoreFailures, connect, leave};
use crate::worker::Worker;
use aside::Aside;
use commit::{BatchEnd, Patience, commit};

mod commit;

mod aside;

/// The events queue. At most 1,000 messages are unacknowledged: a batch, and the next batch, arriving
/// while the first is committed. After a crash the broker delivers all of them again. The broker should
/// accept no message above 512 KiB, so 1,000 messages take 500 MiB at most, for a moment: as soon as
/// messages turn out to be large, fewer are taken.
pub(crate) const SOURCE: Source = Source {
    queue: Queue::Events,
    name: "webhook-dispatcher",
    metric_name: "events",
    max_prefetch: 1_000,
};

/// The most events in one statement: half of the unacknowledged messages.
const MAX_BATCH: usize = 500;

/// The most events in the first statement after a quiet time, when the speed of the webhooks is not
/// known yet. The number doubles with each full batch.
const FIRST_BATCH: usize = 64;

/// Consumes until the worker is asked to stop, on a new connection whenever the old one breaks.
pub(crate) async fn run_intake(worker: &Worker) {
    let mut failures = StoreFailures::default();
    while let Some(mut consumer) = connect(worker, &SOURCE).await {
        let began = Instant::now();
        worker.readiness.set_consuming(true);
        let ended = take_in_batches(&mut consumer, worker).await;
        worker.readiness.set_consuming(false);
        // Uncommitted messages are with another worker now.
        worker.readiness.set_intake_stuck(false);
        let session = Session { began, ended };
        leave(worker, &SOURCE, consumer, session, &mut failures).await;
    }
}

async fn take_in_batches(consumer: &mut Consumer, worker: &Worker) -> Result<(), BrokenOff> {
    let mut max_batch = FIRST_BATCH;
    let mut aside = Aside::default();
    loop {
        let room = worker.lanes.wait_for_room().await;
        let limit = room.map_or(max_batch, |room| max_batch.min(room));
        let batch = tokio::select! {
            batch = consumer.next_batch(limit) => batch?,
            // An empty batch: only the messages aside are tried again.
            () = aside.wait() => Vec::new(),
            () = worker.cancel.cancelled() => return Ok(()),
        };
        max_batch = if batch.len() == limit {
            MAX_BATCH.min(max_batch * 2)
        } else {
            FIRST_BATCH
        };
        let mut parsed = parse_batch(batch);
        let patience = parsed.patience();
        // Before the commit, which stores each event's place in the trace.
        let mut taking_in = TakingIn::begin(&mut parsed.events);
        let committed = commit(worker, &parsed.events, patience).await;
        let Ok(BatchEnd::Committed { refused }) = committed else {
            taking_in.give_up();
            return committed.map(|_| ());
        };
        for (place, _) in &refused {
            taking_in.refuse(*place);
        }
        drop(taking_in);
        EVENTS_REJECTED.add_for(&["not_an_event"], parsed.refused.len() as u64);
        EVENTS_REJECTED.add_for(&["refused_by_postgres"], refused.len() as u64);
        parsed.refuse(refused);
        aside.add(parsed.refused);
        let mut done_tags = parsed.tags;
        done_tags.extend(aside.write_down(worker).await);
        done_tags.sort_unstable();
        // Acknowledged only now, after the commit: a crash before this line costs no event.
        consumer.acknowledge(&done_tags).await?;
        if consumer.holds_too_much() {
            return Err(BrokenOff::TooLarge);
        }
    }
}

/// A batch, with events apart from refused messages.
#[derive(Default)]
struct ParsedBatch {
    events: Vec<Event>,
    /// The messages of the events, in the order of `events`.
    messages: Vec<Message>,
    /// The delivery tags of the events.
    tags: Vec<u64>,
    refused: Vec<(Message, RejectionReason)>,
}

fn parse_batch(batch: Vec<Message>) -> ParsedBatch {
    let mut parsed = ParsedBatch::default();
    for message in batch {
        match Event::parse(message.body.clone()) {
            Ok(event) => {
                parsed.events.push(event.in_trace(message.trace));
                parsed.tags.push(message.delivery_tag);
                parsed.messages.push(message);
            }
            Err(error) => {
                let reason = explain(&message, &error);
                parsed.refused.push((message, reason));
            }
        }
    }
    parsed
}

/// Why a message is no event. The encoding named by the publisher may be the reason.
fn explain(message: &Message, error: &EventError) -> RejectionReason {
    match (error, &message.content_encoding) {
        (EventError::NotAnObject(_), Some(encoding)) => RejectionReason::of(format_args!(
            "{error} (its content_encoding is {:?})",
            encoding.as_str()
        )),
        _ => RejectionReason::of(error),
    }
}

impl ParsedBatch {
    fn patience(&self) -> Patience {
        // Each return to the queue brings a message nearer to the broker's delivery limit. There the
        // broker would set a sound event aside.
        let mut messages = self.messages.iter();
        if messages.any(|message| message.delivery_count >= SUSPECT_AFTER_RETURNS) {
            Patience::Endless
        } else {
            Patience::TenSeconds
        }
    }

    /// Moves events refused by Postgres, given by places in `events`, to the refused messages.
    fn refuse(&mut self, refused: Vec<(usize, RejectionReason)>) {
        for (place, reason) in refused {
            let message = self.messages[place].clone();
            self.tags.retain(|tag| *tag != message.delivery_tag);
            self.refused.push((message, reason));
        }
    }
}
