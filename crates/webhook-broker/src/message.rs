//! A message in hand: body, headers and properties, each bounded in size.

use bytes::Bytes;
use lapin::BasicProperties;
use lapin::message::Delivery;
use webhook_domain::{AmqpName, PublishedTo, TraceContext};

use crate::rejection::{Rejection, read_delivery_count, read_published_to, read_rejection};
use crate::trace_header::read_trace;

/// A message in hand. RabbitMQ keeps a message until the acknowledgement, and hands the message out
/// again if the consumer goes away before.
#[derive(Debug, Clone)]
pub struct Message {
    /// The published bytes, at most as many as RabbitMQ accepts (`max_message_size`).
    pub body: Bytes,
    /// Number of the message on the channel, from 1, for the acknowledgement.
    pub delivery_tag: u64,
    /// How often the message came back to the queue unacknowledged.
    pub delivery_count: u64,
    /// The `content_encoding` property, for example `gzip`; `None` if missing, empty or `utf-8`.
    pub content_encoding: Option<AmqpName>,
    /// Exchange and routing key of the first publication.
    pub published_to: PublishedTo,
    /// The place in a trace that the publisher named (header `traceparent`).
    pub trace: Option<TraceContext>,
    /// Why the message was rejected. Meaningful only in the rejected queue.
    pub rejection: Rejection,
}

impl Message {
    /// Reads a delivery of RabbitMQ. Never fails: a missing or malformed header or property has a
    /// default.
    pub fn of(delivery: Delivery) -> Self {
        let delivered = PublishedTo {
            exchange: AmqpName::new(delivery.exchange.as_str()),
            routing_key: AmqpName::new(delivery.routing_key.as_str()),
        };
        let properties = &delivery.properties;
        Self {
            delivery_tag: delivery.delivery_tag,
            delivery_count: read_delivery_count(properties),
            content_encoding: encoding(properties),
            published_to: read_published_to(properties, delivered),
            trace: read_trace(properties),
            rejection: read_rejection(properties),
            body: Bytes::from(delivery.data),
        }
    }
}

fn encoding(properties: &BasicProperties) -> Option<AmqpName> {
    let encoding = properties.content_encoding().as_ref()?.as_str();
    let plain = encoding.is_empty() || encoding.eq_ignore_ascii_case("utf-8");
    (!plain).then(|| AmqpName::new(encoding))
}
