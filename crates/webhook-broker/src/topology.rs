//! Exchanges and queues, declared by whichever service starts first.
//!
//! ```text
//! webhooks.events (topic) ──#──► webhooks.events (quorum) ──dead letters──► webhooks.events.rejected
//!                 requeued by an admin ──►┘                                        │ dead letters
//! webhooks.status (topic) ──► what the platform's services bind                    ▼
//!                                                               webhooks.events.unreadable
//! ```
//!
//! What is there is used as it is: a user who may not `configure` can work with what others have
//! declared, and a queue that an earlier version declared with other arguments goes on serving.

use lapin::options::{ExchangeDeclareOptions, QueueBindOptions, QueueDeclareOptions};
use lapin::protocol::AMQPSoftError;
use lapin::types::{AMQPValue, FieldTable};
use lapin::{Channel, Connection, ExchangeKind};

use crate::connection::BrokerError;

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

/// Dead letters of [`EVENTS_QUEUE`], until a dispatcher has moved them into Postgres.
pub const REJECTED_QUEUE: &str = "webhooks.events.rejected";

/// Dead letters of [`REJECTED_QUEUE`]: messages whose headers fill a frame, so that no consumer can
/// be handed them with the headers that RabbitMQ adds to a dead letter. Nothing consumes it.
pub const UNREADABLE_QUEUE: &str = "webhooks.events.unreadable";

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

/// How often a message may come back before it is dead-lettered.
///
/// It comes back when a consumer breaks off with it in hand. A message that came back
/// [ten times](crate::consumer::SUSPECT) is in hand alone, so that from then on only its own faults
/// count. RabbitMQ 4 drops at 20 where no limit is set.
const DELIVERY_LIMIT: i32 = 100;

/// Something to be declared.
enum Part {
    Exchange(&'static str),
    Queue(&'static str, FieldTable),
}

impl Part {
    fn all() -> [Self; 5] {
        [
            Self::Exchange(EVENTS_EXCHANGE),
            Self::Exchange(STATUS_EXCHANGE),
            Self::Queue(UNREADABLE_QUEUE, quorum()),
            Self::Queue(REJECTED_QUEUE, dead_lettering_to(UNREADABLE_QUEUE)),
            Self::Queue(EVENTS_QUEUE, events_arguments()),
        ]
    }

    fn name(&self) -> String {
        match self {
            Self::Exchange(name) => format!("exchange {name}"),
            Self::Queue(name, _) => format!("queue {name}"),
        }
    }
}

/// Declares everything that is not there yet.
pub(crate) async fn declare(connection: &Connection) -> Result<(), BrokerError> {
    let mut channel = connection.create_channel().await?;
    for part in Part::all() {
        let Err(error) = declare_part(&channel, &part, false).await else {
            continue;
        };
        // A refusal closes the channel.
        channel = connection.create_channel().await?;
        if error.is(AMQPSoftError::PRECONDITIONFAILED) {
            log::warn!(
                "{} was declared with other arguments; it is used as it is: {error}",
                part.name()
            );
        } else if error.is(AMQPSoftError::ACCESSREFUSED) {
            let there = declare_part(&channel, &part, true).await;
            there.map_err(|error| match error.is(AMQPSoftError::NOTFOUND) {
                true => BrokerError::NotDeclared { what: part.name() },
                false => error,
            })?;
        } else {
            return Err(error);
        }
    }
    match bind(&channel).await {
        // The user who declared the queue has bound it; AMQP has no way to ask for a binding.
        Err(error) if error.is(AMQPSoftError::ACCESSREFUSED) => {
            log::info!("{EVENTS_QUEUE} is taken to be bound, as this user may not bind it");
            Ok(())
        }
        bound => {
            bound?;
            // Its channel may end only now, when nothing else is said on it.
            Ok(channel.close(200, "bye".into()).await?)
        }
    }
}

async fn declare_part(channel: &Channel, part: &Part, passive: bool) -> Result<(), BrokerError> {
    match part {
        Part::Exchange(name) => {
            let options = ExchangeDeclareOptions {
                durable: true,
                passive,
                ..ExchangeDeclareOptions::default()
            };
            let (name, kind) = ((*name).into(), ExchangeKind::Topic);
            let arguments = FieldTable::default();
            channel
                .exchange_declare(name, kind, options, arguments)
                .await?;
        }
        Part::Queue(name, arguments) => {
            let options = QueueDeclareOptions {
                passive,
                ..QueueDeclareOptions::durable()
            };
            let declared = channel.queue_declare((*name).into(), options, arguments.clone());
            let waiting = declared.await?.message_count();
            if *name == UNREADABLE_QUEUE && waiting > 0 {
                log::warn!(
                    "{waiting} messages are in {UNREADABLE_QUEUE}, where nothing consumes them: \
                     their headers are too large to be handed out, see docs/operating.md"
                );
            }
        }
    }
    Ok(())
}

async fn bind(channel: &Channel) -> Result<(), BrokerError> {
    let (options, arguments) = (QueueBindOptions::default(), FieldTable::default());
    channel
        .queue_bind(
            EVENTS_QUEUE.into(),
            EVENTS_EXCHANGE.into(),
            "#".into(),
            options,
            arguments,
        )
        .await?;
    Ok(())
}

fn quorum() -> FieldTable {
    let mut arguments = FieldTable::default();
    arguments.insert("x-queue-type".into(), text("quorum"));
    arguments
}

/// Dead letters go through the default exchange, at least once: the broker keeps a message until
/// the other queue has it. That needs `reject-publish`, which without a maximum length never
/// takes effect.
fn dead_lettering_to(queue: &str) -> FieldTable {
    let mut arguments = quorum();
    arguments.insert(
        "x-delivery-limit".into(),
        AMQPValue::LongInt(DELIVERY_LIMIT),
    );
    arguments.insert("x-dead-letter-exchange".into(), text(""));
    arguments.insert("x-dead-letter-routing-key".into(), text(queue));
    arguments.insert("x-dead-letter-strategy".into(), text("at-least-once"));
    arguments.insert("x-overflow".into(), text("reject-publish"));
    arguments
}

fn events_arguments() -> FieldTable {
    let mut arguments = dead_lettering_to(REJECTED_QUEUE);
    arguments.insert("x-single-active-consumer".into(), AMQPValue::Boolean(true));
    arguments
}

fn text(value: &str) -> AMQPValue {
    AMQPValue::LongString(value.into())
}
