//! What the removal of what is old costs live deliveries.

use std::time::Instant;

use tokio_util::sync::CancellationToken;
use webhook_broker::Publisher;
use webhook_domain::{Environment, EventType, MaxConcurrency, Serving};
use webhook_tests::{Receiver, Service, WebhookSample, World, event};

use crate::machine::alone_when_optimised;

/// How many old deliveries there are, each with its event and its attempt.
const OLD: usize = if cfg!(debug_assertions) {
    50_000
} else {
    1_000_000
};

/// How many of them are pending for a webhook that is Inactive.
const PENDING: i64 = 100;

/// Slices with and without the removal, in turn.
const SLICES: usize = if cfg!(debug_assertions) { 3 } else { 15 };

/// How many live events are delivered in a slice.
const LIVE: usize = if cfg!(debug_assertions) {
    2_000
} else {
    10_000
};

/// They ended 40 to 60 days ago.
const OLD_ROWS: &str = "
    CREATE TEMP TABLE old AS
    SELECT n, at, (lpad(to_hex((extract(epoch FROM at) * 1000)::bigint), 12, '0')
        || '70008' || lpad(to_hex(n), 15, '0'))::uuid AS id
    FROM (SELECT n, now() - interval '60 days' + n * interval '20 days' / {old} AS at
          FROM generate_series(1, {old}) AS n) AS times;
    INSERT INTO webhooks (id, name, url, environment, status, event_types, sealed_secret)
    VALUES (gen_random_uuid(), 'Old', 'https://old.example.com/', 'staging', 'inactive', ARRAY['*'], '');
    INSERT INTO events (id, event_type, environment, occurred_at, received_at, body)
    SELECT id, 'license.created', 'staging', at, at, convert_to(repeat(md5(n::text), 10), 'UTF8') FROM old;
    INSERT INTO deliveries (id, event_id, webhook_id, event_type, environment, status, attempts,
        last_answer, created_at, ended_at)
    SELECT old.id, old.id, webhooks.id, 'license.created', 'staging', 'succeeded', 1, 200, at,
        at + interval '1 s'
    FROM old, webhooks WHERE name = 'Old';
    INSERT INTO attempts (delivery_id, number, started_at, duration_ms, response_status,
        exchange_id, exchange_place)
    SELECT id, 1, at, 12, 200, id, 0 FROM old;
    INSERT INTO exchanges (id, recorded_at, said)
    SELECT id, at, '[{\"url\":\"https://old.example.com/\",\"sent\":[],\"got\":[],\"body\":\"ok\",\"truncated\":false}]'
    FROM old;
    UPDATE deliveries SET status = 'pending', ended_at = NULL
    WHERE id IN (SELECT id FROM old WHERE n % ({old} / {pending}) = 0);
    ANALYZE events; ANALYZE deliveries; ANALYZE attempts; ANALYZE exchanges";

/// A dispatcher with old rows and live events.
struct Load {
    world: World,
    publisher: Publisher,
}

impl Load {
    /// One webhook that is served fast, and old rows that wait to be removed.
    async fn new(receiver: &Receiver) -> Self {
        let world = World::new().await;
        let serving = Serving {
            max_concurrency: MaxConcurrency::new(64).ok(),
            ..Serving::default()
        };
        let sample = WebhookSample {
            serving,
            ..WebhookSample::at(&receiver.url)
        };
        sample.store(&mut world.connection().await).await;
        let broker = world.amqp_url.parse().expect("a broker's URL");
        let publisher = Publisher::start(broker, "test", CancellationToken::new());
        let load = Self { world, publisher };
        load.remove(false).await;
        let rows = OLD_ROWS.replace("{old}", &OLD.to_string());
        let rows = rows.replace("{pending}", &PENDING.to_string());
        load.world.execute(&rows).await;
        load
    }

    /// Delivers a slice's live events until all is recorded, and tells how many a second that were.
    async fn deliver(&self, removing: bool) -> f64 {
        self.remove(removing).await;
        let events: Vec<_> = (0..LIVE)
            .map(|_| event(Environment::Production, EventType::LicenseActivated))
            .collect();
        let wanted = self.recorded().await + LIVE;
        let began = Instant::now();
        let published = self.publisher.publish_all(&events).await;
        assert!(published.iter().all(Result::is_ok));
        let recorded = async || (self.recorded().await >= wanted).then_some(());
        self.world.patiently("all are recorded", recorded).await;
        LIVE as f64 / began.elapsed().as_secs_f64()
    }

    /// Lets the removal go on, and waits until it does, or holds it.
    async fn remove(&self, removing: bool) {
        let place = "SELECT after_at::text || after_id FROM retention_sweep";
        let before: String = self.world.ask(place).await;
        let from = if removing { "now()" } else { "'infinity'" };
        let sql = format!("UPDATE retention_sweep SET next_step_at = {from}");
        self.world.execute(&sql).await;
        let begun = async || {
            let moved = self.world.ask::<String>(place).await != before;
            (moved || !removing).then_some(())
        };
        self.world.eventually("a step is made", begun).await;
    }

    /// How many live events were accepted, by the counts.
    async fn recorded(&self) -> usize {
        let counts = "SELECT coalesce(sum(succeeded), 0) FROM webhook_hours";
        let recorded: i64 = self.world.ask(counts).await;
        usize::try_from(recorded).expect("it is a count")
    }

    /// How many rows of a table are old by this time of theirs.
    async fn old(&self, table: &str, time: &str) -> i64 {
        let old = format!("SELECT count(*) FROM {table} WHERE {time} < now() - interval '30 days'");
        self.world.ask(&old).await
    }

    /// Waits until all that is old is gone but what is pending.
    async fn cleared(&self, table: &str, time: &str) {
        let cleared = async || (self.old(table, time).await == PENDING).then_some(());
        self.world.patiently("what is old goes", cleared).await;
    }
}

fn median(mut rates: Vec<f64>) -> f64 {
    rates.sort_by(f64::total_cmp);
    rates[rates.len() / 2]
}

#[tokio::test(flavor = "multi_thread")]
async fn removing_what_is_old_costs_live_deliveries_less_than_a_tenth() {
    let _machine = alone_when_optimised().await;
    let receiver = Receiver::answering(&[]).await;
    let load = Load::new(&receiver).await;
    let dispatcher = Service::patient_dispatcher(&load.world);
    load.deliver(false).await;

    let (mut with, mut without) = (Vec::new(), Vec::new());
    for _ in 0..SLICES {
        without.push(load.deliver(false).await);
        with.push(load.deliver(true).await);
    }
    let left = load.old("deliveries", "created_at").await;
    load.remove(true).await;
    load.cleared("deliveries", "created_at").await;
    load.cleared("events", "received_at").await;

    let (without, with) = (median(without), median(with));
    let cost = 100.0 * (1.0 - with / without);
    println!("{without:.0} deliveries/s, {with:.0} while old ones were removed: {cost:.1} % less");
    println!("{left} of {OLD} were left after that");
    assert!(left < i64::try_from(OLD).expect("it fits"));
    assert!(cfg!(debug_assertions) || cost < 10.0, "{cost:.1} %");
    let live = i64::try_from(LIVE * (2 * SLICES + 1)).expect("it fits");
    assert_eq!(load.world.delivered().await, live);
    let attempts: i64 = load.world.ask("SELECT count(*) FROM attempts").await;
    assert_eq!(attempts, live + PENDING, "they went with their deliveries");
    dispatcher.kill().await;
    load.world.end().await;
}
