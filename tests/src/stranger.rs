use lapin::options::{BasicPublishOptions, ConfirmSelectOptions};
use lapin::types::{AMQPValue, FieldTable};
use lapin::{BasicProperties, Channel, Confirmation, Connection, ConnectionProperties};

use webhook_domain::Event;

use crate::World;

/// A publisher outside the project, with an AMQP client of other settings: publishes any bytes under
/// any headers.
pub struct Stranger {
    connection: Connection,
    channel: Channel,
}

/// A message of a [`Stranger`].
#[derive(Debug, Clone, Default)]
pub struct StrangersMessage {
    /// The exchange; empty for the default exchange, which leads to the queue that `routing_key` names.
    pub exchange: String,
    /// The routing key.
    pub routing_key: String,
    /// Any bytes.
    pub body: Vec<u8>,
    /// Headers with text values.
    pub headers: Vec<(String, String)>,
    /// The `content-encoding` property.
    pub content_encoding: Option<String>,
}

impl StrangersMessage {
    /// A message to the events exchange under `production.license.activated`.
    pub fn event(body: impl Into<Vec<u8>>) -> Self {
        Self {
            exchange: "webhooks.events".to_owned(),
            routing_key: "production.license.activated".to_owned(),
            body: body.into(),
            ..Self::default()
        }
    }

    /// A message with the body of an event.
    pub fn of(event: &Event) -> Self {
        Self::event(event.body.to_vec())
    }

    /// The message with a header of `chars` characters.
    pub fn with_header(mut self, name: &str, chars: usize) -> Self {
        self.headers.push((name.to_owned(), "x".repeat(chars)));
        self
    }
}

impl Stranger {
    /// Connects, with frames as large as the broker's. The topology must be there.
    pub async fn connect(world: &World) -> Self {
        let properties = ConnectionProperties::default();
        let connection = Connection::connect(&world.broker.url, properties).await;
        let connection = connection.expect("the broker answers");
        let channel = connection.create_channel().await.expect("a channel");
        let confirm = channel.confirm_select(ConfirmSelectOptions::default());
        confirm.await.expect("confirms");
        Self {
            connection,
            channel,
        }
    }

    /// Publishes and returns whether the broker confirmed the message.
    pub async fn publish(&self, message: &StrangersMessage) -> bool {
        let mut headers = FieldTable::default();
        for (name, value) in &message.headers {
            let value = AMQPValue::LongString(value.as_str().into());
            headers.insert(name.as_str().into(), value);
        }
        let mut properties = BasicProperties::default()
            .with_delivery_mode(2)
            .with_headers(headers);
        if let Some(encoding) = &message.content_encoding {
            properties = properties.with_content_encoding(encoding.as_str().into());
        }
        let sent = self.channel.basic_publish(
            message.exchange.as_str().into(),
            message.routing_key.as_str().into(),
            BasicPublishOptions::default(),
            &message.body,
            properties,
        );
        let Ok(confirm) = sent.await else {
            return false;
        };
        matches!(confirm.await, Ok(Confirmation::Ack(None)))
    }

    /// Publishes messages in order and waits until the broker has confirmed all messages.
    pub async fn publish_all(&self, messages: &[StrangersMessage]) {
        for message in messages {
            assert!(self.publish(message).await, "the broker confirms");
        }
    }

    /// Closes the connection.
    pub async fn leave(self) {
        let _ = self.connection.close(200, "bye".into()).await;
    }
}
