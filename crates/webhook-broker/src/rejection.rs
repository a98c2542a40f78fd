//! The headers with the reason of a rejection, and with the exchange of the first publication.

use std::borrow::Cow;

use lapin::BasicProperties;
use lapin::types::{AMQPValue, FieldTable};
use uuid::Uuid;
use webhook_domain::{AmqpName, PublishedTo, RejectionReason};

use crate::topology::{
    DELIVERY_LIMIT, ORIGINAL_EXCHANGE_HEADER, ORIGINAL_ROUTING_KEY_HEADER, REJECTION_REASON_HEADER,
};

/// Why a message is in the rejected queue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rejection {
    /// Id of the rejected message, a UUID v7. A message rejected by a dispatcher of an earlier version
    /// carries an id, the same at each reading; any other message gets a fresh id.
    pub id: Uuid,
    /// Why the message is no event, or why RabbitMQ gave the message up.
    pub reason: RejectionReason,
}

/// The headers with exchange and routing key of the first publication.
pub(crate) fn published_to_headers(published_to: &PublishedTo) -> FieldTable {
    let mut headers = FieldTable::default();
    let exchange = published_to.exchange.as_str();
    let routing_key = published_to.routing_key.as_str();
    headers.insert(ORIGINAL_EXCHANGE_HEADER.into(), text(exchange));
    headers.insert(ORIGINAL_ROUTING_KEY_HEADER.into(), text(routing_key));
    headers
}

/// Reads why a message is in the rejected queue.
///
/// The message id counts only beside a reason written by a dispatcher: the id of a dead letter comes
/// from a platform service, and may have been used twice.
pub(crate) fn read_rejection(properties: &BasicProperties) -> Rejection {
    let id = properties.message_id().as_ref();
    let id = id.and_then(|id| Uuid::try_parse(id.as_str()).ok());
    let id = id.filter(|id| id.get_version_num() == 7);
    match header(properties, REJECTION_REASON_HEADER) {
        Some(reason) => Rejection {
            id: id.unwrap_or_else(Uuid::now_v7),
            reason: RejectionReason::new(&reason),
        },
        None => Rejection {
            id: Uuid::now_v7(),
            reason: read_death(properties),
        },
    }
}

/// Reads the exchange of the first publication from our own headers, or from RabbitMQ's headers of a
/// dead letter. Without either, the result is `delivered`, the exchange of the delivery.
pub(crate) fn read_published_to(
    properties: &BasicProperties,
    delivered: PublishedTo,
) -> PublishedTo {
    let exchange = header(properties, ORIGINAL_EXCHANGE_HEADER);
    let routing_key = header(properties, ORIGINAL_ROUTING_KEY_HEADER);
    match exchange.zip(routing_key) {
        Some((exchange, routing_key)) => PublishedTo {
            exchange: AmqpName::new(&exchange),
            routing_key: AmqpName::new(&routing_key),
        },
        None => read_death_published_to(properties).unwrap_or(delivered),
    }
}

/// Reads how often a message came back to a quorum queue, 0 without RabbitMQ's header.
pub(crate) fn read_delivery_count(properties: &BasicProperties) -> u64 {
    let headers = properties.headers().as_ref();
    let count = headers.and_then(|headers| headers.inner().get("x-delivery-count"));
    // The type of the number depends on the version of RabbitMQ, and a stranger may write any type.
    let number = count.and_then(|count| {
        let signed = count.as_long_long_int();
        let signed = signed.or_else(|| count.as_long_int().map(i64::from));
        let signed = signed.or_else(|| count.as_short_int().map(i64::from));
        let signed = signed.or_else(|| count.as_short_short_int().map(i64::from));
        signed.or_else(|| count.as_long_uint().map(i64::from))
    });
    number
        .and_then(|number| u64::try_from(number).ok())
        .unwrap_or(0)
}

/// Makes a sentence of the single word in RabbitMQ's reason for a dead letter.
fn read_death(properties: &BasicProperties) -> RejectionReason {
    match header(properties, "x-first-death-reason").as_deref() {
        Some("delivery_limit") => RejectionReason::of(format_args!(
            "the message was delivered {DELIVERY_LIMIT} times and never acknowledged"
        )),
        Some(other) => {
            RejectionReason::of(format_args!("RabbitMQ dead-lettered the message: {other}"))
        }
        None => RejectionReason::new(
            "the message was published to the queue of rejected messages without a reason",
        ),
    }
}

/// Reads the exchange of the first publication from the first entry of `x-death`.
fn read_death_published_to(properties: &BasicProperties) -> Option<PublishedTo> {
    let deaths = properties.headers().as_ref()?.inner().get("x-death")?;
    let death = deaths.as_array()?.as_slice().first()?;
    let death = death.as_field_table()?.inner();
    let keys = death.get("routing-keys")?.as_array()?;
    Some(PublishedTo {
        exchange: AmqpName::new(&string(death.get("exchange")?)?),
        routing_key: AmqpName::new(&string(keys.as_slice().first()?)?),
    })
}

pub(crate) fn header<'a>(properties: &'a BasicProperties, name: &str) -> Option<Cow<'a, str>> {
    string(properties.headers().as_ref()?.inner().get(name)?)
}

/// The text of a header. AMQP does not require UTF-8: other bytes become U+FFFD.
fn string(value: &AMQPValue) -> Option<Cow<'_, str>> {
    let long = value.as_long_string();
    let long = long.map(|text| String::from_utf8_lossy(text.as_bytes()));
    long.or_else(|| {
        value
            .as_short_string()
            .map(|text| Cow::Borrowed(text.as_str()))
    })
}

fn text(value: &str) -> AMQPValue {
    AMQPValue::LongString(value.into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    fn named(exchange: &str, routing_key: &str) -> PublishedTo {
        PublishedTo {
            exchange: AmqpName::new(exchange),
            routing_key: AmqpName::new(routing_key),
        }
    }

    fn published() -> PublishedTo {
        named("webhooks.events", "staging.license.created")
    }

    fn straight() -> PublishedTo {
        named("", "webhooks.events.rejected")
    }

    /// The headers written by dispatchers of earlier versions.
    fn rejection_headers(reason: &str, published_to: &PublishedTo) -> FieldTable {
        let mut headers = published_to_headers(published_to);
        headers.insert(REJECTION_REASON_HEADER.into(), text(reason));
        headers
    }

    #[test]
    fn what_a_dispatcher_tells_is_read_the_same_each_time() {
        let id = Uuid::now_v7();
        let properties = BasicProperties::default()
            .with_message_id(id.to_string().into())
            .with_headers(rejection_headers("type: is required", &published()));

        let rejection = Rejection {
            id,
            reason: "type: is required".into(),
        };
        assert_eq!(read_rejection(&properties), rejection);
        assert_eq!(read_rejection(&properties), rejection);
        assert_eq!(read_published_to(&properties, straight()), published());
    }

    #[test]
    fn an_id_that_no_dispatcher_gave_is_not_believed() {
        let id = Uuid::now_v7();
        let named = |id: Uuid| BasicProperties::default().with_message_id(id.to_string().into());
        let headers = rejection_headers("wrong", &published());

        let without_reason = read_rejection(&named(id));
        let old = read_rejection(&named(Uuid::nil()).with_headers(headers));

        assert_ne!(without_reason.id, id);
        assert_eq!(read_published_to(&named(id), straight()), straight());
        assert_eq!(old.id.get_version_num(), 7);
    }

    #[test]
    fn a_reason_and_an_origin_are_cut() {
        let long = "é".repeat(3_000);
        let mut headers = rejection_headers(&long, &published());
        headers.insert(ORIGINAL_EXCHANGE_HEADER.into(), text(&long));
        let properties = BasicProperties::default().with_headers(headers);

        let reason = read_rejection(&properties).reason;
        let origin = read_published_to(&properties, straight());

        assert_eq!(reason.as_str().chars().count(), RejectionReason::MAX_CHARS);
        assert_eq!(origin.exchange.as_str(), "é".repeat(127));
    }

    #[test]
    fn how_often_a_message_came_back_is_read_from_any_number() {
        let count = |value| {
            let mut headers = FieldTable::default();
            headers.insert("x-delivery-count".into(), value);
            read_delivery_count(&BasicProperties::default().with_headers(headers))
        };

        assert_eq!(count(AMQPValue::LongLongInt(12)), 12);
        assert_eq!(count(AMQPValue::LongInt(5)), 5);
        assert_eq!(count(AMQPValue::ShortInt(4)), 4);
        assert_eq!(count(AMQPValue::ShortShortInt(3)), 3);
        assert_eq!(count(AMQPValue::LongUInt(7)), 7);
        assert_eq!(count(AMQPValue::LongLongInt(-1)), 0);
        assert_eq!(count(text("many")), 0);
    }

    /// The headers of RabbitMQ's dead letter.
    fn dead_letter(reason: &str) -> BasicProperties {
        let mut death = FieldTable::default();
        let routing_key = AMQPValue::ShortString("staging.license.created".into());
        let keys = AMQPValue::FieldArray(vec![routing_key].into());
        death.insert("exchange".into(), text("webhooks.events"));
        death.insert("routing-keys".into(), keys);
        let mut headers = FieldTable::default();
        let deaths = AMQPValue::FieldArray(vec![AMQPValue::FieldTable(death)].into());
        headers.insert("x-death".into(), deaths);
        headers.insert("x-first-death-reason".into(), text(reason));
        BasicProperties::default().with_headers(headers)
    }

    #[test]
    fn a_dead_letter_tells_the_exchange_of_its_first_publication() {
        let properties = dead_letter("rejected");

        assert_eq!(read_published_to(&properties, straight()), published());
    }

    #[rstest]
    #[case(
        dead_letter("delivery_limit"),
        "the message was delivered 100 times and never acknowledged"
    )]
    #[case(dead_letter("maxlen"), "RabbitMQ dead-lettered the message: maxlen")]
    #[case(
        BasicProperties::default(),
        "the message was published to the queue of rejected messages without a reason"
    )]
    fn the_reason_of_a_dead_letter_is_a_sentence(
        #[case] properties: BasicProperties,
        #[case] reason: &str,
    ) {
        let rejection = read_rejection(&properties);

        assert_eq!(rejection.reason.as_str(), reason);
        assert_eq!(rejection.id.get_version_num(), 7);
    }
}
