use std::sync::Arc;
use std::sync::atomic::AtomicU16;

use reqwest::{Client, Method};
use serde_json::{Value, json};
use url::Url;
use uuid::Uuid;
use webhook_broker::{Queue, consume};

use super::{poll, with_path};

/// The RabbitMQ vhost of a test, with the management API beside AMQP.
pub struct Broker {
    /// `amqp://…`, with the vhost's name.
    pub url: String,
    vhost: String,
    management: Url,
    client: Client,
}

impl Broker {
    /// Creates the vhost `name`.
    pub(super) async fn create(amqp: &str, management: &str, name: &str) -> anyhow::Result<Self> {
        let broker = Self {
            url: with_path(amqp, name)?,
            vhost: name.to_owned(),
            management: management.parse()?,
            client: Client::new(),
        };
        broker.set_vhost(Method::PUT).await?;
        Ok(broker)
    }

    /// Deletes the vhost with all queues.
    pub(super) async fn remove(&self) {
        let deleted = self.set_vhost(Method::DELETE).await;
        deleted.expect("the vhost is deleted");
    }

    async fn set_vhost(&self, method: Method) -> anyhow::Result<()> {
        let url = self.api(&format!("/api/vhosts/{}", self.vhost));
        let request = self.client.request(method, url);
        request.send().await?.error_for_status()?;
        Ok(())
    }

    /// Makes a RabbitMQ user with permissions (configure, write, read), and returns the URL with the
    /// user's name and password.
    pub async fn broker_user(&self, [configure, write, read]: [&str; 3]) -> String {
        let (vhost, user) = (&self.vhost, format!("user_{}", Uuid::new_v4().simple()));
        let rights = json!({"configure": configure, "write": write, "read": read});
        let login = json!({"password": "secret", "tags": ""});
        self.send(Method::PUT, &format!("/api/users/{user}"), &login)
            .await;
        let permissions = format!("/api/permissions/{vhost}/{user}");
        self.send(Method::PUT, &permissions, &rights).await;
        let mut url: Url = self.url.parse().expect("a URL");
        url.set_username(&user).expect("the URL has a host");
        url.set_password(Some("secret"))
            .expect("the URL has a host");
        url.into()
    }

    /// Messages in a queue, unacknowledged messages included.
    pub async fn messages_in(&self, queue: &str) -> u64 {
        self.queue(queue).await["messages"]
            .as_u64()
            .unwrap_or_default()
    }

    /// Consumers of the events queue.
    pub async fn consumers(&self) -> u64 {
        self.queue("webhooks.events").await["consumers"]
            .as_u64()
            .unwrap_or_default()
    }

    async fn queue(&self, queue: &str) -> Value {
        let url = self.api(&format!("/api/queues/{}/{queue}", self.vhost));
        let response = self.client.get(url).send().await.expect("a response");
        response.json().await.unwrap_or_default()
    }

    /// Declares the events exchange without a queue, as a broker has whose queue was deleted.
    pub async fn declare_events_exchange(&self) {
        let exchange = format!("/api/exchanges/{}/webhooks.events", self.vhost);
        let topic = json!({"type": "topic", "durable": true});
        self.send(Method::PUT, &exchange, &topic).await;
    }

    /// Binds a queue to the status exchange, for [`Broker::told`].
    pub async fn listen_to_status(&self) {
        let queue = format!("/api/queues/{}/status", self.vhost);
        self.send(Method::PUT, &queue, &json!({})).await;
        let binding = format!("/api/bindings/{}/e/webhooks.status/q/status", self.vhost);
        self.send(Method::POST, &binding, &json!({"routing_key": "#"}))
            .await;
    }

    /// Takes the messages for the platform's services since the last call.
    pub async fn told(&self) -> Vec<Value> {
        let path = format!("/api/queues/{}/status/get", self.vhost);
        let ask = json!({"count": 100, "ackmode": "ack_requeue_false", "encoding": "auto"});
        let request = self.client.post(self.api(&path)).json(&ask);
        let response = request.send().await.expect("a response");
        let messages: Vec<Value> = response.json().await.unwrap_or_default();
        let bodies = messages.iter().filter_map(|m| m["payload"].as_str());
        bodies
            .map(|body| serde_json::from_str(body).expect("JSON"))
            .collect()
    }

    /// Puts a message straight into the rejected queue, as the broker does with a dead letter.
    /// Waits until a program has declared the queue.
    pub async fn put_rejected(&self, body: &str) {
        let path = format!("/api/exchanges/{}/amq.default/publish", self.vhost);
        let message = json!({"routing_key": "webhooks.events.rejected", "payload": body,
            "payload_encoding": "string", "properties": {"delivery_mode": 2}});
        let routed = async || {
            let request = self.client.post(self.api(&path)).json(&message);
            let response = request.send().await.expect("a response");
            let response: Value = response.json().await.unwrap_or_default();
            (response["routed"] == true).then_some(())
        };
        poll("the queue is there", super::EVENTUALLY, routed).await;
    }

    /// Lets the broker give up a message after the first return.
    pub async fn give_up_early(&self) {
        self.give_up_after(1).await;
    }

    /// Lets the broker give up messages after `returns` returns to a queue.
    pub async fn give_up_after(&self, returns: u32) {
        let path = format!("/api/policies/{}/early", self.vhost);
        let policy = json!({"pattern": "^webhooks\\.events", "apply-to": "queues",
            "definition": {"delivery-limit": returns}});
        self.send(Method::PUT, &path, &policy).await;
    }

    /// Closes every connection to the vhost by force.
    pub async fn close_broker_connections(&self) {
        let url = self.api(&format!("/api/vhosts/{}/connections", self.vhost));
        let listed = self.client.get(url).send().await.expect("a response");
        let connections: Vec<Value> = listed.json().await.unwrap_or_default();
        for connection in connections {
            let name = connection["name"].as_str().expect("a name");
            let mut url = self.api("/api/connections/");
            url.path_segments_mut().expect("a base").pop().push(name);
            let closed = self.client.delete(url).send().await.expect("a response");
            assert!(closed.status().is_success() || closed.status() == 404);
        }
    }

    /// Takes the message at the head of the events queue and closes the connection without an
    /// acknowledgement, so that the broker puts the message back. Tells how often it had come back
    /// before.
    pub async fn leave_with_a_message(&self) -> u64 {
        let broker = self.url.parse().expect("a broker's URL");
        let one_at_a_time = Arc::new(AtomicU16::new(1));
        let consumer = consume(&broker, Queue::Events, "leaver", one_at_a_time).await;
        let mut consumer = consumer.expect("the queue is consumed");
        let batch = consumer.next_batch(1).await.expect("a message");
        let returns = batch[0].delivery_count;
        // Not before the message was read: an unread message is not in hand.
        consumer.close().await;
        returns
    }

    async fn send(&self, method: Method, path: &str, body: &Value) {
        let request = self.client.request(method, self.api(path)).json(body);
        let response = request.send().await.expect("a response");
        assert!(
            response.status().is_success(),
            "{path}: {}",
            response.status()
        );
    }

    fn api(&self, path: &str) -> Url {
        self.management.join(path).expect("a path")
    }
}
