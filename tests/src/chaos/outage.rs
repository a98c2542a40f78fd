use std::time::{Duration, Instant};

use webhook_domain::{Environment, EventType};

use crate::{Receiver, Service, Stranger, StrangersMessage, WebhookSample, World, event};

/// How Postgres fails while events wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outage {
    /// Postgres is read-only, as after a failover, and has ended all sessions.
    ReadOnly,
    /// Postgres takes small writes and has no room for events.
    Full,
}

/// The account of an outage.
#[derive(Debug, Clone)]
pub struct OutageAccount {
    /// Events published during the outage.
    pub events: usize,
    /// Events without an arrival.
    pub lost: usize,
    /// Messages set aside.
    pub set_aside: i64,
    /// The time from the end of the outage until the arrival of the last event.
    pub recovery: Duration,
    /// Lines in the longer log of the two dispatchers.
    pub log_lines: usize,
}

impl Outage {
    /// Publishes `count` events to two dispatchers during an outage.
    pub async fn run(self, world: World, count: usize, lasts: Duration) -> OutageAccount {
        let receiver = Receiver::answering(&[]).await;
        let sample = WebhookSample::at(&receiver.url);
        sample.store(&mut world.database.connection().await).await;
        let dispatchers = [Service::dispatcher(&world), Service::dispatcher(&world)];
        let consume = async || (world.broker.consumers().await == 2).then_some(());
        world.eventually("both consume", consume).await;
        let stranger = Stranger::connect(&world).await;
        let events: Vec<_> = (0..count)
            .map(|_| event(Environment::Production, EventType::LicenseActivated))
            .collect();

        self.begin(&world).await;
        for event in &events {
            let message = StrangersMessage::event(event.body.to_vec());
            assert!(stranger.publish(&message).await, "the broker confirms");
        }
        // The pause is the test: the time of the outage.
        tokio::time::sleep(lasts).await;
        self.end(&world).await;

        let ended = Instant::now();
        let all = async || (receiver.bodies().len() >= count).then_some(());
        let arrived = world.patiently("all events arrive", all);
        let _ = tokio::time::timeout(Duration::from_secs(60), arrived).await;
        let recovery = ended.elapsed();
        let bodies = receiver.bodies();
        let lost = events
            .iter()
            .filter(|event| !bodies.contains(event.body.as_ref()));
        let lost = lost.count();
        let lines = dispatchers.iter().map(|dispatcher| dispatcher.log().len());
        let log_lines = lines.max().unwrap_or_default();
        let dead = world.broker.messages_in("webhooks.events.rejected").await;
        let set_aside = world.database.set_aside().await + i64::try_from(dead).unwrap_or(i64::MAX);
        for dispatcher in dispatchers {
            dispatcher.kill().await;
        }
        world.end().await;
        OutageAccount {
            events: count,
            lost,
            set_aside,
            recovery,
            log_lines,
        }
    }

    async fn begin(self, world: &World) {
        match self {
            Self::ReadOnly => world.database.set_read_only(true, true).await,
            Self::Full => world.database.fill_disk().await,
        }
    }

    async fn end(self, world: &World) {
        match self {
            Self::ReadOnly => world.database.set_read_only(false, false).await,
            Self::Full => world.database.free_disk().await,
        }
    }
}
