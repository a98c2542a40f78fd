//! RabbitMQ without `webhook-broker` in between: bare publishing, and the state of the queue.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use anyhow::ensure;
use lapin::options::{BasicPublishOptions, ConfirmSelectOptions, QueueDeclareOptions};
use lapin::types::FieldTable;
use lapin::{BasicProperties, Channel, Confirmation, Connection, ConnectionProperties};
use webhook_broker::topology::{EVENTS_EXCHANGE, EVENTS_QUEUE};
use webhook_domain::Event;

/// Most messages without a confirm at once.
const MAX_UNCONFIRMED: usize = 4_000;

/// A connection with a channel in confirm mode.
pub(crate) struct Broker {
    // Dropping the connection closes the channel.
    _connection: Connection,
    channel: Channel,
}

/// The state of the queue of events.
#[derive(Debug, Clone, Copy)]
pub(crate) struct QueueState {
    /// Messages ready for a consumer; messages in hand are not counted.
    pub(crate) waiting: u32,
    /// Number of consumers.
    pub(crate) consumers: u32,
}

impl Broker {
    /// Connects. A `Publisher` must have declared exchange and queue before.
    pub(crate) async fn connect(url: &str) -> anyhow::Result<Self> {
        let connection = Connection::connect(url, ConnectionProperties::default()).await?;
        let channel = connection.create_channel().await?;
        channel
            .confirm_select(ConfirmSelectOptions::default())
            .await?;
        Ok(Self {
            _connection: connection,
            channel,
        })
    }

    /// Reads the state of the queue of events. The management API is some seconds behind.
    pub(crate) async fn state(&self) -> anyhow::Result<QueueState> {
        let options = QueueDeclareOptions {
            passive: true,
            ..QueueDeclareOptions::durable()
        };
        let declared = self
            .channel
            .queue_declare(EVENTS_QUEUE.into(), options, FieldTable::default())
            .await?;
        Ok(QueueState {
            waiting: declared.message_count(),
            consumers: declared.consumer_count(),
        })
    }

    /// Publishes with confirms and returns the time until the last confirm. The oldest confirm is
    /// awaited while later messages are on the way.
    pub(crate) async fn publish(&self, events: &[Event]) -> anyhow::Result<Duration> {
        let began = Instant::now();
        let mut unconfirmed = VecDeque::with_capacity(MAX_UNCONFIRMED);
        for event in events {
            if unconfirmed.len() == MAX_UNCONFIRMED
                && let Some(oldest) = unconfirmed.pop_front()
            {
                confirmed(oldest).await?;
            }
            let routing_key = event.routing_key();
            let published = self.channel.basic_publish(
                EVENTS_EXCHANGE.into(),
                routing_key.as_str().into(),
                BasicPublishOptions::default(),
                &event.body,
                BasicProperties::default().with_delivery_mode(2),
            );
            unconfirmed.push_back(published.await?);
        }
        for confirm in unconfirmed {
            confirmed(confirm).await?;
        }
        Ok(began.elapsed())
    }
}

async fn confirmed(
    confirm: impl Future<Output = lapin::Result<Confirmation>>,
) -> anyhow::Result<()> {
    let confirmation = confirm.await?;
    ensure!(confirmation == Confirmation::Ack(None), "{confirmation:?}");
    Ok(())
}
