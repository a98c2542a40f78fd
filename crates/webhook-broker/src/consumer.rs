use std::time::Duration;

use bytes::Bytes;
use futures_util::{FutureExt, StreamExt};
use lapin::message::Delivery;
use lapin::options::{BasicAckOptions, BasicConsumeOptions, BasicPublishOptions, BasicQosOptions};
use lapin::types::FieldTable;
use lapin::{BasicProperties, Channel, Connection, Consumer};
use tokio::time::timeout;
use uuid::Uuid;

use crate::connection::{BrokerError, BrokerUrl, open};
use crate::rejection::{Origin, Rejection, read_origin, read_rejection, rejection_headers};
use crate::topology::{Queue, REJECTED_QUEUE};

/// How long the broker may take to store a rejected message.
const CONFIRM_WITHIN: Duration = Duration::from_secs(5);

/// How often a channel is looked at that brings nothing.
const LOOK: Duration = Duration::from_secs(1);

/// A message in hand: the broker keeps it until it is acknowledged.
#[derive(Debug, Clone)]
pub struct Message {
    /// What was published.
    pub body: Bytes,
    /// Its number on this channel.
    pub delivery_tag: u64,
    /// Whether it was in somebody's hand before.
    pub redelivered: bool,
    published: Origin,
    properties: BasicProperties,
}

impl Message {
    /// What its headers tell, if it is of the rejected queue.
    pub fn rejection(&self) -> Rejection {
        read_rejection(&self.properties, self.published.clone())
    }
}

/// A consumer of a queue, on a connection of its own.
pub struct Intake {
    connection: Connection,
    channel: Channel,
    consumer: Consumer,
}

/// Connects and consumes. At most `prefetch` messages (1 to 2,000) are in hand at once.
pub async fn consume(
    url: &BrokerUrl,
    queue: Queue,
    name: &str,
    prefetch: u16,
) -> Result<Intake, BrokerError> {
    let (connection, channel) = open(url, name).await?;
    channel
        .basic_qos(prefetch, BasicQosOptions::default())
        .await?;
    let consumer = channel
        .basic_consume(
            queue.name().into(),
            name.into(),
            BasicConsumeOptions::default(),
            FieldTable::default(),
        )
        .await?;
    Ok(Intake {
        connection,
        channel,
        consumer,
    })
}

impl Intake {
    /// Waits for a message and takes those that are ready behind it, up to `max`.
    ///
    /// Safe to drop while it waits: a message is taken only when the call returns.
    pub async fn next_batch(&mut self, max: usize) -> Result<Vec<Message>, BrokerError> {
        let mut batch = vec![message(self.next().await?)];
        while batch.len() < max {
            match self.consumer.next().now_or_never() {
                Some(Some(Ok(next))) => batch.push(message(next)),
                // An error or the end shows again at the next call.
                Some(_) | None => break,
            }
        }
        Ok(batch)
    }

    /// A channel that has ended is looked for too: its end may have come before anybody listened.
    async fn next(&mut self) -> Result<Delivery, BrokerError> {
        loop {
            match timeout(LOOK, self.consumer.next()).await {
                Ok(next) => return Ok(next.ok_or(BrokerError::Ended)??),
                Err(_) if !self.channel.status().connected() => return Err(BrokerError::Ended),
                Err(_) => {}
            }
        }
    }

    /// Acknowledges `last` and everything before it.
    pub async fn ack_through(&self, last: &Message) -> Result<(), BrokerError> {
        let options = BasicAckOptions { multiple: true };
        self.channel.basic_ack(last.delivery_tag, options).await?;
        Ok(())
    }

    /// Sets a message aside that cannot be an event, under a fresh UUID v7, and waits until the
    /// broker has it. Rejecting it again under the same id is harmless.
    ///
    /// The original stays unacknowledged: the caller acknowledges it with its batch.
    pub async fn reject_event(
        &self,
        message: &Message,
        id: Uuid,
        reason: &str,
    ) -> Result<(), BrokerError> {
        match timeout(CONFIRM_WITHIN, self.reject_unbounded(message, id, reason)).await {
            Ok(rejected) => rejected,
            Err(_) => Err(BrokerError::NotConfirmed),
        }
    }

    async fn reject_unbounded(
        &self,
        message: &Message,
        id: Uuid,
        reason: &str,
    ) -> Result<(), BrokerError> {
        let origin = read_origin(&message.properties, message.published.clone());
        let confirmation = self
            .channel
            .basic_publish(
                "".into(),
                REJECTED_QUEUE.into(),
                BasicPublishOptions {
                    mandatory: true,
                    ..BasicPublishOptions::default()
                },
                &message.body,
                BasicProperties::default()
                    .with_delivery_mode(2)
                    .with_message_id(id.to_string().into())
                    .with_headers(rejection_headers(reason, &origin)),
            )
            .await?
            .await?;
        let stored = confirmation.is_ack() && confirmation.take_message().is_none();
        stored.then_some(()).ok_or(BrokerError::NotConfirmed)
    }

    /// Leaves the broker. What was not acknowledged goes to another consumer.
    pub async fn close(self) {
        if let Err(error) = self.connection.close(200, "bye".into()).await {
            log::debug!("closing the broker connection: {error}");
        }
    }
}

fn message(delivery: Delivery) -> Message {
    Message {
        body: Bytes::from(delivery.data),
        delivery_tag: delivery.delivery_tag,
        redelivered: delivery.redelivered,
        published: Origin {
            exchange: delivery.exchange.into(),
            routing_key: delivery.routing_key.into(),
        },
        properties: delivery.properties,
    }
}
