//! The cost of hanging, failing and unreachable webhooks for a healthy webhook beside them.
//!
//! The faulty webhooks are spread over the other event types: an event for all of the webhooks at once
//! would be a burst of work, faults or not. The other types' events alternate with the timed events.

use std::time::Duration;

use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use webhook_broker::Publisher;
use webhook_domain::EventType;

use super::latency::{Timed, time};
use super::scale::Scale;
use crate::bench::broker::Broker;
use crate::bench::load;
use crate::bench::measure::{Bound, Measure};
use crate::bench::meter::Costs;
use crate::bench::sink::{Answers, Sink};
use crate::bench::stack::Stack;
use crate::bench::testbed::{MEASURED_TYPE, Testbed, until};

mod neighbours;

use neighbours::{Fault, Neighbours};

/// Interval between two events for neighbours. Each is for five webhooks, or for ten hanging and
/// failing ones: 200 or 400 deliveries per second.
const NEIGHBOUR_EVENT_INTERVAL: Duration = Duration::from_millis(25);

/// Longest time of an event beside the neighbours, in multiples of the time without neighbours.
const MAX_TIMES: f64 = 1.5;

/// How the healthy webhook's receiver treats connections.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Healthy {
    /// Connections are kept alive.
    KeptAlive,
    /// Each request needs a look-up and a new connection: the steps where the neighbours are stuck.
    New,
}

/// The times of the healthy webhook, run by run.
#[derive(Default)]
struct Runs(Vec<Timed>);

impl Runs {
    fn percentile(&self, percent: usize) -> Vec<f64> {
        self.0.iter().map(|t| t.percentile_ms(percent)).collect()
    }

    fn costs(&self) -> Costs {
        self.0.last().map(|t| t.costs.clone()).unwrap_or_default()
    }
}

/// Measures the healthy webhook alone and beside each kind of neighbour, in turn.
pub(crate) async fn measure(
    name: &str,
    stack: &Stack,
    scale: Scale,
) -> anyhow::Result<Vec<Measure>> {
    let (mut alone, mut beside) = (Runs::default(), Runs::default());
    let mut connecting = Runs::default();
    let mut faults = Fault::OF_CONNECTIONS.map(|fault| (fault, Runs::default()));
    for _ in 0..scale.choose(1, 3) {
        alone
            .0
            .push(time_alone(stack, scale, Healthy::KeptAlive).await?);
        let answers = Fault::HangAndFail;
        beside
            .0
            .push(time_beside(stack, scale, Healthy::KeptAlive, answers).await?);
        connecting
            .0
            .push(time_alone(stack, scale, Healthy::New).await?);
        for (fault, runs) in &mut faults {
            let timed = time_beside(stack, scale, Healthy::New, *fault).await?;
            runs.0.push(timed);
        }
    }
    let undecided = Bound::Unbounded("p99 decides");
    let mut rows = vec![
        compare(&format!("{name} p50"), 50, &beside, &alone, undecided),
        decide(&format!("{name} p99"), &beside, &alone),
    ];
    for (fault, runs) in &faults {
        rows.push(decide(
            &format!("{name} {} p99", fault.word()),
            runs,
            &connecting,
        ));
    }
    Ok(rows)
}

fn compare(name: &str, percent: usize, beside: &Runs, alone: &Runs, bound: Bound) -> Measure {
    Measure::new(name, "ms", &beside.percentile(percent), bound).beside(&alone.percentile(percent))
}

fn decide(name: &str, beside: &Runs, alone: &Runs) -> Measure {
    let bound = Bound::ShareAtMost(MAX_TIMES, "p99 alone");
    compare(name, 99, beside, alone, bound).costing(beside.costs(), alone.costs())
}

async fn testbed(stack: &Stack, healthy: Healthy) -> anyhow::Result<Testbed<'_>> {
    let mut testbed = Testbed::new(stack).await?;
    if healthy == Healthy::New {
        testbed.sink = Sink::start(Answers::AtOnceAndClose).await?.by_name();
    }
    testbed.store_webhooks(1).await;
    Ok(testbed)
}

async fn time_alone(stack: &Stack, scale: Scale, healthy: Healthy) -> anyhow::Result<Timed> {
    let mut testbed = testbed(stack, healthy).await?;
    let timed = time(&mut testbed, scale).await?;
    testbed.end().await;
    Ok(timed)
}

async fn time_beside(
    stack: &Stack,
    scale: Scale,
    healthy: Healthy,
    fault: Fault,
) -> anyhow::Result<Timed> {
    let mut testbed = testbed(stack, healthy).await?;
    let neighbours = Neighbours::start(fault).await?;
    testbed.variables.clone_from(&neighbours.variables);
    let others = EventType::ALL
        .iter()
        .filter(|other| **other != MEASURED_TYPE);
    let others: Vec<EventType> = others.copied().collect();
    let mut subscribers = 0;
    for (number, other) in others.iter().enumerate() {
        let urls = neighbours.urls(number);
        subscribers = urls.len();
        testbed.store_at(&urls, *other).await;
    }
    let enough = CancellationToken::new();
    let load = publish_in_turn(testbed.publisher.clone(), others, enough.clone());
    let timed = time(&mut testbed, scale).await?;
    // After the end of the worker: later events stay in the queue, and are counted below.
    enough.cancel();
    let published = load.await??;
    anyhow::ensure!(neighbours.were_met(), "{fault:?}: no request met the fault");
    all_are_owed(&testbed, published, subscribers).await?;
    testbed.end().await;
    Ok(timed)
}

/// Publishes events of each of `types` in turn until `enough`; the result is their number.
fn publish_in_turn(
    publisher: Publisher,
    types: Vec<EventType>,
    enough: CancellationToken,
) -> JoinHandle<anyhow::Result<i64>> {
    tokio::spawn(async move {
        let mut published = 0;
        let mut pause = tokio::time::interval(NEIGHBOUR_EVENT_INTERVAL);
        for other in types.into_iter().cycle() {
            pause.tick().await;
            if enough.is_cancelled() {
                break;
            }
            load::publish(&publisher, 1, other).await?;
            published += 1;
        }
        Ok(published)
    })
}

/// Waits until every neighbour's event is taken in or in the queue: none is lost.
async fn all_are_owed(
    testbed: &Testbed<'_>,
    published: i64,
    subscribers: usize,
) -> anyhow::Result<()> {
    let events = format!("SELECT count(*) FROM events WHERE event_type <> '{MEASURED_TYPE}'");
    let deliveries =
        format!("SELECT count(*) FROM deliveries WHERE event_type <> '{MEASURED_TYPE}'");
    // Events published after the end of the worker wait in the queue. Events in the worker's hand come
    // back as soon as RabbitMQ notices the worker's end.
    let broker = Broker::connect(&testbed.world.broker.url).await?;
    let none_is_lost = async || {
        let waiting = i64::from(broker.state().await?.waiting);
        Ok(testbed.ask::<i64>(&events).await? + waiting >= published)
    };
    until("each event is taken in or waits", none_is_lost).await?;
    let taken_in: i64 = testbed.ask(&events).await?;
    let owed = usize::try_from(taken_in)? * subscribers;
    testbed
        .counts("deliveries owed to the others", &deliveries, owed)
        .await
}
