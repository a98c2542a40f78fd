//! A connection to a node of RabbitMQ, with the frame size for its purpose.

use std::str::FromStr;
use std::time::Duration;

use lapin::uri::{AMQPScheme, AMQPUri};
use lapin::{Connection, ConnectionProperties};
use tokio::time::timeout;

/// Address of a node of RabbitMQ, `amqp://` or `amqps://`, with user and password.
#[derive(Clone)]
pub struct BrokerUrl(pub(crate) AMQPUri);

/// Why a text is no address of RabbitMQ. The text is not quoted: a password may be part of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidBrokerUrl {
    /// The text is not a URL, or the URL has another scheme.
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
    /// Shows host, port and vhost, without user and password.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let authority = &self.0.authority;
        write!(f, "{}:{}/{}", authority.host, authority.port, self.0.vhost)
    }
}

/// Heartbeat interval, in seconds, unless the URL sets another. A peer counts as gone after two silent
/// intervals, and RabbitMQ then gives the peer's messages to another consumer. When the active
/// dispatcher's machine freezes, the intake stands still for these 20 seconds.
const HEARTBEAT_SECONDS: u16 = 10;

/// Largest frame of a publishing connection, in bytes; a larger body takes several frames. lapin
/// reserves 32 frames in each direction: 1 MiB with frames of 32 KiB, 8 MiB with RabbitMQ's default.
/// Headers must fit a single frame, and the headers of our messages have 9 KiB at most.
const PUBLISHER_FRAME_BYTES: u32 = 32 * 1024;

/// Largest frame of a consuming connection, in bytes, unless RabbitMQ's own bound is smaller
/// (128 KiB by default). RabbitMQ may be configured without a bound.
const CONSUMER_FRAME_BYTES: u32 = 1024 * 1024;

/// Longest wait for the closing handshake of a connection. Afterwards the connection is dropped.
const CLOSES_WITHIN: Duration = Duration::from_secs(2);

/// The purpose of a connection. The frame size depends on the purpose.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ConnectionPurpose {
    /// Small frames, as our own messages have small headers.
    Publishing,
    /// Frames as large as RabbitMQ allows: strangers wrote the headers of the messages, and
    /// RabbitMQ sends headers without checking their size against the frame.
    Consuming,
}

/// Connects to a node.
pub(crate) async fn connect(
    url: &BrokerUrl,
    name: &str,
    purpose: ConnectionPurpose,
) -> lapin::Result<Connection> {
    let mut uri = url.0.clone();
    uri.query.frame_max.get_or_insert(match purpose {
        ConnectionPurpose::Publishing => PUBLISHER_FRAME_BYTES,
        ConnectionPurpose::Consuming => CONSUMER_FRAME_BYTES,
    });
    let properties = ConnectionProperties::default().with_connection_name(name.into());
    Connection::connect_uri(uri, properties).await
}

/// Closes a connection, within [`CLOSES_WITHIN`].
pub(crate) async fn close(connection: &Connection) {
    // During a memory or disk alarm RabbitMQ blocks the connections of publishers. A blocked
    // connection sends no frame, not even the closing handshake.
    match timeout(CLOSES_WITHIN, connection.close(200, "bye".into())).await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => log::debug!("cannot close the broker connection: {error}"),
        Err(_) => log::debug!("the broker connection is dropped without a closing handshake"),
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
        for text in ["https://broker/", "broker:5672"] {
            let refused = text.parse::<BrokerUrl>().err();

            assert_eq!(refused, Some(InvalidBrokerUrl::NotAmqp), "{text}");
        }
    }

    #[test]
    fn tls_to_the_broker_is_as_good_as_the_build() {
        let refused = "amqps://broker/".parse::<BrokerUrl>().err();

        let told = (!cfg!(feature = "amqps")).then_some(InvalidBrokerUrl::NoTls);
        assert_eq!(refused, told);
    }

    #[test]
    fn a_heartbeat_is_asked_for_unless_the_url_names_another() {
        let heartbeat = |text: &str| {
            let url: BrokerUrl = text.parse().expect("a URL");
            url.0.query.heartbeat
        };

        assert_eq!(heartbeat("amqp://broker"), Some(HEARTBEAT_SECONDS));
        assert_eq!(heartbeat("amqp://broker?heartbeat=3"), Some(3));
    }
}
