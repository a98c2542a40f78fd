use lapin::options::{BasicPublishOptions, ConfirmSelectOptions};
use lapin::types::{AMQPValue, FieldTable};
use lapin::{BasicProperties, Channel, Confirmation, Connection, ConnectionProperties};

use crate::World;

/// Somebody who publishes what we would not, with a client of his own settings.
pub struct Stranger {
    connection: Connection,
    channel: Channel,
}

/// What a stranger publishes.
#[derive(Debug, Clone, Default)]
pub struct StrangersMessage {
    /// Where to; empty: into the queue that `routing_key` names.
    pub exchange: String,
    /// Given to the exchange.
    pub routing_key: String,
    /// Anything.
    pub body: Vec<u8>,
    /// Headers of text.
    pub headers: Vec<(String, String)>,
    /// What it says the body is encoded with.
    pub content_encoding: Option<String>,
}

impl StrangersMessage {
    /// Goes where events go.
    pub fn event(body: impl Into<Vec<u8>>) -> Self {
        Self {
            exchange: "webhooks.events".to_owned(),
            routing_key: "production.license.activated".to_owned(),
            body: body.into(),
            ..Self::default()
        }
    }

    /// With a header of so many characters.
    pub fn with_header(mut self, name: &str, chars: usize) -> Self {
        self.headers.push((name.to_owned(), "x".repeat(chars)));
        self
    }
}

impl Stranger {
    /// Connects, with frames as large as the broker's. The topology must be there.
    pub async fn connect(world: &World) -> Self {
        let properties = ConnectionProperties::default();
        let connection = Connection::connect(&world.amqp_url, properties).await;
        let connection = connection.expect("the broker answers");
        let channel = connection.create_channel().await.expect("a channel");
        let confirm = channel.confirm_select(ConfirmSelectOptions::default());
        confirm.await.expect("confirms");
        Self {
            connection,
            channel,
        }
    }

    /// Publishes, and tells whether the broker has the message.
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

    /// Publishes messages in their order, and waits until the broker has all of them.
    pub async fn publish_all(&self, messages: &[StrangersMessage]) {
        for message in messages {
            assert!(self.publish(message).await, "the broker has it");
        }
    }

    /// Leaves.
    pub async fn leave(self) {
        let _ = self.connection.close(200, "bye".into()).await;
    }
}
