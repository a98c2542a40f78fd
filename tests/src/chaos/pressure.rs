use std::collections::HashMap;
use std::time::{Duration, Instant};

use tokio_util::sync::CancellationToken;
use webhook_broker::Publisher;
use webhook_domain::{Environment, Event, EventType, RetryPolicy};

use crate::{Answer, Receiver, Service, WebhookSample, World, event, event_with};

/// The account of a backlog of events for hanging receivers.
#[derive(Debug, Clone, Copy)]
pub struct Flood {
    /// Events in the backlog.
    pub events: usize,
    /// The peak memory of the worker, in MiB.
    pub peak_mib: u64,
    /// The time from the publication of an event for a new webhook until the arrival.
    pub served_after: Duration,
}

/// Lets every receiver hang, publishes `events`, and then adds a healthy webhook.
pub async fn flood(world: World, events: usize) -> Flood {
    let hanging = Receiver::deciding(|_, _| Answer::Hang).await;
    let healthy = Receiver::answering(&[]).await;
    let patience = RetryPolicy {
        timeout: Duration::from_secs(15),
        ..RetryPolicy::default()
    };
    world.database.set_retry_policy(&patience).await;
    let mut connection = world.database.connection().await;
    for event_type in EventType::ALL {
        let pattern = [event_type.as_str()];
        let sample = WebhookSample {
            patterns: &pattern,
            ..WebhookSample::at(&hanging.url)
        };
        sample.store(&mut connection).await;
    }
    let dispatcher = Service::patient_dispatcher(&world);
    let publisher = connect(&world).await;
    let padding = "x".repeat(300);
    let mut published = 0;
    while published < events {
        let batch: Vec<Event> = (0..events.min(1_000))
            .map(|number| {
                let event_type = EventType::ALL[number % EventType::ALL.len()];
                let data = format!(r#"{{"padding":"{padding}"}}"#);
                event_with(Environment::Production, event_type, &data)
            })
            .collect();
        let confirmed = publisher.publish_all(&batch).await;
        assert!(confirmed.iter().all(Result::is_ok));
        published += batch.len();
    }
    let taken_in = async || {
        let taken_in: i64 = world.database.events().await;
        (usize::try_from(taken_in) == Ok(published)).then_some(())
    };
    world.patiently("all is taken in", taken_in).await;

    let sample = WebhookSample {
        environment: Environment::Staging,
        ..WebhookSample::at(&healthy.url)
    };
    sample.store(&mut connection).await;
    let from = Instant::now();
    let fresh = event(Environment::Staging, EventType::LicenseActivated);
    publisher.publish(&fresh).await.expect("confirmed");
    let served = async || (healthy.count() == 1).then_some(());
    world.eventually("a webhook is served", served).await;
    let served_after = from.elapsed();
    let peak_mib = peak_mib(dispatcher.pid());
    drop(connection);
    dispatcher.kill().await;
    world.end().await;
    Flood {
        events: published,
        peak_mib,
        served_after,
    }
}

/// The peak resident memory of a process (`VmHWM` of proc(5)), in MiB.
fn peak_mib(pid: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).expect("the process runs");
    let line = status.lines().find(|line| line.starts_with("VmHWM:"));
    let kib = line.and_then(|line| line.split_whitespace().nth(1)?.parse::<u64>().ok());
    kib.expect("Linux tells the memory") / 1_024
}

/// How long healthy webhooks wait for events, alone and beside hanging webhooks.
#[derive(Debug, Clone, Copy)]
pub struct Isolation {
    /// The 99th percentile from publishing to arrival, alone.
    pub alone: Duration,
    /// The 99th percentile beside as many hanging webhooks.
    pub beside: Duration,
}

/// Sends `events` at `per_second` to `webhooks` healthy webhooks of production: alone, and then
/// beside as many of staging that get as many events and hang for 30 s.
///
/// Healthy and hanging webhooks get different events, in turn: an event for twice as many webhooks
/// would be twice the work with and without hanging webhooks.
pub async fn isolation(world: World, webhooks: usize, events: usize, per_second: u32) -> Isolation {
    let healthy = Receiver::answering(&[]).await;
    let hanging = Receiver::deciding(|_, _| Answer::After(Duration::from_secs(30))).await;
    let mut connection = world.database.connection().await;
    for _ in 0..webhooks {
        WebhookSample::at(&healthy.url).store(&mut connection).await;
        let hangs = WebhookSample {
            environment: Environment::Staging,
            ..WebhookSample::at(&hanging.url)
        };
        hangs.store(&mut connection).await;
    }
    drop(connection);
    let dispatcher = Service::patient_dispatcher(&world);
    let load = Load {
        publisher: connect(&world).await,
        webhooks,
        per_second,
    };
    // The first events open the connections for the measured events.
    load.measure(&world, &healthy, 10, false).await;
    let alone = load.measure(&world, &healthy, events, false).await;
    let beside = load.measure(&world, &healthy, events, true).await;
    dispatcher.kill().await;
    world.end().await;
    Isolation { alone, beside }
}

struct Load {
    publisher: Publisher,
    webhooks: usize,
    per_second: u32,
}

impl Load {
    async fn publish(&self, event: &Event) {
        let published = self.publisher.publish(event).await;
        published.expect("the broker confirms");
    }

    /// Publishes at a steady pace and returns the 99th percentile from publishing to arrival.
    async fn measure(
        &self,
        world: &World,
        receiver: &Receiver,
        events: usize,
        staging_too: bool,
    ) -> Duration {
        let before = receiver.count();
        let mut pace = tokio::time::interval(Duration::from_secs(1) / self.per_second / 2);
        let mut published = HashMap::new();
        for _ in 0..events {
            pace.tick().await;
            let measured = event(Environment::Production, EventType::LicenseActivated);
            published.insert(measured.body.to_vec(), Instant::now());
            self.publish(&measured).await;
            pace.tick().await;
            if staging_too {
                let other = event(Environment::Staging, EventType::LicenseActivated);
                self.publish(&other).await;
            }
        }
        let enough = before + events * self.webhooks;
        let arrived = async || (receiver.count() >= enough).then_some(());
        world.eventually("all events arrive", arrived).await;
        let mut waits: Vec<Duration> = receiver.received()[before..]
            .iter()
            .filter_map(|request| Some(request.at - *published.get(&request.body)?))
            .collect();
        waits.sort_unstable();
        log::info!(
            "p50 to p99: {:?}",
            [50, 90, 95, 99].map(|p| waits[waits.len() * p / 100])
        );
        waits[waits.len() * 99 / 100]
    }
}

async fn connect(world: &World) -> Publisher {
    let broker = world.broker.url.parse().expect("a URL");
    let publisher = Publisher::start(broker, "pressure", CancellationToken::new());
    let connected = async || publisher.is_connected().then_some(());
    world.eventually("the publisher connects", connected).await;
    publisher
}
