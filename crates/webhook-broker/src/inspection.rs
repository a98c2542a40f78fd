//! The facts about RabbitMQ that decide whether the services work, for `webhook-api doctor`. Nothing is declared,
//! published to a queue of ours, or consumed.

use lapin::options::{
    BasicConsumeOptions, BasicPublishOptions, ConfirmSelectOptions, ExchangeDeclareOptions,
    QueueDeclareOptions,
};
use lapin::protocol::AMQPSoftError;
use lapin::types::{AMQPValue, FieldTable};
use lapin::{BasicProperties, Channel, Connection, ExchangeKind};
use webhook_domain::MAX_EVENT_BYTES;
use webhook_domain::outside::MAX_MESSAGE_BYTES;

use crate::cluster::Cluster;
use crate::connection::{ConnectionPurpose, close};
use crate::error::BrokerError;
use crate::size_check::accepts;
use crate::topology::{
    Declare, EVENTS_EXCHANGE, EVENTS_QUEUE, Part, REJECTED_QUEUE, STATUS_EXCHANGE, declare_part,
};

mod version;

/// The facts about a vhost of RabbitMQ.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BrokerFacts {
    /// RabbitMQ's version. `None`: unknown, as over TLS.
    pub version: Option<String>,
    /// Exchanges and queues, in the order of their declarations.
    pub parts: Vec<(String, PartState)>,
    /// The rights that the user lacks, for instance `write on webhooks.events`.
    pub missing_rights: Vec<String>,
    /// The largest message.
    pub largest_message: LargestMessage,
}

/// The state of an exchange or a queue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PartState {
    /// The part is as the services declare the part.
    AsDeclared(Content),
    /// The part was declared with other arguments, which stay in use; with RabbitMQ's reason.
    Differs(Content, String),
    /// The part exists, and the user may not ask for the arguments.
    Exists(Content),
    /// The part does not exist.
    Missing,
}

/// The content of a queue; zeros for an exchange.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Content {
    /// Messages ready for a consumer.
    pub messages: u32,
    /// Consumers.
    pub consumers: u32,
}

/// How RabbitMQ bounds messages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LargestMessage {
    /// An event fits, and a message larger than twice an event is refused.
    Bounded,
    /// Messages larger than twice an event are accepted.
    Unbounded,
    /// The largest event does not fit.
    BelowEvents,
    /// RabbitMQ could not be asked; with the reason.
    Unknown(String),
}

/// Reads the facts over a connection of its own, to the first node that accepts one.
pub async fn inspect(cluster: &Cluster) -> Result<BrokerFacts, BrokerError> {
    let connecting = cluster.connect("webhook-api doctor", ConnectionPurpose::Publishing);
    let (connection, url) = connecting.await?;
    let mut parts = Vec::new();
    for part in Part::all(cluster.queue_replicas()) {
        let state = find_state(&connection, &part).await?;
        parts.push((part.name(), state));
    }
    let facts = BrokerFacts {
        version: version::ask(url).await,
        parts,
        missing_rights: list_missing_rights(&connection).await?,
        largest_message: find_largest_message(&connection).await,
    };
    close(&connection).await;
    Ok(facts)
}

async fn find_state(connection: &Connection, part: &Part) -> Result<PartState, BrokerError> {
    let channel = connection.create_channel().await?;
    let content = match find_content(&channel, part).await {
        Err(error) if error.is(AMQPSoftError::NOTFOUND) => return Ok(PartState::Missing),
        found => found?,
    };
    // A declaration of an existing part changes nothing. RabbitMQ compares the arguments, and closes the
    // channel when the arguments differ.
    match declare_part(&channel, part, Declare::Create).await {
        Ok(()) => Ok(PartState::AsDeclared(content)),
        Err(error) if error.is(AMQPSoftError::PRECONDITIONFAILED) => {
            Ok(PartState::Differs(content, error.to_string()))
        }
        Err(error) if error.is(AMQPSoftError::ACCESSREFUSED) => Ok(PartState::Exists(content)),
        Err(error) => Err(error),
    }
}

/// The content of a part, by a passive declaration, for which a user needs no right.
async fn find_content(channel: &Channel, part: &Part) -> Result<Content, BrokerError> {
    let arguments = FieldTable::default();
    match part {
        Part::Exchange(name) => {
            let options = ExchangeDeclareOptions {
                passive: true,
                ..ExchangeDeclareOptions::default()
            };
            let declared =
                channel.exchange_declare((*name).into(), ExchangeKind::Topic, options, arguments);
            declared.await?;
            Ok(Content::default())
        }
        Part::Queue(name, _) => {
            let options = QueueDeclareOptions {
                passive: true,
                ..QueueDeclareOptions::default()
            };
            let queue = channel
                .queue_declare((*name).into(), options, arguments)
                .await?;
            Ok(Content {
                messages: queue.message_count(),
                consumers: queue.consumer_count(),
            })
        }
    }
}

async fn list_missing_rights(connection: &Connection) -> Result<Vec<String>, BrokerError> {
    let mut missing = Vec::new();
    // The default exchange is called amq.default in permissions.
    for (exchange, name) in [
        (EVENTS_EXCHANGE, EVENTS_EXCHANGE),
        (STATUS_EXCHANGE, STATUS_EXCHANGE),
        ("", "amq.default"),
    ] {
        if !may_write(connection, exchange).await? {
            missing.push(format!("write on {name}"));
        }
    }
    for queue in [EVENTS_QUEUE, REJECTED_QUEUE] {
        if !may_read(connection, queue).await? {
            missing.push(format!("read on {queue}"));
        }
    }
    Ok(missing)
}

/// Whether the user may publish. RabbitMQ looks at the right first and at the expiration next, and refuses
/// the message for a wrong expiration: no message enters.
async fn may_write(connection: &Connection, exchange: &str) -> Result<bool, BrokerError> {
    let channel = connection.create_channel().await?;
    channel
        .confirm_select(ConfirmSelectOptions::default())
        .await?;
    let refusable = BasicProperties::default().with_expiration("no number".into());
    let options = BasicPublishOptions::default();
    let sent = async {
        let sent = channel.basic_publish(exchange.into(), "doctor".into(), options, b"", refusable);
        sent.await?.await?;
        Ok::<_, BrokerError>(())
    };
    is_permitted(sent.await)
}

/// Whether the user may consume. RabbitMQ looks at the right first and at the arguments next, and refuses
/// the consumer for a wrong argument: no message is handed out.
async fn may_read(connection: &Connection, queue: &str) -> Result<bool, BrokerError> {
    let channel = connection.create_channel().await?;
    let mut arguments = FieldTable::default();
    arguments.insert(
        "x-priority".into(),
        AMQPValue::LongString("no number".into()),
    );
    let options = BasicConsumeOptions::default();
    let consumed = channel.basic_consume(queue.into(), "doctor".into(), options, arguments);
    is_permitted(consumed.await.map(drop).map_err(BrokerError::from))
}

fn is_permitted(result: Result<(), BrokerError>) -> Result<bool, BrokerError> {
    match result {
        Err(error) if error.is(AMQPSoftError::ACCESSREFUSED) => Ok(false),
        Err(error) if error.is(AMQPSoftError::PRECONDITIONFAILED) => Ok(true),
        // A missing exchange or queue is told by its state.
        Err(error) if error.is(AMQPSoftError::NOTFOUND) => Ok(true),
        Err(error) => Err(error),
        Ok(()) => Ok(true),
    }
}

async fn find_largest_message(connection: &Connection) -> LargestMessage {
    let found = async {
        if !accepts(connection, MAX_EVENT_BYTES).await? {
            return Ok(LargestMessage::BelowEvents);
        }
        let larger = accepts(connection, MAX_MESSAGE_BYTES + 1).await?;
        Ok::<_, BrokerError>(match larger {
            true => LargestMessage::Unbounded,
            false => LargestMessage::Bounded,
        })
    };
    found
        .await
        .unwrap_or_else(|error| LargestMessage::Unknown(error.to_string()))
}
