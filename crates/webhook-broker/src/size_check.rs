//! Whether RabbitMQ accepts larger messages than an event may be.

use lapin::BasicProperties;
use lapin::options::BasicPublishOptions;
use lapin::protocol::AMQPSoftError;
use tokio::time::timeout;
use uuid::Uuid;
use webhook_domain::outside::MAX_MESSAGE_BYTES;

use crate::cluster::Cluster;
use crate::connection::close;
use crate::error::BrokerError;
use crate::publisher::{CONFIRMS_WITHIN, open_confirming};

/// Whether RabbitMQ accepts a message a byte longer than [`MAX_MESSAGE_BYTES`].
///
/// AMQP has no way to ask for the bound. The function publishes a message to a queue without a
/// consumer or even a declaration: RabbitMQ drops an accepted message there.
pub async fn accepts_larger_messages(cluster: &Cluster) -> Result<bool, BrokerError> {
    let (connection, channel) = open_confirming(cluster, "webhook-dispatcher size check").await?;
    let too_large = vec![b' '; MAX_MESSAGE_BYTES + 1];
    let queue = format!("webhooks.size-check.{}", Uuid::new_v4());
    let sent = async {
        let (options, properties) = (BasicPublishOptions::default(), BasicProperties::default());
        let sent = channel.basic_publish("".into(), queue.into(), options, &too_large, properties);
        Ok::<_, BrokerError>(sent.await?.await?)
    };
    let confirmation = timeout(CONFIRMS_WITHIN, sent).await;
    close(&connection).await;
    match confirmation {
        Ok(Ok(_)) => Ok(true),
        // RabbitMQ's reason to close the channel when a body is too large.
        Ok(Err(error)) if error.is(AMQPSoftError::PRECONDITIONFAILED) => Ok(false),
        Ok(Err(error)) => Err(error),
        Err(_) => Err(BrokerError::TimedOut),
    }
}
