//! How large a message the broker accepts.

use lapin::BasicProperties;
use lapin::options::BasicPublishOptions;
use lapin::protocol::AMQPSoftError;
use tokio::time::timeout;
use uuid::Uuid;
use webhook_domain::outside::MAX_MESSAGE_BYTES;

use crate::connection::{BrokerError, BrokerUrl, close};
use crate::publisher::{CONFIRM_WITHIN, open_confirming};

/// Whether the broker accepts larger messages than [`MAX_MESSAGE_BYTES`], which nobody can tell but
/// by sending one: it goes to a queue that is not there, so the broker drops what it accepts.
pub async fn accepts_larger_messages(url: &BrokerUrl) -> Result<bool, BrokerError> {
    let (connection, channel) = open_confirming(url, "webhook-dispatcher size check").await?;
    let too_large = vec![b' '; MAX_MESSAGE_BYTES + 1];
    let queue = format!("webhooks.size-check.{}", Uuid::new_v4());
    let sent = async {
        let (options, properties) = (BasicPublishOptions::default(), BasicProperties::default());
        let sent = channel.basic_publish("".into(), queue.into(), options, &too_large, properties);
        Ok::<_, BrokerError>(sent.await?.await?)
    };
    let answer = timeout(CONFIRM_WITHIN, sent).await;
    close(&connection).await;
    match answer {
        Ok(Ok(_)) => Ok(true),
        Ok(Err(error)) if error.is(AMQPSoftError::PRECONDITIONFAILED) => Ok(false),
        Ok(Err(error)) => Err(error),
        Err(_) => Err(BrokerError::TimedOut),
    }
}
