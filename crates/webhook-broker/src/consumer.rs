//! Consuming a queue in batches, with few messages in hand while little is known of them.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::AtomicU16;
use std::time::Duration;

use futures_util::{FutureExt, StreamExt};
use lapin::message::Delivery;
use lapin::options::{BasicAckOptions, BasicCancelOptions, BasicConsumeOptions, BasicQosOptions};
use lapin::types::FieldTable;
use lapin::{Channel, Connection, Consumer};
use tokio::time::{Instant, timeout, timeout_at};

use crate::connection::{BrokerError, BrokerUrl, Use, close, open};
use crate::message::Message;
use crate::topology::Queue;
use prefetch::Prefetch;

mod prefetch;

pub use prefetch::SUSPECT;

/// How often a channel is looked at that brings nothing.
const IDLE_CHECK: Duration = Duration::from_secs(1);

/// How long a batch waits for the rest of what may be in hand. The broker needs some milliseconds.
const FILLS_WITHIN: Duration = Duration::from_millis(20);

/// A consumer of a queue, on a connection of its own: what publishes may be blocked by the broker
/// for as long as its memory or disk is short, acknowledgements included.
pub struct Intake {
    connection: Connection,
    channel: Channel,
    consumer: Consumer,
    queue: Queue,
    name: String,
    /// How many consumers there were on this channel. Each has a tag of its own: for the broker, a
    /// consumer with the tag of an earlier one is that one, whose messages in hand count for both.
    started: usize,
    prefetch: Prefetch,
    /// What was taken for the next batch.
    taken: Vec<Message>,
    /// The delivery tags of what this consumer was handed and has not settled.
    in_hand: BTreeSet<u64>,
    /// The same of consumers before it on this channel: messages that wait for something.
    held: BTreeSet<u64>,
}

/// Connects and consumes. One message is in hand at first, then more, up to `max_prefetch` (which may
/// become another), as long as they are small and came back seldom.
pub async fn consume(
    url: &BrokerUrl,
    queue: Queue,
    name: &str,
    max_prefetch: Arc<AtomicU16>,
) -> Result<Intake, BrokerError> {
    let connection = open(url, name, Use::Consuming).await?;
    let channel = connection.create_channel().await?;
    let prefetch = Prefetch::new(max_prefetch);
    let consumer = start(&channel, queue, tag(name, 0), &prefetch).await?;
    Ok(Intake {
        connection,
        channel,
        consumer,
        queue,
        name: name.to_owned(),
        started: 0,
        prefetch,
        taken: Vec::new(),
        in_hand: BTreeSet::new(),
        held: BTreeSet::new(),
    })
}

async fn start(
    channel: &Channel,
    queue: Queue,
    tag: String,
    prefetch: &Prefetch,
) -> lapin::Result<Consumer> {
    // A prefetch counts for consumers that begin afterwards.
    let options = BasicQosOptions::default();
    channel.basic_qos(prefetch.messages(), options).await?;
    let (options, arguments) = (BasicConsumeOptions::default(), FieldTable::default());
    channel
        .basic_consume(queue.name().into(), tag.into(), options, arguments)
        .await
}

/// What the broker calls a consumer.
fn tag(name: &str, number: usize) -> String {
    format!("{name} {number}")
}

impl Intake {
    /// Waits for a message and takes those that are ready behind it, up to `max`; as many as may be
    /// in hand, while these are few.
    ///
    /// Safe to drop while it waits: what was taken by then comes with the next call.
    pub async fn next_batch(&mut self, max: usize) -> Result<Vec<Message>, BrokerError> {
        if self.taken.is_empty() {
            let first = self.next().await?;
            self.take(first);
        }
        self.take_ready(max);
        if self.prefetch.may_grow() {
            self.fill().await;
        }
        Ok(std::mem::take(&mut self.taken))
    }

    fn take(&mut self, delivery: Delivery) {
        let message = Message::of(delivery);
        self.in_hand.insert(message.delivery_tag);
        self.prefetch.observe(&message);
        self.taken.push(message);
    }

    fn take_ready(&mut self, max: usize) {
        while self.taken.len() < max {
            let Some(Some(Ok(next))) = self.consumer.next().now_or_never() else {
                // An error or the end shows again at the next call.
                return;
            };
            self.take(next);
        }
    }

    /// Takes all that may be in hand, if the queue seems to have as much: [`settle`](Self::settle) can
    /// let more be in hand only then.
    async fn fill(&mut self) {
        let full = usize::from(self.prefetch.messages());
        self.take_ready(full);
        if self.taken.len() < full / 2 {
            return;
        }
        let deadline = Instant::now() + FILLS_WITHIN;
        while self.in_hand.len() < full {
            let next = timeout_at(deadline, self.consumer.next()).await;
            let Ok(Some(Ok(next))) = next else {
                // What has come by then is a batch, too.
                return;
            };
            self.take(next);
        }
    }

    /// A channel that has ended is looked for too: its end may have come before anybody listened.
    async fn next(&mut self) -> Result<Delivery, BrokerError> {
        loop {
            match timeout(IDLE_CHECK, self.consumer.next()).await {
                Ok(next) => return Ok(next.ok_or(BrokerError::Ended)??),
                Err(_) if !self.channel.status().connected() => return Err(BrokerError::Ended),
                Err(_) => {}
            }
        }
    }

    /// Acknowledges messages by their delivery tags, in the order of these. All others that were
    /// taken so far wait, and do not hold up what comes behind them.
    pub async fn settle(&mut self, done: &[u64]) -> Result<(), BrokerError> {
        // With as many in hand as may be, the broker sends nothing: so nothing is on its way to a
        // consumer that ends here, and nobody else is handed what comes next before all is done
        // that came before.
        let full = self.in_hand.len() == usize::from(self.prefetch.messages());
        for tag in done {
            self.in_hand.remove(tag);
            self.held.remove(tag);
        }
        if !(full && self.wants_more()) {
            return self.ack(done).await;
        }
        let ending = tag(&self.name, self.started);
        let options = BasicCancelOptions::default();
        self.channel.basic_cancel(ending.into(), options).await?;
        self.ack(done).await?;
        self.held.append(&mut self.in_hand);
        self.started += 1;
        let next = tag(&self.name, self.started);
        self.consumer = start(&self.channel, self.queue, next, &self.prefetch).await?;
        Ok(())
    }

    /// Whether another consumer should take the place of this one, which is full: more messages may
    /// be in hand, or some wait and take places away.
    fn wants_more(&mut self) -> bool {
        let waiting = self.held.len() + self.in_hand.len();
        let may_wait = !self.in_hand.is_empty() && waiting <= usize::from(self.prefetch.room());
        self.prefetch.grow() || may_wait
    }

    async fn ack(&self, done: &[u64]) -> Result<(), BrokerError> {
        let Some(last) = done.last() else {
            return Ok(());
        };
        let waits_before = |tags: &BTreeSet<u64>| tags.range(..last).next().is_some();
        if !waits_before(&self.held) && !waits_before(&self.in_hand) {
            let options = BasicAckOptions { multiple: true };
            self.channel.basic_ack(*last, options).await?;
            return Ok(());
        }
        for tag in done {
            let options = BasicAckOptions { multiple: false };
            self.channel.basic_ack(*tag, options).await?;
        }
        Ok(())
    }

    /// Whether messages have become so large that fewer may be in hand: leave, and consume anew.
    pub fn holds_too_much(&self) -> bool {
        self.prefetch.is_too_large()
    }

    /// Leaves the broker. What was not acknowledged goes to another consumer.
    pub async fn close(self) {
        close(&self.connection).await;
    }
}
