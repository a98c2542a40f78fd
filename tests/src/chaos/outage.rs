use std::time::{Duration, Instant};

use webhook_domain::{Environment, EventType};

use crate::{Receiver, Service, Stranger, StrangersMessage, WebhookSample, World, event};

/// How Postgres fails while events wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outage {
    /// It is read-only, as after a failover, and its sessions were ended.
    ReadOnly,
    /// It answers and takes small writes, and has no room for events.
    Full,
}

/// What an outage cost.
#[derive(Debug, Clone)]
pub struct OutageAccount {
    /// Events that waited.
    pub events: usize,
    /// Events that did not arrive.
    pub lost: usize,
    /// Messages that were set aside.
    pub set_aside: i64,
    /// From the end of the outage until the last event had arrived.
    pub recovery: Duration,
    /// Lines that a dispatcher logged meanwhile, at most.
    pub log_lines: usize,
}

/// How Postgres tells that its disk is full (SQLSTATE 53100).
const FILL: &str = "CREATE FUNCTION full_disk() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN RAISE EXCEPTION 'could not extend file: No space left on device' USING ERRCODE = '53100'; END $$;
    CREATE TRIGGER full_disk BEFORE INSERT ON events FOR EACH STATEMENT EXECUTE FUNCTION full_disk()";

impl Outage {
    /// Has `count` events wait for so long, with two dispatchers.
    pub async fn run(self, world: World, count: usize, lasts: Duration) -> OutageAccount {
        let receiver = Receiver::answering(&[]).await;
        let sample = WebhookSample::at(&receiver.url);
        sample.store(&mut world.connection().await).await;
        let dispatchers = [Service::dispatcher(&world), Service::dispatcher(&world)];
        let consume = async || (world.consumers().await == 2).then_some(());
        world.eventually("both consume", consume).await;
        let stranger = Stranger::connect(&world).await;
        let events: Vec<_> = (0..count)
            .map(|_| event(Environment::Production, EventType::LicenseActivated))
            .collect();

        self.begin(&world).await;
        for event in &events {
            let message = StrangersMessage::event(event.body.to_vec());
            assert!(stranger.publish(&message).await, "the broker has it");
        }
        // The wait is what is tested.
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
        let dead = world.messages_in("webhooks.events.rejected").await;
        let set_aside = world
            .ask::<i64>("SELECT count(*) FROM rejected_messages")
            .await
            + i64::try_from(dead).unwrap_or(i64::MAX);
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
            Self::ReadOnly => world.set_read_only(true, true).await,
            Self::Full => world.execute(FILL).await,
        }
    }

    async fn end(self, world: &World) {
        match self {
            Self::ReadOnly => world.set_read_only(false, false).await,
            Self::Full => world.execute("DROP TRIGGER full_disk ON events").await,
        }
    }
}
