use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use webhook_broker::Publisher;
use webhook_domain::{Environment, Event, EventType, RetryPolicy};

use crate::{Receiver, Servers, Service, WebhookSample, World, event};

/// How long it may take after the last fault until everything is delivered and recorded.
const SETTLES_WITHIN: Duration = Duration::from_secs(60);

/// How large a storm is.
#[derive(Debug, Clone, Copy)]
pub struct Scale {
    /// How many events are published, at least.
    pub events: usize,
    /// How often the fault strikes.
    pub strikes: usize,
    /// For how long a fault stays that does not end by itself.
    pub lasts: Duration,
}

impl Scale {
    /// `events` events, `strikes` strikes that last so long.
    pub const fn new(events: usize, strikes: usize, lasts: Duration) -> Self {
        Self {
            events,
            strikes,
            lasts,
        }
    }
}

/// A system under load, and what strikes it.
pub struct Storm<'a> {
    /// Its servers.
    pub servers: &'a Servers,
    /// How large it is.
    pub scale: Scale,
    /// Its database and its vhost.
    pub world: World,
    /// The workers.
    pub dispatchers: Vec<Service>,
    /// The one webhook's receiver.
    pub receiver: Receiver,
    /// How many webhooks get what [`recover`](Self::recover) publishes.
    pub listeners: usize,
    owed: usize,
    load: JoinHandle<Vec<Event>>,
    enough: Arc<AtomicBool>,
    in_flight: usize,
    recoveries: Vec<Duration>,
    publisher: Publisher,
}

/// What a storm cost.
#[derive(Debug, Clone)]
pub struct Account {
    /// Events that the broker confirmed.
    pub events: usize,
    /// Deliveries that were owed and made.
    pub deliveries: usize,
    /// Requests that came again.
    pub duplicates: usize,
    /// Requests that had arrived and were not recorded, at the faults together.
    pub in_flight: usize,
    /// Events that did not arrive, or are not recorded.
    pub lost: usize,
    /// Messages that were set aside, all of which are events.
    pub set_aside: i64,
    /// From the end of a fault until an event that was published then arrived: the longest.
    pub recovery: Duration,
}

impl<'a> Storm<'a> {
    /// Starts three workers and a load.
    pub async fn start(servers: &'a Servers, scale: Scale) -> Self {
        let world = World::on(servers.urls()).await;
        world
            .set_retry_policy(&RetryPolicy {
                initial_interval: Duration::from_millis(200),
                multiplier: 2.0,
                max_interval: Duration::from_secs(2),
                max_attempts: 50,
                timeout: Duration::from_secs(2),
                ..RetryPolicy::default()
            })
            .await;
        let receiver = Receiver::answering(&[]).await;
        let url = receiver.url.clone();
        let mut connection = world.connection().await;
        WebhookSample::at(&url).store(&mut connection).await;
        drop(connection);
        let dispatchers = (0..3).map(|_| Service::dispatcher(&world)).collect();
        let broker = world.amqp_url.parse().expect("a URL");
        let publisher = Publisher::start(broker, "storm", CancellationToken::new());
        let connected = async || publisher.is_connected().then_some(());
        world.eventually("the publisher connects", connected).await;
        let enough = Arc::new(AtomicBool::new(false));
        let load = publish_steadily(publisher.clone(), scale.events, enough.clone());
        let storm = Self {
            servers,
            scale,
            world,
            dispatchers,
            receiver,
            listeners: 1,
            owed: 0,
            load: tokio::spawn(load),
            enough,
            in_flight: 0,
            recoveries: Vec::new(),
            publisher,
        };
        storm.arrivals(scale.events / 20).await;
        storm
    }

    /// Waits until so many more requests have arrived.
    pub async fn arrivals(&self, more: usize) {
        let enough = self.receiver.count() + more;
        let arrived = async || (self.receiver.count() >= enough).then_some(());
        self.world.eventually("requests arrive", arrived).await;
    }

    /// Starts another worker.
    pub fn start_dispatcher(&mut self) {
        self.dispatchers.push(Service::dispatcher(&self.world));
    }

    /// Notes what has arrived and is not recorded: that much may come again. Called when a fault
    /// has struck, and when it is over.
    pub async fn note_in_flight(&mut self) {
        // Counted in this order, so that what is recorded in between only makes it less.
        let recorded = self.world.delivered().await;
        let arrived = self.receiver.count();
        self.in_flight += arrived.saturating_sub(usize::try_from(recorded).unwrap_or(0));
    }

    /// Publishes an event when a fault is over, and measures until it has arrived.
    pub async fn recover(&mut self) {
        let from = Instant::now();
        let marker = event(Environment::Production, EventType::TelemetryFlagged);
        publish_until_confirmed(&self.publisher, std::slice::from_ref(&marker)).await;
        self.owed += self.listeners;
        let arrived = async || self.receiver.has(&marker.body).then_some(());
        self.world.eventually("a new event arrives", arrived).await;
        self.recoveries.push(from.elapsed());
    }

    /// Waits until everything is quiet, and settles the account.
    pub async fn end(mut self) -> Account {
        self.enough.store(true, Ordering::Relaxed);
        let published = (&mut self.load).await.expect("no panic");
        let owed = published.len() + self.owed;
        let settled = async || {
            let delivered = self.world.delivered().await;
            (usize::try_from(delivered) == Ok(owed)).then_some(())
        };
        if tokio::time::timeout(SETTLES_WITHIN, async {
            while settled().await.is_none() {
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        })
        .await
        .is_err()
        {
            panic!(
                "{owed} deliveries are owed, there are {}",
                self.tell().await
            );
        }
        let arrived: HashSet<Vec<u8>> = self.receiver.bodies();
        let missing = published
            .iter()
            .filter(|e| !arrived.contains(e.body.as_ref()));
        let unsettled: i64 = self
            .world
            .ask("SELECT count(*) FROM deliveries WHERE status <> 'succeeded'")
            .await;
        let dead = self.world.messages_in("webhooks.events.rejected").await;
        let set_aside: i64 = self
            .world
            .ask("SELECT count(*) FROM rejected_messages")
            .await;
        let account = Account {
            set_aside: set_aside + i64::try_from(dead).unwrap_or(i64::MAX),
            events: published.len() + self.recoveries.len(),
            deliveries: owed,
            duplicates: self.receiver.count() - arrived.len(),
            in_flight: self.in_flight,
            lost: missing.count() + usize::try_from(unsettled).unwrap_or(usize::MAX),
            recovery: self.recoveries.iter().copied().max().unwrap_or_default(),
        };
        for dispatcher in self.dispatchers {
            dispatcher.kill().await;
        }
        self.world.end().await;
        account
    }

    /// What the database holds, for whoever looks for what is missing.
    async fn tell(&self) -> String {
        let sql =
            "SELECT coalesce(json_agg(d)::text, '') || (SELECT count(*) FROM events) || ' events'
            FROM (SELECT status, backlog, attempts, count(*), min(next_attempt_at) AS next,
                         now() AS now FROM deliveries GROUP BY 1, 2, 3) AS d";
        self.world.ask(sql).await
    }
}

/// Publishes in small batches, each until it is confirmed, at least `events` and until it is
/// `enough`.
async fn publish_steadily(
    publisher: Publisher,
    events: usize,
    enough: Arc<AtomicBool>,
) -> Vec<Event> {
    const BATCH: usize = 20;
    let mut published = Vec::new();
    let mut pace = tokio::time::interval(Duration::from_millis(20));
    pace.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    while published.len() < events || !enough.load(Ordering::Relaxed) {
        pace.tick().await;
        let batch: Vec<Event> = (0..BATCH)
            .map(|_| event(Environment::Production, EventType::LicenseActivated))
            .collect();
        publish_until_confirmed(&publisher, &batch).await;
        published.extend(batch);
    }
    published
}

/// An event that was not confirmed is published again under its id, as services are told to.
async fn publish_until_confirmed(publisher: &Publisher, events: &[Event]) {
    let mut left: Vec<Event> = events.to_vec();
    let mut pause = tokio::time::interval(Duration::from_millis(100));
    while !left.is_empty() {
        pause.tick().await;
        let confirmed = publisher.publish_all(&left).await;
        let mut confirmed = confirmed.iter();
        left.retain(|_| !confirmed.next().is_some_and(Result::is_ok));
    }
}
