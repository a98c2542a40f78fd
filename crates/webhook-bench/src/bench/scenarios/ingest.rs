//! Events over HTTP: single events until delivery, and batches until the queue.

use std::time::Instant;

use bytes::Bytes;
use webhook_domain::Event;
use webhook_tests::Service;

use super::races::compare;
use super::scale::Scale;
use crate::bench::broker::Broker;
use crate::bench::load;
use crate::bench::measure::{Bound, Measure};
use crate::bench::meter::{Costs, Meter};
use crate::bench::post::Poster;
use crate::bench::stack::Stack;
use crate::bench::testbed::{MAX_WAIT, MEASURED_TYPE, Run, Testbed, per_second};
use crate::bench::usage::Group;
use crate::bench::worker::Contender;

/// Events in a batch.
const EVENTS_PER_BATCH: usize = 100;

/// Least rate of single events, accepted and delivered.
const SINGLES_PER_SECOND: f64 = 10_000.0;

/// Least rate of batches, as a share of bare publishing with confirms.
const MIN_SHARE: f64 = 0.6;

/// Measures single events, and batches beside bare publishing.
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
    let share = Bound::ShareAtLeast(MIN_SHARE, "bare publishing");
    let mut in_batches = compare(&format!("{name}, batches"), &batches, &bare, share);
    in_batches.unit = "events/s";
    Ok(vec![
        Measure::new(&format!("{name}, singles"), "deliveries/s", &rates, least)
            .costing(costs, Costs::new()),
        in_batches,
    ])
}

/// Posts single events during their delivery. The rate is over the time from the first request to the
/// last arrival.
pub(crate) async fn post_singles(stack: &Stack, events: usize) -> anyhow::Result<Run> {
    let mut testbed = Testbed::new(stack).await?;
    testbed.store_webhooks(1).await;
    let meter = Meter::start(stack);
    let worker = testbed.start(Contender::Product, 1).await?;
    let api = Service::api(&testbed.world).await;
    let poster = Poster::new(&testbed.world, &api).await?;
    let bodies = make(events).into_iter().map(|event| event.body).collect();
    // Connections are open and bodies made: the clock measures requests alone.
    testbed.sink.expect(events);
    let began = Instant::now();
    poster.post_events(bodies).await?;
    testbed.sink.all_arrived(MAX_WAIT).await?;
    let rate = per_second(events, began.elapsed());
    testbed.all_recorded(Contender::Product, events).await?;
    let costs = meter.read(&[
        ("worker", worker.group()),
        ("api", Group::process(api.pid())),
    ]);
    worker.stop().await;
    api.kill().await;
    testbed.end().await;
    Ok(Run { rate, costs })
}

/// Posts events in batches, without a consumer.
async fn post_batches(stack: &Stack, events: usize) -> anyhow::Result<Run> {
    let testbed = Testbed::new(stack).await?;
    let meter = Meter::start(stack);
    let api = Service::api(&testbed.world).await;
    let poster = Poster::new(&testbed.world, &api).await?;
    let bodies = make(events).chunks(EVENTS_PER_BATCH).map(batch).collect();
    let began = Instant::now();
    poster.post_batches(bodies, EVENTS_PER_BATCH).await?;
    let rate = per_second(events, began.elapsed());
    let costs = meter.read(&[("api", Group::process(api.pid()))]);
    api.kill().await;
    all_queued(&testbed, events).await?;
    testbed.end().await;
    Ok(Run { rate, costs })
}

/// Publishes as many events straight to RabbitMQ.
async fn publish_bare(stack: &Stack, events: usize) -> anyhow::Result<Run> {
    let testbed = Testbed::new(stack).await?;
    let broker = Broker::connect(&testbed.world.broker.url).await?;
    let made = make(events);
    let meter = Meter::start(stack);
    let took = broker.publish(&made).await?;
    let costs = meter.read(&[]);
    all_queued(&testbed, events).await?;
    testbed.end().await;
    let rate = per_second(events, took);
    Ok(Run { rate, costs })
}

/// Fails unless every accepted event is in the queue.
async fn all_queued(testbed: &Testbed<'_>, events: usize) -> anyhow::Result<()> {
    let broker = Broker::connect(&testbed.world.broker.url).await?;
    let waiting = broker.state().await?.waiting;
    anyhow::ensure!(
        usize::try_from(waiting)? == events,
        "{waiting} of {events} events are in the queue"
    );
    Ok(())
}

/// Events made before the clock starts.
fn make(events: usize) -> Vec<Event> {
    (0..events).map(|_| load::event(MEASURED_TYPE)).collect()
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
