//! What the headers of a message tell: why it was rejected, and where it was published.

use lapin::BasicProperties;
use lapin::types::{AMQPValue, FieldTable, ShortString};
use uuid::Uuid;

use crate::topology::{
    ORIGINAL_EXCHANGE_HEADER, ORIGINAL_ROUTING_KEY_HEADER, REJECTION_REASON_HEADER,
};

/// The most characters of a reason; a platform service may have written it.
const MAX_REASON_CHARS: usize = 2_000;

/// What is known of a message in the rejected queue, its body aside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rejection {
    /// A UUID v7: the same each time for what a dispatcher rejected, a fresh one for all else.
    pub id: Uuid,
    /// Why it is no event, or why it was given up.
    pub reason: String,
    /// Where it was published.
    pub origin: Origin,
}

/// Where a message was published.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    /// Empty: straight into a queue.
    pub exchange: String,
    /// Given to that exchange.
    pub routing_key: String,
}

/// The headers that a dispatcher gives to what it rejects.
pub(crate) fn rejection_headers(reason: &str, origin: &Origin) -> FieldTable {
    let mut headers = origin_headers(origin);
    headers.insert(REJECTION_REASON_HEADER.into(), text(reason));
    headers
}

/// The headers that let a message be known by where it was published first.
pub(crate) fn origin_headers(origin: &Origin) -> FieldTable {
    let mut headers = FieldTable::default();
    headers.insert(ORIGINAL_EXCHANGE_HEADER.into(), text(&origin.exchange));
    headers.insert(
        ORIGINAL_ROUTING_KEY_HEADER.into(),
        text(&origin.routing_key),
    );
    headers
}

/// Reads a message of the rejected queue that was published to `published`.
///
/// Its id is believed only if a dispatcher gave it one: that of a dead letter was given by a
/// platform service, which may have used it twice.
pub(crate) fn read_rejection(properties: &BasicProperties, published: Origin) -> Rejection {
    let id = properties.message_id().as_ref();
    let id = id.and_then(|id| Uuid::try_parse(id.as_str()).ok());
    let id = id.filter(|id| id.get_version_num() == 7);
    let origin = read_origin(properties, published);
    match header(properties, REJECTION_REASON_HEADER) {
        Some(reason) => Rejection {
            id: id.unwrap_or_else(Uuid::now_v7),
            reason: reason.chars().take(MAX_REASON_CHARS).collect(),
            origin,
        },
        None => Rejection {
            id: Uuid::now_v7(),
            reason: read_death(properties),
            origin,
        },
    }
}

/// Reads where a message was published that came from `published` at last.
pub(crate) fn read_origin(properties: &BasicProperties, published: Origin) -> Origin {
    let exchange = header(properties, ORIGINAL_EXCHANGE_HEADER);
    let routing_key = header(properties, ORIGINAL_ROUTING_KEY_HEADER);
    match exchange.zip(routing_key) {
        Some((exchange, routing_key)) => Origin {
            exchange,
            routing_key,
        },
        None => read_death_origin(properties).unwrap_or(published),
    }
}

/// The reason that RabbitMQ gives for a dead letter is one word.
fn read_death(properties: &BasicProperties) -> String {
    match header(properties, "x-first-death-reason").as_deref() {
        Some("delivery_limit") => {
            "it was never acknowledged, however often it was handed out".to_owned()
        }
        Some(other) => format!("the broker gave it up: {other}"),
        None => "it was put into the queue of rejected messages without a reason".to_owned(),
    }
}

/// Where a dead letter was published, as the first entry of `x-death` tells.
fn read_death_origin(properties: &BasicProperties) -> Option<Origin> {
    let deaths = properties.headers().as_ref()?.inner().get("x-death")?;
    let death = deaths.as_array()?.as_slice().first()?;
    let death = death.as_field_table()?.inner();
    let keys = death.get("routing-keys")?.as_array()?;
    Some(Origin {
        exchange: string(death.get("exchange")?)?,
        routing_key: string(keys.as_slice().first()?)?,
    })
}

fn header(properties: &BasicProperties, name: &str) -> Option<String> {
    string(properties.headers().as_ref()?.inner().get(name)?)
}

fn string(value: &AMQPValue) -> Option<String> {
    let long = value.as_long_string().map(ToString::to_string);
    long.or_else(|| value.as_short_string().map(ShortString::to_string))
}

fn text(value: &str) -> AMQPValue {
    AMQPValue::LongString(value.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn published() -> Origin {
        Origin {
            exchange: "webhooks.events".to_owned(),
            routing_key: "staging.license.created".to_owned(),
        }
    }

    fn straight() -> Origin {
        Origin {
            exchange: String::new(),
            routing_key: "webhooks.events.rejected".to_owned(),
        }
    }

    #[test]
    fn what_a_dispatcher_tells_is_read_the_same_each_time() {
        let id = Uuid::now_v7();
        let properties = BasicProperties::default()
            .with_message_id(id.to_string().into())
            .with_headers(rejection_headers("type: is required", &published()));

        let rejection = Rejection {
            id,
            reason: "type: is required".to_owned(),
            origin: published(),
        };
        assert_eq!(read_rejection(&properties, straight()), rejection);
        assert_eq!(read_rejection(&properties, straight()), rejection);
    }

    #[test]
    fn an_id_that_no_dispatcher_gave_is_not_believed() {
        let id = Uuid::now_v7();
        let named = |id: Uuid| BasicProperties::default().with_message_id(id.to_string().into());
        let headers = rejection_headers("wrong", &published());

        let without_reason = read_rejection(&named(id), straight());
        let old = read_rejection(&named(Uuid::nil()).with_headers(headers), straight());

        assert_ne!(without_reason.id, id);
        assert_eq!(without_reason.origin, straight());
        assert_eq!(old.id.get_version_num(), 7);
    }

    #[test]
    fn a_reason_is_cut() {
        let headers = rejection_headers(&"é".repeat(3_000), &published());
        let properties = BasicProperties::default().with_headers(headers);

        let rejection = read_rejection(&properties, straight());

        assert_eq!(rejection.reason, "é".repeat(MAX_REASON_CHARS));
    }
}
