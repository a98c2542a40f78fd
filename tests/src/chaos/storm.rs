use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use webhook_broker::Publisher;
use webhook_domain::{Environment, Event, EventType, RetryPolicy};

use crate::{Receiver, Servers, Service, WebhookSample, World, event};

/// How long deliveries may take to end and to be recorded after the last fault.
const SETTLES_WITHIN: Duration = Duration::from_secs(60);

/// The size of a storm.
#[derive(Debug, Clone, Copy)]
pub struct Scale {
    /// The least number of published events.
    pub events: usize,
    /// Strikes of the fault.
    pub strikes: usize,
    /// The duration of a fault without an end of its own.
    pub lasts: Duration,
}

impl Scale {
    /// A storm of `events` events with `strikes` strikes of a fault, for `lasts` each.
    pub const fn new(events: usize, strikes: usize, lasts: Duration) -> Self {
        Self {
            events,
            strikes,
            lasts,
        }
    }
}

/// A system under load while a fault strikes: three workers, a webhook, a steady stream of events.
pub struct Storm<'a> {
    /// The servers that a fault may crash.
    pub servers: &'a Servers,
    /// The size of the storm.
    pub scale: Scale,
    /// The database and the vhost.
    pub world: World,
    /// The workers.
    pub dispatchers: Vec<Service>,
    /// The webhook's receiver.
    pub receiver: Receiver,
    /// Webhooks for the events of [`recover`](Self::recover).
    pub listeners: usize,
    owed: usize,
    load: JoinHandle<Vec<Event>>,
    enough: Arc<AtomicBool>,
    in_flight: usize,
    recoveries: Vec<Duration>,
    publisher: Publisher,
}

/// The account of a storm.
#[derive(Debug, Clone)]
pub struct Account {
    /// Events confirmed by the broker.
    pub events: usize,
    /// Deliveries of all events.
    pub deliveries: usize,
    /// Requests with an event from an earlier request.
    pub duplicates: usize,
    /// Requests that had arrived and were not recorded at the moments of the faults, added up. As many
    /// may come again.
    pub in_flight: usize,
    /// Events without an arrival or without a record.
    pub lost: usize,
    /// Events set aside, although all are healthy.
    pub set_aside: i64,
    /// The longest time from the end of a fault until the arrival of an event published then.
    pub recovery: Duration,
    /// The longest time without an arrival while events were published.
    pub silence: Duration,
}

impl Account {
    /// Whether no event was lost or set aside, and only requests in flight came again.
    pub fn kept(&self) -> bool {
        self.lost == 0 && self.set_aside == 0 && self.duplicates <= self.in_flight
    }
}

impl<'a> Storm<'a> {
    /// Starts workers, and a publisher until [`Storm::end`].
    pub async fn start(servers: &'a Servers, scale: Scale, workers: usize) -> Self {
        Self::start_in(World::on(servers.urls()).await, servers, scale, workers).await
    }

    /// As [`start`](Self::start), in a world that reaches the servers in another way.
    pub async fn start_in(
        world: World,
        servers: &'a Servers,
        scale: Scale,
        workers: usize,
    ) -> Self {
        world
            .database
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
        let mut connection = world.database.connection().await;
        WebhookSample::at(&url).store(&mut connection).await;
        drop(connection);
        let dispatchers = (0..workers).map(|_| Service::dispatcher(&world));
        let dispatchers = dispatchers.collect();
        Self::over(world, servers, scale, (receiver, dispatchers)).await
    }

    /// A storm over workers that run, of which a webhook leads to `receiver`.
    pub async fn over(
        world: World,
        servers: &'a Servers,
        scale: Scale,
        (receiver, dispatchers): (Receiver, Vec<Service>),
    ) -> Self {
        let broker = world.broker.url.parse().expect("a URL");
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

    /// Waits until `more` further requests have arrived.
    pub async fn arrivals(&self, more: usize) {
        let enough = self.receiver.count() + more;
        let arrived = async || (self.receiver.count() >= enough).then_some(());
        self.world.eventually("requests arrive", arrived).await;
    }

    /// Starts another worker.
    pub fn start_dispatcher(&mut self) {
        self.dispatchers.push(Service::dispatcher(&self.world));
    }

    /// Counts requests that have arrived and are not recorded: as many may come again. Called when a
    /// fault has struck and when the fault is over.
    pub async fn note_in_flight(&mut self) {
        // Recorded deliveries are counted first: an attempt recorded in between would otherwise hide a
        // request in flight.
        let recorded = self.world.database.delivered().await;
        let arrived = self.receiver.count();
        self.in_flight += arrived.saturating_sub(usize::try_from(recorded).unwrap_or(0));
    }

    /// Publishes `count` events besides the load, each for a number of webhooks.
    pub async fn publish_more(&mut self, event_type: EventType, count: usize, webhooks: usize) {
        let events: Vec<Event> = (0..count)
            .map(|_| event(Environment::Production, event_type))
            .collect();
        publish_until_confirmed(&self.publisher, &events).await;
        self.owed += count * webhooks;
    }

    /// Publishes an event after a fault and measures the time until the event arrives.
    pub async fn recover(&mut self) {
        let from = Instant::now();
        let marker = event(Environment::Production, EventType::TelemetryFlagged);
        publish_until_confirmed(&self.publisher, std::slice::from_ref(&marker)).await;
        self.owed += self.listeners;
        let arrived = async || self.receiver.has(&marker.body).then_some(());
        self.world.eventually("a new event arrives", arrived).await;
        self.recoveries.push(from.elapsed());
    }

    /// Stops the publisher, waits until all deliveries have ended, and settles the account.
    pub async fn end(mut self) -> Account {
        self.enough.store(true, Ordering::Relaxed);
        let published = (&mut self.load).await.expect("no panic");
        let silence = longest_silence(&self.receiver);
        let owed = published.len() + self.owed;
        let settled = async || {
            let delivered = self.world.database.delivered().await;
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
            .database
            .ask("SELECT count(*) FROM deliveries WHERE status <> 'succeeded'")
            .await;
        let dead = self
            .world
            .broker
            .messages_in("webhooks.events.rejected")
            .await;
        let set_aside: i64 = self.world.database.set_aside().await;
        let account = Account {
            set_aside: set_aside + i64::try_from(dead).unwrap_or(i64::MAX),
            events: published.len() + self.recoveries.len(),
            deliveries: owed,
            duplicates: self.receiver.count() - arrived.len(),
            in_flight: self.in_flight,
            lost: missing.count() + usize::try_from(unsettled).unwrap_or(usize::MAX),
            recovery: self.recoveries.iter().copied().max().unwrap_or_default(),
            silence,
        };
        for dispatcher in self.dispatchers {
            dispatcher.kill().await;
        }
        self.world.end().await;
        account
    }

    /// The deliveries by status, for the message of a storm without an end.
    async fn tell(&self) -> String {
        let sql =
            "SELECT coalesce(json_agg(d)::text, '') || (SELECT count(*) FROM events) || ' events'
            FROM (SELECT status, backlog, attempts, count(*), min(next_attempt_at) AS next,
                         now() AS now FROM deliveries GROUP BY 1, 2, 3) AS d";
        self.world.database.ask(sql).await
    }
}

/// The longest time between two arrivals, up to now.
fn longest_silence(receiver: &Receiver) -> Duration {
    let mut times: Vec<Instant> = receiver
        .received()
        .iter()
        .map(|request| request.at)
        .collect();
    times.push(Instant::now());
    times.sort_unstable();
    let pauses = times.windows(2).map(|pair| pair[1] - pair[0]);
    pauses.max().unwrap_or_default()
}

/// Publishes small batches until `enough` is set and at least `events` are confirmed.
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

/// Publishes events until all are confirmed. An unconfirmed event is published again under its id, as
/// the guide tells services to do.
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
