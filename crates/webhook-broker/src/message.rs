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

#[cfg(test)]
mod tests {
    use super::*;
    use lapin::types::{AMQPValue, FieldTable};
    use rstest::rstest;

    fn read(properties: BasicProperties) -> Message {
        let (exchange, routing_key) = ("webhooks.events", "staging.license.created");
        let body = b"{}".to_vec();
        let mut delivery = Delivery::mock(7, exchange.into(), routing_key.into(), true, body);
        delivery.properties = properties;
        Message::of(delivery)
    }

    #[test]
    fn a_message_without_properties_has_the_body_and_the_exchange_of_its_delivery() {
        let message = read(BasicProperties::default());

        let published_to = PublishedTo {
            exchange: AmqpName::new("webhooks.events"),
            routing_key: AmqpName::new("staging.license.created"),
        };
        assert_eq!(message.body, "{}");
        assert_eq!((message.delivery_tag, message.delivery_count), (7, 0));
        assert_eq!(message.published_to, published_to);
        assert_eq!(message.content_encoding, None);
    }

    #[test]
    fn a_message_tells_how_often_the_message_came_back() {
        let mut headers = FieldTable::default();
        headers.insert("x-delivery-count".into(), AMQPValue::LongLongInt(3));

        let message = read(BasicProperties::default().with_headers(headers));

        assert_eq!(message.delivery_count, 3);
    }

    #[rstest]
    #[case("gzip", Some("gzip"))]
    #[case("utf-16", Some("utf-16"))]
    #[case("UTF-8", None)]
    #[case("", None)]
    fn an_encoding_other_than_plain_text_is_told(
        #[case] property: &str,
        #[case] told: Option<&str>,
    ) {
        let properties = BasicProperties::default().with_content_encoding(property.into());

        let message = read(properties);

        assert_eq!(message.content_encoding, told.map(AmqpName::new));
    }
}
