//! Events over HTTP: one by one and delivered, and in batches.

use std::time::Instant;

use bytes::Bytes;
use webhook_domain::Event;
use webhook_tests::Service;

use super::Scale;
use super::races::compare;
use crate::bench::broker::Broker;
use crate::bench::course::{Course, MEASURED, PATIENCE, Run, per_second};
use crate::bench::load;
use crate::bench::measure::{Bound, Measure};
use crate::bench::meter::{Costs, Meter};
use crate::bench::post::Poster;
use crate::bench::stack::Stack;
use crate::bench::usage::Group;
use crate::bench::worker::Who;

/// How many events a batch has.
const BATCH: usize = 100;

/// How many events a second are to be accepted one by one, and delivered.
const SINGLES_PER_SECOND: f64 = 10_000.0;

/// The least share of bare confirmed publishing that batches reach.
const SHARE: f64 = 0.6;

/// Measures both.
pub(crate) async fn measure(
    name: &str,
    stack: &Stack,
    scale: Scale,
) -> anyhow::Result<Vec<Measure>> {
    let events = scale.choose(3_000, 60_000);
    let (mut singles, mut batches, mut bare) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..scale.choose(1, 3) {
        singles.push(post_singles(stack, events).await?);
        batches.push(post_batches(stack, events).await?);
        bare.push(publish_bare(stack, events).await?);
    }
    let rates: Vec<f64> = singles.iter().map(|run| run.rate).collect();
    let costs = singles.pop().map(|run| run.costs).unwrap_or_default();
    let least = Bound::AtLeast(SINGLES_PER_SECOND);
    let share = Bound::ShareAtLeast(SHARE, "bare publishing");
    let mut in_batches = compare(&format!("{name}, batches"), &batches, &bare, share);
    in_batches.unit = "events/s";
    Ok(vec![
        Measure::new(&format!("{name}, singles"), "deliveries/s", &rates, least)
            .costing(costs, Costs::new()),
        in_batches,
    ])
}

/// Posts events one by one while they are delivered. What counts is the time from the first request
/// to the last arrival.
pub(crate) async fn post_singles(stack: &Stack, events: usize) -> anyhow::Result<Run> {
    let mut course = Course::new(stack).await?;
    course.store_webhooks(1).await;
    let meter = Meter::start(stack);
    let worker = course.start(Who::Product, 1).await?;
    let api = Service::api(&course.world).await;
    let poster = Poster::new(&course.world, &api).await?;
    let bodies = make(events).into_iter().map(|event| event.body).collect();
    course.sink.expect(events);
    let began = Instant::now();
    poster.post_events(bodies).await?;
    course.sink.all_arrived(PATIENCE).await?;
    let rate = per_second(events, began.elapsed());
    course.all_recorded(Who::Product, events).await?;
    let costs = meter.read(&[
        ("worker", worker.group()),
        ("api", Group::process(api.pid())),
    ]);
    worker.stop().await;
    api.kill().await;
    course.end().await;
    Ok(Run { rate, costs })
}

/// Posts events in batches; nobody takes them from the queue.
async fn post_batches(stack: &Stack, events: usize) -> anyhow::Result<Run> {
    let course = Course::new(stack).await?;
    let meter = Meter::start(stack);
    let api = Service::api(&course.world).await;
    let poster = Poster::new(&course.world, &api).await?;
    let bodies = make(events).chunks(BATCH).map(batch).collect();
    let began = Instant::now();
    poster.post_batches(bodies, BATCH).await?;
    let rate = per_second(events, began.elapsed());
    let costs = meter.read(&[("api", Group::process(api.pid()))]);
    api.kill().await;
    all_queued(&course, events).await?;
    course.end().await;
    Ok(Run { rate, costs })
}

/// Publishes the same straight to the broker.
async fn publish_bare(stack: &Stack, events: usize) -> anyhow::Result<Run> {
    let course = Course::new(stack).await?;
    let broker = Broker::connect(&course.world.broker.url).await?;
    let made = make(events);
    let meter = Meter::start(stack);
    let took = broker.publish(&made).await?;
    let costs = meter.read(&[]);
    all_queued(&course, events).await?;
    course.end().await;
    let rate = per_second(events, took);
    Ok(Run { rate, costs })
}

/// What was accepted is there, all of it.
async fn all_queued(course: &Course<'_>, events: usize) -> anyhow::Result<()> {
    let broker = Broker::connect(&course.world.broker.url).await?;
    let waiting = broker.state().await?.waiting;
    anyhow::ensure!(
        usize::try_from(waiting)? == events,
        "{waiting} of {events} events are in the queue"
    );
    Ok(())
}

/// Made before the clock starts.
fn make(events: usize) -> Vec<Event> {
    (0..events).map(|_| load::event(MEASURED)).collect()
}

fn batch(events: &[Event]) -> Bytes {
    let mut body = b"{\"events\":[".to_vec();
    for (index, event) in events.iter().enumerate() {
        if index > 0 {
            body.push(b',');
        }
        body.extend_from_slice(&event.body);
    }
    body.extend_from_slice(b"]}");
    body.into()
}
