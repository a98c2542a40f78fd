//! Consumes a queue in batches, with few messages in hand while little is known of the sizes.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::AtomicU16;
use std::time::Duration;

use futures_util::{FutureExt, StreamExt};
use lapin::message::Delivery;
use lapin::options::{BasicAckOptions, BasicCancelOptions, BasicConsumeOptions, BasicQosOptions};
use lapin::types::FieldTable;
use lapin::{Channel, Connection};
use tokio::time::{Instant, timeout, timeout_at};

use crate::cluster::Cluster;
use crate::connection::{ConnectionPurpose, close};
use crate::error::BrokerError;
use crate::message::Message;
use crate::topology::Queue;
use prefetch::Prefetch;

mod prefetch;

pub use prefetch::SUSPECT_AFTER_RETURNS;

/// Interval between two checks of a silent channel. The end of a channel is noticed after at most this
/// long, even when lapin reported the end before the consumer listened.
const CHANNEL_CHECK_INTERVAL: Duration = Duration::from_secs(1);

/// Longest wait of a batch for the messages still missing to a full prefetch. RabbitMQ delivers
/// messages within some milliseconds if the queue is not empty.
const MAX_FILL_WAIT: Duration = Duration::from_millis(20);

/// A consumer of a queue. The connection is used for nothing else: during a memory or disk alarm
/// RabbitMQ blocks publishing connections, and a blocked connection sends no acknowledgements.
pub struct Consumer {
    connection: Connection,
    channel: Channel,
    subscription: lapin::Consumer,
    queue: Queue,
    name: String,
    /// Number of the current subscription on the channel, from 0; part of the consumer tag. A reused
    /// tag would make RabbitMQ count messages in hand of the earlier subscription with those of the
    /// current one.
    subscription_number: usize,
    prefetch: Prefetch,
    /// Messages of the next batch.
    taken: Vec<Message>,
    /// Delivery tags of the current subscription's unacknowledged messages.
    in_hand: BTreeSet<u64>,
    /// Delivery tags of earlier subscriptions' unacknowledged messages: events that Postgres could not
    /// commit yet.
    carried_over: BTreeSet<u64>,
}

/// Connects and consumes. The prefetch is 1 at first. While bodies are small and were rarely redelivered,
/// the prefetch grows up to `max_prefetch`; later changes of `max_prefetch` count at the next step.
pub async fn consume(
    cluster: &Cluster,
    queue: Queue,
    name: &str,
    max_prefetch: Arc<AtomicU16>,
) -> Result<Consumer, BrokerError> {
    let connection = cluster.open(name, ConnectionPurpose::Consuming).await?;
    let channel = connection.create_channel().await?;
    let prefetch = Prefetch::new(max_prefetch);
    let subscription = start(&channel, queue, consumer_tag(name, 0), &prefetch).await?;
    Ok(Consumer {
        connection,
        channel,
        subscription,
        queue,
        name: name.to_owned(),
        subscription_number: 0,
        prefetch,
        taken: Vec::new(),
        in_hand: BTreeSet::new(),
        carried_over: BTreeSet::new(),
    })
}

async fn start(
    channel: &Channel,
    queue: Queue,
    tag: String,
    prefetch: &Prefetch,
) -> lapin::Result<lapin::Consumer> {
    // AMQP applies a prefetch to consumers started afterwards on the channel.
    let options = BasicQosOptions::default();
    channel.basic_qos(prefetch.messages(), options).await?;
    let (options, arguments) = (BasicConsumeOptions::default(), FieldTable::default());
    channel
        .basic_consume(queue.name().into(), tag.into(), options, arguments)
        .await
}

fn consumer_tag(name: &str, number: usize) -> String {
    format!("{name} {number}")
}

impl Consumer {
    /// Waits for a message and takes the ready messages behind the first, `max` together. While the
    /// prefetch may grow, a batch holds up to a full prefetch, even beyond `max`.
    ///
    /// Safe to drop while waiting: messages taken by then are in the next batch.
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
            let Some(Some(Ok(next))) = self.subscription.next().now_or_never() else {
                // An error or the end of the subscription shows again at the next call.
                return;
            };
            self.take(next);
        }
    }

    /// Takes messages until the prefetch is full, if the queue seems to have enough. Only with a full
    /// prefetch can [`acknowledge`](Self::acknowledge) start a subscription with a larger prefetch.
    async fn fill(&mut self) {
        let full = usize::from(self.prefetch.messages());
        self.take_ready(full);
        if self.taken.len() < full / 2 {
            // The queue is nearly empty: waiting would only delay the messages taken.
            return;
        }
        let deadline = Instant::now() + MAX_FILL_WAIT;
        while self.in_hand.len() < full {
            let next = timeout_at(deadline, self.subscription.next()).await;
            let Ok(Some(Ok(next))) = next else {
                // The deadline has passed, or the subscription has ended: the batch is complete.
                return;
            };
            self.take(next);
        }
    }

    /// Waits for the next message. The state of the channel is polled besides: lapin may have reported
    /// the end of the channel before the call.
    async fn next(&mut self) -> Result<Delivery, BrokerError> {
        loop {
            match timeout(CHANNEL_CHECK_INTERVAL, self.subscription.next()).await {
                Ok(next) => return Ok(next.ok_or(BrokerError::Ended)??),
                Err(_) if !self.channel.status().connected() => return Err(BrokerError::Ended),
                Err(_) => {}
            }
        }
    }

    /// Acknowledges messages by delivery tag, in ascending order. All other messages in hand wait, and
    /// do not hold up later messages. With a full prefetch, may also start a new AMQP consumer with a
    /// larger prefetch.
    pub async fn acknowledge(&mut self, done: &[u64]) -> Result<(), BrokerError> {
        // With a full prefetch RabbitMQ sends no message. Only then may the subscription end: no message is
        // on the way, and no other dispatcher is handed the next message before the earlier messages
        // are done.
        let full = self.in_hand.len() == usize::from(self.prefetch.messages());
        for tag in done {
            self.in_hand.remove(tag);
            self.carried_over.remove(tag);
        }
        if !(full && self.wants_new_subscription()) {
            return self.send_acks(done).await;
        }
        let ending = consumer_tag(&self.name, self.subscription_number);
        let options = BasicCancelOptions::default();
        // Cancel first: an acknowledgement would let RabbitMQ send more to the ending subscription.
        self.channel.basic_cancel(ending.into(), options).await?;
        self.send_acks(done).await?;
        self.carried_over.append(&mut self.in_hand);
        self.subscription_number += 1;
        let next = consumer_tag(&self.name, self.subscription_number);
        self.subscription = start(&self.channel, self.queue, next, &self.prefetch).await?;
        Ok(())
    }

    /// Whether a new subscription should replace the current one: more messages may be in hand, or
    /// waiting messages fill places of the prefetch. Waiting messages of earlier subscriptions do not
    /// count for the prefetch of a new subscription. Called with a full prefetch only.
    fn wants_new_subscription(&mut self) -> bool {
        let waiting = self.carried_over.len() + self.in_hand.len();
        let may_wait =
            !self.in_hand.is_empty() && waiting <= usize::from(self.prefetch.affordable_messages());
        self.prefetch.grow() || may_wait
    }

    async fn send_acks(&self, done: &[u64]) -> Result<(), BrokerError> {
        let Some(last) = done.last() else {
            return Ok(());
        };
        let waits_before = |tags: &BTreeSet<u64>| tags.range(..last).next().is_some();
        if !waits_before(&self.carried_over) && !waits_before(&self.in_hand) {
            // A single frame for the whole batch: no message before `last` waits.
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

    /// Whether bodies have become too large for the prefetch. A prefetch cannot shrink: the caller must
    /// [`close`](Self::close) the consumer and begin another.
    pub fn holds_too_much(&self) -> bool {
        self.prefetch.is_too_large()
    }

    /// Closes the connection. RabbitMQ hands unacknowledged messages to another consumer.
    pub async fn close(self) {
        close(&self.connection).await;
    }
}
