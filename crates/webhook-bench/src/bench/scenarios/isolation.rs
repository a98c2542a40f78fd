//! The cost of webhooks that hang, fail or cannot be reached for a healthy webhook beside them.
//!
//! They want the other types, a few webhooks each: an event for all of them at once would be a burst
//! of work whether they fail or not. These events come in turn with those that are timed.

use std::time::Duration;

use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use webhook_broker::Publisher;
use webhook_domain::EventType;

use super::Scale;
use super::latency::{Timed, time};
use crate::bench::broker::Broker;
use crate::bench::course::{Course, MEASURED, until};
use crate::bench::load;
use crate::bench::measure::{Bound, Measure};
use crate::bench::meter::Costs;
use crate::bench::sink::{Answers, Sink};
use crate::bench::stack::Stack;

mod neighbours;

use neighbours::{Fault, Neighbours};

/// How often an event comes for five of the neighbours, or for ten that hang and fail: 200 or 400
/// deliveries a second.
const PAUSE: Duration = Duration::from_millis(25);

/// How many times as long an event may take beside them.
const TIMES: f64 = 1.5;

/// How the healthy webhook's receiver treats its connections.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Healthy {
    /// They are kept alive.
    KeptAlive,
    /// Each request needs a look-up and a connection of its own, which is where the neighbours are
    /// stuck.
    New,
}

/// What was timed of a healthy webhook, run by run.
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
    let told = Bound::Told("p99 decides");
    let mut rows = vec![
        compare(&format!("{name} p50"), 50, &beside, &alone, told),
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
    let bound = Bound::ShareAtMost(TIMES, "p99 alone");
    compare(name, 99, beside, alone, bound).costing(beside.costs(), alone.costs())
}

async fn course(stack: &Stack, healthy: Healthy) -> anyhow::Result<Course<'_>> {
    let mut course = Course::new(stack).await?;
    if healthy == Healthy::New {
        course.sink = Sink::start(Answers::AtOnceAndClose).await?.by_name();
    }
    course.store_webhooks(1).await;
    Ok(course)
}

async fn time_alone(stack: &Stack, scale: Scale, healthy: Healthy) -> anyhow::Result<Timed> {
    let mut course = course(stack, healthy).await?;
    let timed = time(&mut course, scale).await?;
    course.end().await;
    Ok(timed)
}

async fn time_beside(
    stack: &Stack,
    scale: Scale,
    healthy: Healthy,
    fault: Fault,
) -> anyhow::Result<Timed> {
    let mut course = course(stack, healthy).await?;
    let neighbours = Neighbours::start(fault).await?;
    course.variables.clone_from(&neighbours.variables);
    let others = EventType::ALL.iter().filter(|other| **other != MEASURED);
    let others: Vec<EventType> = others.copied().collect();
    let mut subscribers = 0;
    for (number, other) in others.iter().enumerate() {
        let urls = neighbours.urls(number);
        subscribers = urls.len();
        course.store_at(&urls, *other).await;
    }
    let enough = CancellationToken::new();
    let load = publish_in_turn(course.publisher.clone(), others, enough.clone());
    let timed = time(&mut course, scale).await?;
    enough.cancel();
    let published = load.await??;
    anyhow::ensure!(neighbours.were_met(), "{fault:?}: nobody met the fault");
    all_are_owed(&course, published, subscribers).await?;
    course.end().await;
    Ok(timed)
}

/// Publishes an event of each of these types in turn, and tells how many.
fn publish_in_turn(
    publisher: Publisher,
    types: Vec<EventType>,
    enough: CancellationToken,
) -> JoinHandle<anyhow::Result<i64>> {
    tokio::spawn(async move {
        let mut published = 0;
        let mut pause = tokio::time::interval(PAUSE);
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

/// The neighbours were served as far as anybody could, and nothing for them was lost.
async fn all_are_owed(
    course: &Course<'_>,
    published: i64,
    subscribers: usize,
) -> anyhow::Result<()> {
    let events = format!("SELECT count(*) FROM events WHERE event_type <> '{MEASURED}'");
    let deliveries = format!("SELECT count(*) FROM deliveries WHERE event_type <> '{MEASURED}'");
    // Events that came after the worker was stopped wait in the queue, those that the worker had in
    // hand as soon as the broker notices that the worker is gone.
    let broker = Broker::connect(&course.world.broker.url).await?;
    let none_is_lost = async || {
        let waiting = i64::from(broker.state().await?.waiting);
        Ok(course.ask::<i64>(&events).await? + waiting >= published)
    };
    until("each event is taken in or waits", none_is_lost).await?;
    let taken_in: i64 = course.ask(&events).await?;
    let owed = usize::try_from(taken_in)? * subscribers;
    course
        .counts("what is owed to the others", &deliveries, owed)
        .await
}
