//! The cost of removing old deliveries for live deliveries.

use std::time::Instant;

use tokio_util::sync::CancellationToken;
use webhook_broker::Publisher;
use webhook_domain::{DeliveryOptions, MaxConcurrency};
use webhook_tests::{Receiver, Service, WebhookSample, World, events};

use crate::machine::alone_when_optimised;

/// Old deliveries, each with an event and an attempt.
const OLD: usize = if cfg!(debug_assertions) {
    50_000
} else {
    1_000_000
};

/// Old pending deliveries of an Inactive webhook. The retention keeps pending deliveries.
const PENDING: i64 = 100;

/// Slices with and without the removal, in turn.
const SLICES: usize = if cfg!(debug_assertions) { 3 } else { 15 };

/// Live events in a slice.
const LIVE: usize = if cfg!(debug_assertions) {
    2_000
} else {
    10_000
};

/// Deliveries with an end 40 to 60 days ago.
const OLD_ROWS: &str = include_str!("retention.sql");

/// A world with old rows, and a publisher of live events.
struct Load {
    world: World,
    publisher: Publisher,
}

impl Load {
    /// Makes a webhook with 64 requests at once, and old rows. The removal is stopped.
    async fn new(receiver: &Receiver) -> Self {
        let world = World::new().await;
        let sample = WebhookSample::at(&receiver.url).served(DeliveryOptions {
            max_concurrency: MaxConcurrency::new(64).ok(),
            ..DeliveryOptions::default()
        });
        sample.store(&mut world.database.connection().await).await;
        let broker = world.broker.url.parse().expect("a broker's URL");
        let publisher = Publisher::start(broker, "test", CancellationToken::new());
        let load = Self { world, publisher };
        load.remove(false).await;
        let rows = OLD_ROWS.replace("{old}", &OLD.to_string());
        let rows = rows.replace("{pending}", &PENDING.to_string());
        load.world.database.execute(&rows).await;
        load
    }

    /// Publishes a slice of live events and returns the deliveries per second until all are recorded.
    async fn deliver(&self, removing: bool) -> f64 {
        self.remove(removing).await;
        let events = events(LIVE);
        let wanted = self.recorded().await + LIVE;
        let began = Instant::now();
        let published = self.publisher.publish_all(&events).await;
        assert!(published.iter().all(Result::is_ok));
        let recorded = async || (self.recorded().await >= wanted).then_some(());
        self.world
            .patiently("all deliveries are recorded", recorded)
            .await;
        LIVE as f64 / began.elapsed().as_secs_f64()
    }

    /// Starts the removal and waits for the first step, or stops the removal.
    async fn remove(&self, removing: bool) {
        let place = "SELECT after_at::text || after_id FROM retention_sweep";
        let before: String = self.world.database.ask(place).await;
        let from = if removing { "now()" } else { "'infinity'" };
        let sql = format!("UPDATE retention_sweep SET next_step_at = {from}");
        self.world.database.execute(&sql).await;
        let begun = async || {
            let moved = self.world.database.ask::<String>(place).await != before;
            (moved || !removing).then_some(())
        };
        self.world.eventually("a step is made", begun).await;
    }

    /// Accepted live events, from the counts by the hour.
    async fn recorded(&self) -> usize {
        let counts = "SELECT coalesce(sum(succeeded), 0) FROM webhook_hours";
        let recorded: i64 = self.world.database.ask(counts).await;
        usize::try_from(recorded).expect("a count")
    }

    /// Rows of a table whose column `time` is more than 30 days ago.
    async fn old(&self, table: &str, time: &str) -> i64 {
        let old = format!("SELECT count(*) FROM {table} WHERE {time} < now() - interval '30 days'");
        self.world.database.ask(&old).await
    }

    /// Waits until all old rows are removed but the rows of pending deliveries.
    async fn cleared(&self, table: &str, time: &str) {
        let cleared = async || (self.old(table, time).await == PENDING).then_some(());
        self.world
            .patiently("the old rows are removed", cleared)
            .await;
    }
}

fn median(mut rates: Vec<f64>) -> f64 {
    rates.sort_by(f64::total_cmp);
    rates[rates.len() / 2]
}

/// The share of the speed that the removal costs, in percent, of `SLICES` slices with and without the
/// removal. The slices alternate, so that a slow spell of the machine meets both.
async fn cost_of_removal(load: &Load) -> f64 {
    let (mut with, mut without) = (Vec::new(), Vec::new());
    for _ in 0..SLICES {
        without.push(load.deliver(false).await);
        with.push(load.deliver(true).await);
    }
    let (without, with) = (median(without), median(with));
    let cost = 100.0 * (1.0 - with / without);
    println!(
        "{without:.0} deliveries/s, {with:.0} while old deliveries were removed: {cost:.1} % less"
    );
    cost
}

#[tokio::test(flavor = "multi_thread")]
async fn removing_old_deliveries_costs_live_deliveries_less_than_a_tenth() {
    let _machine = alone_when_optimised().await;
    let receiver = Receiver::answering(&[]).await;
    let load = Load::new(&receiver).await;
    let dispatcher = Service::patient_dispatcher(&load.world);
    load.deliver(false).await;

    let cost = cost_of_removal(&load).await;
    let left = load.old("deliveries", "created_at").await;
    load.remove(true).await;
    load.cleared("deliveries", "created_at").await;
    load.cleared("events", "received_at").await;

    println!("{left} of {OLD} old deliveries were left");
    assert!(left < i64::try_from(OLD).expect("a count"));
    assert!(cfg!(debug_assertions) || cost < 10.0, "{cost:.1} %");
    let live = i64::try_from(LIVE * (2 * SLICES + 1)).expect("a count");
    assert_eq!(load.world.database.delivered().await, live);
    let attempts = load.world.database.attempts().await;
    assert_eq!(attempts, live + PENDING, "old attempts are removed");
    dispatcher.kill().await;
    load.world.end().await;
}
