use std::str::FromStr;
use std::time::Duration;

use lapin::protocol::{AMQPErrorKind, AMQPSoftError};
use lapin::uri::{AMQPScheme, AMQPUri};
use lapin::{Connection, ConnectionProperties, ErrorKind};
use tokio::time::timeout;

use crate::topology;

/// Where RabbitMQ is: `amqp://` or `amqps://`.
#[derive(Clone)]
pub struct BrokerUrl(AMQPUri);

/// Why a text is no address of RabbitMQ. The text itself, which may hold a password, is not quoted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidBrokerUrl {
    /// The text is not a URL with one of the two schemes.
    #[error("must be an amqp:// or amqps:// URL")]
    NotAmqp,
    /// The URL asks for TLS, and the program was built without the feature `amqps`.
    #[error("must be an amqp:// URL: this build has no TLS to the broker (feature amqps)")]
    NoTls,
}

impl FromStr for BrokerUrl {
    type Err = InvalidBrokerUrl;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut uri: AMQPUri = text.parse().map_err(|_| InvalidBrokerUrl::NotAmqp)?;
        uri.query.heartbeat.get_or_insert(HEARTBEAT_SECONDS);
        if uri.scheme == AMQPScheme::AMQPS && !cfg!(feature = "amqps") {
            return Err(InvalidBrokerUrl::NoTls);
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

/// The largest frame of a connection that only publishes, in bytes; larger messages take several.
/// lapin keeps room for 32 frames in each direction, which is 8 MiB for each connection if the broker
/// has its way. What we publish has headers of 9 KiB at most, and headers must fit one frame.
const PUBLISHERS_FRAME_BYTES: u32 = 32 * 1024;

/// The largest frame of a connection that consumes, in bytes, unless the broker's is smaller, as it is
/// by default (128 KiB): a broker may set none.
const CONSUMERS_FRAME_BYTES: u32 = 1024 * 1024;

/// How long the broker may take to let us in and to declare the topology.
const OPENS_WITHIN: Duration = Duration::from_secs(15);

/// How long a goodbye may take.
const CLOSES_WITHIN: Duration = Duration::from_secs(2);

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
    /// The user may not declare what is not there.
    #[error(
        "{what} is not declared, and the RabbitMQ user may not declare it: grant `configure` on \
         `webhooks\\..*`, or declare everything beforehand, see docs/operating.md"
    )]
    NotDeclared {
        /// Such as `queue webhooks.events`.
        what: String,
    },
}

impl BrokerError {
    /// Whether the broker closed a channel for this reason.
    pub(crate) fn is(&self, reason: AMQPSoftError) -> bool {
        let Self::Amqp(error) = self else {
            return false;
        };
        let ErrorKind::ProtocolError(error) = error.kind() else {
            return false;
        };
        *error.kind() == AMQPErrorKind::Soft(reason)
    }
}

/// What a connection is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Use {
    /// Its frames are small.
    Publishing,
    /// Its frames are as large as the broker's: somebody else wrote the headers of what comes, and
    /// the broker does not look whether they fit before it sends them.
    Consuming,
}

/// Connects and declares the topology.
///
/// A connection is never repaired: whoever uses it makes a new one, because what was unconfirmed
/// or unacknowledged on the old one has to be decided by its user anyway.
pub(crate) async fn open(
    url: &BrokerUrl,
    name: &str,
    purpose: Use,
) -> Result<Connection, BrokerError> {
    let opening = async {
        let connection = connect(url, name, purpose).await?;
        topology::declare(&connection).await?;
        Ok(connection)
    };
    timeout(OPENS_WITHIN, opening)
        .await
        .unwrap_or(Err(BrokerError::TimedOut))
}

async fn connect(url: &BrokerUrl, name: &str, purpose: Use) -> lapin::Result<Connection> {
    let mut uri = url.0.clone();
    uri.query.frame_max.get_or_insert(match purpose {
        Use::Publishing => PUBLISHERS_FRAME_BYTES,
        Use::Consuming => CONSUMERS_FRAME_BYTES,
    });
    let properties = ConnectionProperties::default().with_connection_name(name.into());
    Connection::connect_uri(uri, properties).await
}

/// Disconnects.
pub(crate) async fn close(connection: &Connection) {
    // A connection that the broker blocks writes nothing, its goodbye included.
    match timeout(CLOSES_WITHIN, connection.close(200, "bye".into())).await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => log::debug!("closing the broker connection: {error}"),
        Err(_) => log::debug!("the broker connection is left without a goodbye"),
    }
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
