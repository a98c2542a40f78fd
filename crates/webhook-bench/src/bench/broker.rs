//! The broker, asked and used without anything of ours in between.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use anyhow::ensure;
use lapin::options::{BasicPublishOptions, ConfirmSelectOptions, QueueDeclareOptions};
use lapin::types::FieldTable;
use lapin::{BasicProperties, Channel, Confirmation, Connection, ConnectionProperties};
use webhook_broker::topology::{EVENTS_EXCHANGE, EVENTS_QUEUE};
use webhook_domain::Event;

/// How many messages may be unconfirmed at once.
const UNCONFIRMED: usize = 4_000;

/// A connection of our own, with confirms.
pub(crate) struct Broker {
    // It ends when it is dropped.
    _connection: Connection,
    channel: Channel,
}

/// What the events queue holds.
#[derive(Debug, Clone, Copy)]
pub(crate) struct QueueState {
    /// Messages that wait, those in somebody's hand left out.
    pub(crate) waiting: u32,
    /// How many consume from it.
    pub(crate) consumers: u32,
}

impl Broker {
    /// Connects. Exchange and queue are there once a publisher of ours was.
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

    /// Looks at the events queue. The management API would tell what was some seconds ago.
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

    /// Bare confirmed publishing: tells how long it took until the last confirm. What is
    /// unconfirmed is waited for in order while more is on its way.
    pub(crate) async fn publish(&self, events: &[Event]) -> anyhow::Result<Duration> {
        let began = Instant::now();
        let mut unconfirmed = VecDeque::with_capacity(UNCONFIRMED);
        for event in events {
            if unconfirmed.len() == UNCONFIRMED
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
