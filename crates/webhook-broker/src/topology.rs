//! Exchanges and queues, declared by the first service to start.
//!
//! ```text
//! webhooks.events (topic) ──#──► webhooks.events (quorum) ──dead letters──► webhooks.events.rejected
//!                 requeued by an admin ──►┘                                        │ dead letters
//! webhooks.status (topic) ──► queues of the platform's services                    ▼
//!                                                               webhooks.events.unreadable
//! ```
//!
//! An existing part is used with the arguments of its declaration: a user without the right to
//! `configure` works with another user's parts, and a queue of an earlier version stays in use.

use std::num::NonZeroU16;

use lapin::options::{ExchangeDeclareOptions, QueueBindOptions, QueueDeclareOptions};
use lapin::protocol::AMQPSoftError;
use lapin::types::{AMQPValue, FieldTable};
use lapin::{Channel, Connection, ExchangeKind};

use crate::error::BrokerError;

/// Exchange for events, published with the routing key `<environment>.<type>`.
pub const EVENTS_EXCHANGE: &str = "webhooks.events";

/// Exchange of status events about webhooks and deliveries, for the platform's services, with the
/// routing key `<environment>.<type>`.
pub const STATUS_EXCHANGE: &str = "webhooks.status";

/// Queue of published events. A single dispatcher consumes the queue at a time, and takes events in by
/// the order of the queue; another dispatcher takes over when the active dispatcher is gone.
///
/// One consumer is enough: a quorum queue's leader delivers no faster than one intake commits. All
/// dispatchers claim from Postgres the deliveries that found no room in the active dispatcher.
pub const EVENTS_QUEUE: &str = "webhooks.events";

/// Dead letters of [`EVENTS_QUEUE`], until a dispatcher has moved each into Postgres.
pub const REJECTED_QUEUE: &str = "webhooks.events.rejected";

/// Dead letters of [`REJECTED_QUEUE`]: messages whose headers fill a frame. RabbitMQ adds headers to a
/// dead letter, and then no consumer can be handed the message. The queue has no consumer.
pub const UNREADABLE_QUEUE: &str = "webhooks.events.unreadable";

/// Header with the reason why a message was rejected.
pub const REJECTION_REASON_HEADER: &str = "x-rejection-reason";

/// Header with the exchange of the first publication of a rejected or requeued message.
pub const ORIGINAL_EXCHANGE_HEADER: &str = "x-original-exchange";

/// Header with the routing key of the first publication of a rejected or requeued message.
pub const ORIGINAL_ROUTING_KEY_HEADER: &str = "x-original-routing-key";

/// A queue with dispatchers as consumers.
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

/// How often a message may come back to the queue before RabbitMQ dead-letters the message.
///
/// A message comes back when the consumer goes away with the message in hand. From ten returns on
/// (`SUSPECT_AFTER_RETURNS`) a message is in hand alone, and no neighbour's fault counts. Without
/// a limit of our own, RabbitMQ 4 drops a message after 20 returns.
pub(crate) const DELIVERY_LIMIT: i32 = 100;

/// A part of the topology.
pub(crate) enum Part {
    Exchange(&'static str),
    Queue(&'static str, FieldTable),
}

impl Part {
    /// Every part, in the order of the declarations, with queues on `replicas` nodes.
    pub(crate) fn all(replicas: Option<NonZeroU16>) -> [Self; 5] {
        let rejected = dead_lettering_to(UNREADABLE_QUEUE, replicas);
        [
            Self::Exchange(EVENTS_EXCHANGE),
            Self::Exchange(STATUS_EXCHANGE),
            Self::Queue(UNREADABLE_QUEUE, quorum(replicas)),
            Self::Queue(REJECTED_QUEUE, rejected),
            Self::Queue(EVENTS_QUEUE, events_arguments(replicas)),
        ]
    }

    pub(crate) fn name(&self) -> String {
        match self {
            Self::Exchange(name) => format!("exchange {name}"),
            Self::Queue(name, _) => format!("queue {name}"),
        }
    }
}

/// Declares every missing part, with queues on `replicas` nodes (`None`: as RabbitMQ decides), and binds the queue
/// of events.
pub(crate) async fn declare(
    connection: &Connection,
    replicas: Option<NonZeroU16>,
) -> Result<(), BrokerError> {
    let mut channel = connection.create_channel().await?;
    for part in Part::all(replicas) {
        let Err(error) = declare_part(&channel, &part, Declare::Create).await else {
            continue;
        };
        // RabbitMQ closes the channel of a refused declaration.
        channel = connection.create_channel().await?;
        if error.is(AMQPSoftError::PRECONDITIONFAILED) {
            log::warn!(
                "{} was declared with other arguments, which stay in use: {error}",
                part.name()
            );
        } else if error.is(AMQPSoftError::ACCESSREFUSED) {
            // A passive declaration needs no right; the part may have been declared by another user.
            let exists = declare_part(&channel, &part, Declare::CheckOnly).await;
            exists.map_err(|error| match error.is(AMQPSoftError::NOTFOUND) {
                true => BrokerError::NotDeclared { name: part.name() },
                false => error,
            })?;
        } else {
            return Err(error);
        }
    }
    match bind(&channel).await {
        // Another user declared and bound the queue. AMQP has no way to ask for a binding.
        Err(error) if error.is(AMQPSoftError::ACCESSREFUSED) => {
            log::info!(
                "{EVENTS_QUEUE} is assumed to be bound: the RabbitMQ user may not bind queues"
            );
            Ok(())
        }
        bound => {
            bound?;
            // Only here: after an error RabbitMQ has closed the channel.
            Ok(channel.close(200, "bye".into()).await?)
        }
    }
}

/// The kind of a declaration.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Declare {
    /// Creates a missing part.
    Create,
    /// Only checks that the part exists (AMQP: passive).
    CheckOnly,
}

pub(crate) async fn declare_part(
    channel: &Channel,
    part: &Part,
    declare: Declare,
) -> Result<(), BrokerError> {
    let passive = declare == Declare::CheckOnly;
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
                    "{waiting} messages are in {UNREADABLE_QUEUE}, which has no consumer: \
                     the headers are too large for a consumer, see docs/operating.md"
                );
            }
        }
    }
    Ok(())
}

/// Counts the ready messages of the queue of events. RabbitMQ ends the channel if the queue is missing.
pub(crate) async fn count_queued(channel: &Channel) -> lapin::Result<u32> {
    let options = QueueDeclareOptions {
        passive: true,
        ..QueueDeclareOptions::durable()
    };
    let declared = channel.queue_declare(EVENTS_QUEUE.into(), options, FieldTable::default());
    Ok(declared.await?.message_count())
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

fn quorum(replicas: Option<NonZeroU16>) -> FieldTable {
    let mut arguments = FieldTable::default();
    arguments.insert("x-queue-type".into(), text("quorum"));
    if let Some(replicas) = replicas {
        let replicas = AMQPValue::LongInt(replicas.get().into());
        arguments.insert("x-quorum-initial-group-size".into(), replicas);
    }
    arguments
}

/// A quorum queue whose dead letters go to `queue` through the default exchange, at least once:
/// RabbitMQ keeps a message until `queue` has confirmed the dead letter. RabbitMQ requires
/// `reject-publish` for this strategy. The option acts only in a queue with a maximum length, and this
/// queue has none.
fn dead_lettering_to(queue: &str, replicas: Option<NonZeroU16>) -> FieldTable {
    let mut arguments = quorum(replicas);
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

fn events_arguments(replicas: Option<NonZeroU16>) -> FieldTable {
    let mut arguments = dead_lettering_to(REJECTED_QUEUE, replicas);
    arguments.insert("x-single-active-consumer".into(), AMQPValue::Boolean(true));
    arguments
}

fn text(value: &str) -> AMQPValue {
    AMQPValue::LongString(value.into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[test]
    fn every_part_is_told_by_its_kind_and_its_name() {
        let names = Part::all(None).map(|part| part.name());

        assert_eq!(
            names,
            [
                "exchange webhooks.events",
                "exchange webhooks.status",
                "queue webhooks.events.unreadable",
                "queue webhooks.events.rejected",
                "queue webhooks.events",
            ]
        );
    }

    #[test]
    fn the_queues_with_consumers_are_declared() {
        let declared = Part::all(None).map(|part| part.name());

        for queue in [Queue::Events, Queue::Rejected] {
            assert!(declared.contains(&format!("queue {}", queue.name())));
        }
    }

    #[rstest]
    #[case(UNREADABLE_QUEUE, "x-queue-type", text("quorum"))]
    #[case(EVENTS_QUEUE, "x-queue-type", text("quorum"))]
    #[case(EVENTS_QUEUE, "x-dead-letter-routing-key", text(REJECTED_QUEUE))]
    #[case(EVENTS_QUEUE, "x-dead-letter-strategy", text("at-least-once"))]
    #[case(EVENTS_QUEUE, "x-single-active-consumer", AMQPValue::Boolean(true))]
    #[case(REJECTED_QUEUE, "x-dead-letter-routing-key", text(UNREADABLE_QUEUE))]
    #[case(REJECTED_QUEUE, "x-delivery-limit", AMQPValue::LongInt(DELIVERY_LIMIT))]
    fn a_queue_is_declared_with_its_arguments(
        #[case] queue: &str,
        #[case] key: &str,
        #[case] value: AMQPValue,
    ) {
        let arguments = Part::all(None).into_iter().find_map(|part| match part {
            Part::Queue(name, arguments) if name == queue => Some(arguments),
            Part::Queue(..) | Part::Exchange(_) => None,
        });

        let arguments = arguments.expect("the queue is declared");
        assert_eq!(arguments.inner().get(key), Some(&value));
    }

    #[test]
    fn a_queue_has_as_many_replicas_as_asked_for() {
        let replicas = |asked| {
            let [.., events] = Part::all(NonZeroU16::new(asked));
            let Part::Queue(_, arguments) = events else {
                return None;
            };
            arguments
                .inner()
                .get("x-quorum-initial-group-size")
                .cloned()
        };

        assert_eq!(replicas(0), None, "as RabbitMQ decides");
        assert_eq!(replicas(5), Some(AMQPValue::LongInt(5)));
    }
}
