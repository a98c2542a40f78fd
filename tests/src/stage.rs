use std::time::Duration;

use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use webhook_broker::Publisher;
use webhook_dispatcher::{Detail, Pools, Stops, WorkerConfig};
use webhook_domain::{
    AddressPolicy, CircuitPolicy, DeliveryOptions, Event, MaxConcurrency, OrderingField,
    PlatformSettings, RateLimit, RetryPolicy, SigningSecret, WebhookId, WebhookStatus,
};
use webhook_store::deliveries::{self, DeliveryFilter, DeliveryRow, Order, PageStart};
use webhook_store::webhooks::{self, Webhook};

use crate::{Answer, Receiver, WebhookSample, World, sealing_keys, set_status};

/// A world with dispatchers in the test's own process and a webhook for every event of
/// production. [`Stage::end`] waits until the dispatchers have drained.
pub struct Stage {
    /// The database and the vhost.
    pub world: World,
    /// The server behind the webhook's URL.
    pub receiver: Receiver,
    /// The webhook.
    pub webhook_id: WebhookId,
    /// The webhook's secret.
    pub secret: SigningSecret,
    /// Publishes events over AMQP, as a platform service does.
    pub publisher: Publisher,
    /// Stops the dispatchers.
    pub stops: Stops,
    dispatchers: Vec<JoinHandle<()>>,
}

/// A stage before it starts: `Stage::with().rate_limit(50).dispatchers(3).start().await`. Without
/// more, a webhook gets three attempts with short pauses from one dispatcher, and its circuit opens
/// late.
pub struct StageSetup {
    receiver: Option<Receiver>,
    delivery_options: DeliveryOptions,
    policy: RetryPolicy,
    health: CircuitPolicy,
    dispatchers: usize,
}

impl StageSetup {
    fn new() -> Self {
        Self {
            receiver: None,
            delivery_options: DeliveryOptions::default(),
            policy: RetryPolicy {
                max_attempts: 3,
                initial_interval: Duration::from_millis(10),
                timeout: Duration::from_millis(500),
                ..RetryPolicy::default()
            },
            health: CircuitPolicy {
                opens_after: 100,
                ..CircuitPolicy::default()
            },
            dispatchers: 1,
        }
    }

    /// The webhook's receiver; without a receiver, every request is answered with 200.
    pub fn receiver(mut self, receiver: Receiver) -> Self {
        self.receiver = Some(receiver);
        self
    }

    /// A bound of the requests at once.
    pub fn concurrency(mut self, requests: u64) -> Self {
        self.delivery_options.max_concurrency =
            Some(MaxConcurrency::new(requests).expect("a limit"));
        self
    }

    /// A bound of the requests per second.
    pub fn rate_limit(mut self, per_second: u64) -> Self {
        self.delivery_options.rate_limit =
            Some(RateLimit::per_second(per_second).expect("a limit"));
        self
    }

    /// Order by `license_id`, the default ordering field.
    pub fn ordered(mut self) -> Self {
        self.delivery_options.ordering = Some(OrderingField::default());
        self
    }

    /// Order by a field of `data`.
    pub fn ordered_by(mut self, field: &str) -> Self {
        self.delivery_options.ordering = Some(OrderingField::parse(field).expect("a field"));
        self
    }

    /// The default retry policy of all environments, as a whole.
    pub fn policy(mut self, policy: RetryPolicy) -> Self {
        self.policy = policy;
        self
    }

    /// Attempts of a delivery, the first included.
    pub fn attempts(mut self, max_attempts: u32) -> Self {
        self.policy.max_attempts = max_attempts;
        self
    }

    /// The pause before the second attempt.
    pub fn initial_interval(mut self, interval: Duration) -> Self {
        self.policy.initial_interval = interval;
        self
    }

    /// How long a receiver may take to respond.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.policy.timeout = timeout;
        self
    }

    /// When circuits open and webhooks are disabled.
    pub fn health(mut self, health: CircuitPolicy) -> Self {
        self.health = health;
        self
    }

    /// How many dispatchers share the work.
    pub fn dispatchers(mut self, dispatchers: usize) -> Self {
        self.dispatchers = dispatchers;
        self
    }

    /// Makes the world and the webhook, and starts the dispatchers.
    pub async fn start(self) -> Stage {
        let receiver = match self.receiver {
            Some(receiver) => receiver,
            None => Receiver::answering(&[]).await,
        };
        let world = World::new().await;
        world.database.set_retry_policy(&self.policy).await;
        let platform = PlatformSettings {
            disable_after: self.health.disable_after,
            ..PlatformSettings::default()
        };
        world.database.set_settings(&platform).await;
        let url = receiver.url.clone();
        let sample = WebhookSample {
            delivery_options: self.delivery_options,
            ..WebhookSample::at(&url)
        };
        let webhook_id = sample
            .store(&mut world.database.connection().await)
            .await
            .id;
        let stops = Stops::default();
        let broker: webhook_broker::Cluster = world.broker.url.parse().expect("a URL");
        let config = WorkerConfig {
            broker: broker.clone(),
            sealing_keys: sealing_keys(),
            addresses: AddressPolicy {
                allowed: vec!["127.0.0.0/8".parse().expect("a network")],
            },
            circuit_policy: self.health,
            lease: Duration::from_secs(60),
            lane_concurrency: 4,
            name_servers: Vec::new(),
            metrics: Detail::default(),
            connection_max_age: Duration::from_secs(120),
        };
        let mut dispatchers = Vec::new();
        for _ in 0..self.dispatchers {
            let pools = Pools::connect(&world.database.url).await.expect("pools");
            let run = webhook_dispatcher::run(config.clone(), pools, stops.clone());
            dispatchers.push(tokio::spawn(async move {
                run.await.expect("the dispatcher runs");
            }));
        }
        let publisher = Publisher::start(broker, "test", CancellationToken::new());
        let connected = async || publisher.is_connected().then_some(());
        world.eventually("the publisher connects", connected).await;
        Stage {
            world,
            receiver,
            webhook_id,
            secret: sample.secret,
            publisher,
            stops,
            dispatchers,
        }
    }
}

impl Stage {
    /// The setup of a stage, for changes before the start.
    pub fn with() -> StageSetup {
        StageSetup::new()
    }

    /// A stage whose receiver answers with `statuses` in turn, then with 200.
    pub async fn new(statuses: &[u16]) -> Self {
        let receiver = Receiver::answering(statuses).await;
        Self::with().receiver(receiver).start().await
    }

    /// A stage whose receiver answers with `answers` in turn, then with 200.
    pub async fn scripted(answers: Vec<Answer>) -> Self {
        let receiver = Receiver::scripted(answers).await;
        Self::with().receiver(receiver).start().await
    }

    /// Publishes an event over AMQP.
    pub async fn publish(&self, event: &Event) {
        let published = self.publisher.publish(event).await;
        published.expect("the broker confirms");
    }

    /// Publishes events over AMQP, in order.
    pub async fn publish_all(&self, events: &[Event]) {
        let published = self.publisher.publish_all(events).await;
        assert!(published.iter().all(Result::is_ok));
    }

    /// The webhook as stored now.
    pub async fn webhook(&self) -> Webhook {
        let mut connection = self.world.database.connection().await;
        let found = webhooks::find(&mut connection, self.webhook_id).await;
        found
            .expect("the webhook is read")
            .expect("the webhook exists")
    }

    /// Waits until `count` deliveries ended, and returns the deliveries.
    pub async fn ended(&self, count: usize) -> Vec<DeliveryRow> {
        let all = DeliveryFilter::default();
        let place = PageStart {
            order: Order::Newest,
            after: None,
            limit: 1_000,
        };
        let ended = async || {
            let mut connection = self.world.database.connection().await;
            let rows = deliveries::list(&mut connection, &all, &place)
                .await
                .expect("the deliveries are read");
            let done = rows.iter().filter(|row| row.ended_at.is_some()).count();
            (done == count).then_some(rows)
        };
        self.world.eventually("the deliveries end", ended).await
    }

    /// Waits until as many requests arrived.
    pub async fn arrived(&self, count: usize) {
        let arrived = async || (self.receiver.count() >= count).then_some(());
        self.world.eventually("the requests arrive", arrived).await;
    }

    /// Sets the webhook Active or Inactive, as an admin would.
    pub async fn set_status(&self, status: WebhookStatus) {
        let mut connection = self.world.database.connection().await;
        set_status(&mut connection, self.webhook_id, status).await;
    }

    /// Asks the dispatchers to stop, and waits for the end of the drain.
    pub async fn stop(self) -> World {
        self.stops.drain.cancel();
        for dispatcher in self.dispatchers {
            dispatcher.await.expect("the dispatcher drains");
        }
        self.world
    }

    /// Stops, and takes the world back.
    pub async fn end(self) {
        self.stop().await.end().await;
    }
}
