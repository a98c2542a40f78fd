//! Exchanges and queues, declared by whichever service starts first.
//!
//! ```text
//! webhooks.events (topic) ──#──► webhooks.events (quorum) ──dead letters──► webhooks.events.rejected
//!                 requeued by an admin ──►┘                what is no event ──►┘
//! webhooks.status (topic) ──► whatever the platform's services bind
//! ```

use lapin::options::{ExchangeDeclareOptions, QueueBindOptions, QueueDeclareOptions};
use lapin::types::{AMQPValue, FieldTable};
use lapin::{Channel, ExchangeKind};

/// Where events are published, with the routing key `<environment>.<type>`.
pub const EVENTS_EXCHANGE: &str = "webhooks.events";

/// Where the platform's services are told what became of webhooks and deliveries, with the routing
/// key `<environment>.<type>`.
pub const STATUS_EXCHANGE: &str = "webhooks.status";

/// What the dispatchers consume, one of them at a time: the order of the queue is the order of
/// the intake, and another one takes over when that one is gone.
///
/// One is enough. A quorum queue has one leader and hands out no faster than one intake takes in,
/// and what the one has no room for is claimed from Postgres by all.
pub const EVENTS_QUEUE: &str = "webhooks.events";

/// Messages that cannot be an event, their bodies untouched, until a dispatcher has moved them into
/// Postgres.
pub const REJECTED_QUEUE: &str = "webhooks.events.rejected";

/// Tells why a message was rejected.
pub const REJECTION_REASON_HEADER: &str = "x-rejection-reason";

/// Tells the exchange that a rejected or requeued message was published to.
pub const ORIGINAL_EXCHANGE_HEADER: &str = "x-original-exchange";

/// Tells the routing key that it was published with.
pub const ORIGINAL_ROUTING_KEY_HEADER: &str = "x-original-routing-key";

/// A queue that dispatchers consume.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Queue {
    /// [`EVENTS_QUEUE`]
    Events,
    /// [`REJECTED_QUEUE`]
    Rejected,
}

impl Queue {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Events => EVENTS_QUEUE,
            Self::Rejected => REJECTED_QUEUE,
        }
    }
}

/// How often a message may come back before it is set aside.
///
/// It only comes back when an intake breaks off with it in hand: its dispatcher dies, or cannot
/// write it down for a while. RabbitMQ 4 drops at 20 where no limit is set; a hundred times are no
/// accident of the message's neighbours any more.
const DELIVERY_LIMIT: i32 = 100;

/// Declares everything. Declaring it again changes nothing.
pub(crate) async fn declare(channel: &Channel) -> lapin::Result<()> {
    declare_exchange(channel, EVENTS_EXCHANGE).await?;
    declare_exchange(channel, STATUS_EXCHANGE).await?;
    declare_queue(channel, REJECTED_QUEUE, quorum()).await?;
    declare_queue(channel, EVENTS_QUEUE, events_arguments()).await?;
    channel
        .queue_bind(
            EVENTS_QUEUE.into(),
            EVENTS_EXCHANGE.into(),
            "#".into(),
            QueueBindOptions::default(),
            FieldTable::default(),
        )
        .await
}

async fn declare_exchange(channel: &Channel, name: &str) -> lapin::Result<()> {
    let options = ExchangeDeclareOptions {
        durable: true,
        ..ExchangeDeclareOptions::default()
    };
    channel
        .exchange_declare(
            name.into(),
            ExchangeKind::Topic,
            options,
            FieldTable::default(),
        )
        .await
}

async fn declare_queue(channel: &Channel, name: &str, arguments: FieldTable) -> lapin::Result<()> {
    let options = QueueDeclareOptions::durable();
    channel
        .queue_declare(name.into(), options, arguments)
        .await?;
    Ok(())
}

fn quorum() -> FieldTable {
    let mut arguments = FieldTable::default();
    arguments.insert("x-queue-type".into(), text("quorum"));
    arguments
}

/// Dead letters go through the default exchange, at least once: the broker keeps a message until
/// the rejected queue has it. That needs `reject-publish`, which without a maximum length never
/// takes effect.
fn events_arguments() -> FieldTable {
    let mut arguments = quorum();
    arguments.insert("x-single-active-consumer".into(), AMQPValue::Boolean(true));
    arguments.insert(
        "x-delivery-limit".into(),
        AMQPValue::LongInt(DELIVERY_LIMIT),
    );
    arguments.insert("x-dead-letter-exchange".into(), text(""));
    arguments.insert("x-dead-letter-routing-key".into(), text(REJECTED_QUEUE));
    arguments.insert("x-dead-letter-strategy".into(), text("at-least-once"));
    arguments.insert("x-overflow".into(), text("reject-publish"));
    arguments
}

fn text(value: &str) -> AMQPValue {
    AMQPValue::LongString(value.into())
}
