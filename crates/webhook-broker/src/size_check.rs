//! Whether RabbitMQ accepts larger messages than an event may be.

use lapin::options::{BasicPublishOptions, ConfirmSelectOptions};
use lapin::protocol::AMQPSoftError;
use lapin::{BasicProperties, Connection};
use tokio::time::timeout;
use uuid::Uuid;
use webhook_domain::outside::MAX_MESSAGE_BYTES;

use crate::cluster::Cluster;
use crate::connection::{ConnectionPurpose, close};
use crate::error::BrokerError;
use crate::publisher::CONFIRMS_WITHIN;

/// Whether RabbitMQ accepts a message a byte longer than [`MAX_MESSAGE_BYTES`].
///
/// AMQP has no way to ask for the bound. The function publishes a message to a queue without a
/// consumer or even a declaration: RabbitMQ drops an accepted message there.
pub async fn accepts_larger_messages(cluster: &Cluster) -> Result<bool, BrokerError> {
    let connection = cluster
        .open(
            "webhook-dispatcher size check",
            ConnectionPurpose::Publishing,
        )
        .await?;
    let accepted = accepts(&connection, MAX_MESSAGE_BYTES + 1).await;
    close(&connection).await;
    accepted
}

/// Whether RabbitMQ accepts a message of `bytes`.
pub(crate) async fn accepts(connection: &Connection, bytes: usize) -> Result<bool, BrokerError> {
    let channel = connection.create_channel().await?;
    channel
        .confirm_select(ConfirmSelectOptions::default())
        .await?;
    let body = vec![b' '; bytes];
    let queue = format!("webhooks.size-check.{}", Uuid::new_v4());
    let sent = async {
        let (options, properties) = (BasicPublishOptions::default(), BasicProperties::default());
        let sent = channel.basic_publish("".into(), queue.into(), options, &body, properties);
        Ok::<_, BrokerError>(sent.await?.await?)
    };
    match timeout(CONFIRMS_WITHIN, sent).await {
        Ok(Ok(_)) => Ok(true),
        // RabbitMQ's reason to close the channel when a body is too large.
        Ok(Err(error)) if error.is(AMQPSoftError::PRECONDITIONFAILED) => Ok(false),
        Ok(Err(error)) => Err(error),
        Err(_) => Err(BrokerError::TimedOut),
    }
}
