use std::str::FromStr;
use std::time::Duration;

use lapin::options::ConfirmSelectOptions;
use lapin::uri::{AMQPScheme, AMQPUri};
use lapin::{Channel, Connection, ConnectionProperties};
use tokio::time::timeout;

use crate::topology;

/// Where RabbitMQ is: `amqp://` or `amqps://`.
#[derive(Clone)]
pub struct BrokerUrl(AMQPUri);

impl FromStr for BrokerUrl {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut uri: AMQPUri = text.parse()?;
        uri.query.heartbeat.get_or_insert(HEARTBEAT_SECONDS);
        uri.query.frame_max.get_or_insert(FRAME_BYTES);
        if uri.scheme == AMQPScheme::AMQPS && !cfg!(feature = "amqps") {
            return Err("this build has no TLS to the broker (feature amqps)".to_owned());
        }
        Ok(Self(uri))
    }
}

impl std::fmt::Debug for BrokerUrl {
    /// Leaves out the user and the password.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let authority = &self.0.authority;
        write!(f, "{}:{}/{}", authority.host, authority.port, self.0.vhost)
    }
}

/// A peer that is silent for twice as long is gone, in seconds. The broker then gives what it had
/// in hand to another: so long an intake can stand still when its machine freezes.
const HEARTBEAT_SECONDS: u16 = 10;

/// The largest frame; larger messages take several. lapin keeps room for 32 of them in each direction,
/// which is 8 MiB for each connection if the broker has its way.
const FRAME_BYTES: u32 = 32 * 1024;

/// How long the broker may take to let us in and to declare the topology.
const OPENS_WITHIN: Duration = Duration::from_secs(15);

/// Why the broker could not be used.
#[derive(Debug, thiserror::Error)]
pub enum BrokerError {
    /// The connection or the channel failed.
    #[error("broker: {0}")]
    Amqp(#[from] lapin::Error),
    /// The broker ended the consumer.
    #[error("the broker ended the consumer")]
    Ended,
    /// It did not answer in time; a queue may have no leader.
    #[error("the broker did not answer within {} s", OPENS_WITHIN.as_secs())]
    TimedOut,
    /// A rejected message could not be set aside.
    #[error("the broker did not confirm a rejected message")]
    NotConfirmed,
}

/// Connects, declares the topology and opens a channel with publisher confirms.
///
/// A connection is never repaired: whoever uses it makes a new one, because what was unconfirmed
/// or unacknowledged on the old one has to be decided by its user anyway.
pub(crate) async fn open(
    url: &BrokerUrl,
    name: &str,
) -> Result<(Connection, Channel), BrokerError> {
    match timeout(OPENS_WITHIN, open_unbounded(url, name)).await {
        Ok(opened) => Ok(opened?),
        Err(_) => Err(BrokerError::TimedOut),
    }
}

async fn open_unbounded(url: &BrokerUrl, name: &str) -> lapin::Result<(Connection, Channel)> {
    let properties = ConnectionProperties::default().with_connection_name(name.into());
    let connection = Connection::connect_uri(url.0.clone(), properties).await?;
    let channel = connection.create_channel().await?;
    topology::declare(&channel).await?;
    channel
        .confirm_select(ConfirmSelectOptions::default())
        .await?;
    Ok((connection, channel))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_never_shows_its_password() {
        let url: BrokerUrl = "amqp://me:hunter2@broker:5672/webhooks"
            .parse()
            .expect("a URL");

        assert_eq!(format!("{url:?}"), "broker:5672/webhooks");
    }

    #[test]
    fn other_urls_are_refused() {
        assert!("https://broker/".parse::<BrokerUrl>().is_err());
        assert!("broker:5672".parse::<BrokerUrl>().is_err());
    }
}
