//! A message in hand, with what is believed of its headers and properties, each of bounded size.

use bytes::Bytes;
use lapin::BasicProperties;
use lapin::message::Delivery;
use webhook_domain::{Origin, OriginName};

use crate::rejection::{Rejection, read_delivery_count, read_origin, read_rejection};

/// A message in hand: the broker keeps it until it is acknowledged.
#[derive(Debug, Clone)]
pub struct Message {
    /// What was published.
    pub body: Bytes,
    /// Its number on this channel.
    pub delivery_tag: u64,
    /// How often it came back unacknowledged.
    pub delivery_count: u64,
    /// The `content_encoding` property, such as `gzip`, as the publisher set it.
    pub content_encoding: Option<OriginName>,
    /// Where it was published first.
    pub origin: Origin,
    /// Why it was rejected, if it is of the rejected queue.
    pub rejection: Rejection,
}

impl Message {
    /// Reads what the broker handed out, whatever its publisher wrote into headers and properties.
    pub fn of(delivery: Delivery) -> Self {
        let published = Origin {
            exchange: OriginName::new(delivery.exchange.as_str()),
            routing_key: OriginName::new(delivery.routing_key.as_str()),
        };
        let properties = &delivery.properties;
        Self {
            delivery_tag: delivery.delivery_tag,
            delivery_count: read_delivery_count(properties),
            content_encoding: encoding(properties),
            origin: read_origin(properties, published),
            rejection: read_rejection(properties),
            body: Bytes::from(delivery.data),
        }
    }
}

fn encoding(properties: &BasicProperties) -> Option<OriginName> {
    let encoding = properties.content_encoding().as_ref()?.as_str();
    let plain = encoding.is_empty() || encoding.eq_ignore_ascii_case("utf-8");
    (!plain).then(|| OriginName::new(encoding))
}
