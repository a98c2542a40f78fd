use std::time::Duration;

use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use webhook_broker::Publisher;
use webhook_dispatcher::{Pools, Stops, WorkerConfig};
use webhook_domain::{
    AddressPolicy, Event, HealthPolicy, PlatformSettings, RetryPolicy, Serving, SigningSecret,
    WebhookId,
};
use webhook_store::deliveries::{self, DeliveryFilter, DeliveryRow, Order, Place};
use webhook_store::webhooks::{self, Webhook};

use crate::{Answer, Receiver, WebhookSample, World, sealing_keys};

/// A world with a dispatcher in this process, and one webhook that wants everything of
/// production.
pub struct Stage {
    /// Where it plays.
    pub world: World,
    /// Where the webhook's requests go.
    pub receiver: Receiver,
    /// The webhook.
    pub webhook_id: WebhookId,
    /// What signs its requests.
    pub secret: SigningSecret,
    /// A platform service.
    pub publisher: Publisher,
    /// Stops the dispatchers.
    pub stops: Stops,
    dispatchers: Vec<JoinHandle<()>>,
}

/// What differs from one stage to another.
pub struct StageSetup {
    /// How the webhook wants to be served.
    pub serving: Serving,
    /// How failed deliveries are tried again.
    pub policy: RetryPolicy,
    /// When the circuit opens, when the webhook is disabled.
    pub health: HealthPolicy,
    /// How many dispatchers there are.
    pub dispatchers: usize,
    /// For how long a delivery is a worker's.
    pub lease: Duration,
}

impl Default for StageSetup {
    /// Three attempts with short pauses, one dispatcher, a circuit that opens late.
    fn default() -> Self {
        Self {
            serving: Serving::default(),
            policy: RetryPolicy {
                max_attempts: 3,
                initial_interval: Duration::from_millis(10),
                timeout: Duration::from_millis(500),
                ..RetryPolicy::default()
            },
            health: HealthPolicy {
                opens_after: 100,
                ..HealthPolicy::default()
            },
            dispatchers: 1,
            lease: Duration::from_secs(60),
        }
    }
}

impl Stage {
    /// A receiver that answers with `statuses` in turn, then with 200.
    pub async fn new(statuses: &[u16]) -> Self {
        Self::scripted(statuses.iter().copied().map(Answer::Status).collect()).await
    }

    /// A receiver that answers with `answers` in turn, then with 200.
    pub async fn scripted(answers: Vec<Answer>) -> Self {
        Self::set(Receiver::scripted(answers).await, StageSetup::default()).await
    }

    /// As `setup` says.
    pub async fn set(receiver: Receiver, setup: StageSetup) -> Self {
        let world = World::new().await;
        world.set_retry_policy(&setup.policy).await;
        let platform = PlatformSettings {
            disable_after: setup.health.disable_after,
            ..PlatformSettings::default()
        };
        world.set_settings(&platform).await;
        let url = receiver.url.clone();
        let sample = WebhookSample {
            serving: setup.serving,
            ..WebhookSample::at(&url)
        };
        let webhook_id = sample.store(&mut world.connection().await).await.id;
        let stops = Stops::default();
        let broker: webhook_broker::BrokerUrl = world.amqp_url.parse().expect("a URL");
        let config = WorkerConfig {
            broker: broker.clone(),
            key: sealing_keys(),
            addresses: AddressPolicy {
                allowed: vec!["127.0.0.0/8".parse().expect("a network")],
            },
            health: setup.health,
            lease: setup.lease,
            lane_concurrency: 4,
            name_servers: Vec::new(),
            connection_max_age: Duration::from_secs(120),
        };
        let mut dispatchers = Vec::new();
        for _ in 0..setup.dispatchers {
            let pools = Pools::connect(&world.database_url).await.expect("pools");
            let run = webhook_dispatcher::run(config.clone(), pools, stops.clone());
            dispatchers.push(tokio::spawn(async move { run.await.expect("it runs") }));
        }
        let publisher = Publisher::start(broker, "test", CancellationToken::new());
        let connected = async || publisher.is_connected().then_some(());
        world.eventually("the publisher connects", connected).await;
        Self {
            world,
            receiver,
            webhook_id,
            secret: sample.secret,
            publisher,
            stops,
            dispatchers,
        }
    }

    /// Publishes an event over AMQP.
    pub async fn publish(&self, event: &Event) {
        let published = self.publisher.publish(event).await;
        published.expect("it is confirmed");
    }

    /// Publishes events over AMQP, in order.
    pub async fn publish_all(&self, events: &[Event]) {
        let published = self.publisher.publish_all(events).await;
        assert!(published.iter().all(Result::is_ok));
    }

    /// The webhook as it is now.
    pub async fn webhook(&self) -> Webhook {
        let mut connection = self.world.connection().await;
        let found = webhooks::find(&mut connection, self.webhook_id).await;
        found.expect("it reads").expect("it is there")
    }

    /// Waits until `count` deliveries ended, and reads them.
    pub async fn ended(&self, count: usize) -> Vec<DeliveryRow> {
        let all = DeliveryFilter::default();
        let place = Place {
            order: Order::Newest,
            after: None,
            limit: 1_000,
        };
        let ended = async || {
            let mut connection = self.world.connection().await;
            let rows = deliveries::list(&mut connection, &all, &place)
                .await
                .expect("it reads");
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

    /// Asks the dispatchers to stop, and waits until they have.
    pub async fn stop(self) -> World {
        self.stops.cancel.cancel();
        for dispatcher in self.dispatchers {
            dispatcher.await.expect("it drains");
        }
        self.world
    }

    /// Stops, and takes the world back.
    pub async fn end(self) {
        self.stop().await.end().await;
    }
}
