//! The rates of several dispatchers beside the rate of a single dispatcher.

use std::time::Instant;

use webhook_tests::Service;

use super::scale::Scale;
use crate::bench::measure::{Bound, Measure};
use crate::bench::meter::{Costs, Meter};
use crate::bench::ready::{free_address, is_ready};
use crate::bench::sink::Answers;
use crate::bench::stack::Stack;
use crate::bench::testbed::{MAX_WAIT, Run, Testbed, per_second, until};
use crate::bench::usage::{Group, Processors};
use crate::bench::worker::Contender;

/// Numbers of dispatchers.
const DISPATCHER_COUNTS: [usize; 3] = [1, 2, 4];

/// Response time of the receiver. With 16 requests at once for each webhook, the time bounds the rate
/// of a dispatcher to 800 deliveries per second and webhook.
const RESPONSE_TIME: std::time::Duration = std::time::Duration::from_millis(20);

/// Number of webhooks.
const WEBHOOKS: usize = 2;

/// Least rate of n dispatchers, as a share of n times the rate of a single dispatcher.
const MIN_SHARE: f64 = 0.9;

/// Largest idle share of the processors at which the processors count as the limit.
const IDLE: f64 = 0.1;

/// Measures 1, 2 and 4 dispatchers in turn.
pub(crate) async fn measure(
    name: &str,
    stack: &Stack,
    scale: Scale,
) -> anyhow::Result<Vec<Measure>> {
    // For each dispatcher: n dispatchers run about as long as a single dispatcher.
    let events = scale.choose(400, 12_000);
    let mut runs: [Vec<(Run, f64)>; 3] = [const { Vec::new() }; 3];
    for _ in 0..scale.choose(1, 3) {
        for (runs, dispatchers) in runs.iter_mut().zip(DISPATCHER_COUNTS) {
            runs.push(run(stack, dispatchers, dispatchers * events).await?);
        }
    }
    let [one, ..] = &runs;
    let one: Vec<f64> = one.iter().map(|(run, _)| run.rate).collect();
    let mut measures = Vec::new();
    for (runs, dispatchers) in runs.iter().zip(DISPATCHER_COUNTS) {
        let times = f64::from(u32::try_from(dispatchers)?);
        let in_proportion: Vec<f64> = one.iter().map(|rate| rate * times).collect();
        measures.extend(compare(name, dispatchers, runs, &in_proportion));
    }
    Ok(measures)
}

/// The rate of `dispatchers` dispatchers beside the rate in proportion, and the idle share.
fn compare(
    name: &str,
    dispatchers: usize,
    runs: &[(Run, f64)],
    in_proportion: &[f64],
) -> [Measure; 2] {
    let rates: Vec<f64> = runs.iter().map(|(run, _)| run.rate).collect();
    let idle: Vec<f64> = runs.iter().map(|(_, idle)| idle * 100.0).collect();
    let costs = runs.last().map(|(run, _)| run.costs.clone());
    let idle = Measure::new(
        &format!("{name}, {dispatchers}: idle"),
        "% of CPU",
        &idle,
        Bound::Unbounded("idle share of the processors"),
    );
    let bound = if dispatchers == 1 {
        Bound::Unbounded("compared with by the others")
    } else if idle.product.median < IDLE * 100.0 {
        // More dispatchers cannot help when the processors have no time left.
        Bound::Unbounded("CPU is the limit")
    } else {
        Bound::ShareAtLeast(MIN_SHARE, "in proportion to 1")
    };
    let name = format!("{name}, {dispatchers}");
    let rate = Measure::new(&name, "deliveries/s", &rates, bound);
    let rate = rate.beside(in_proportion);
    [rate.costing(costs.unwrap_or_default(), Costs::new()), idle]
}

/// Measures the time from the first publishing, with all dispatchers ready, to the last arrival. The
/// second figure is the idle share of the processors over the same time.
async fn run(stack: &Stack, dispatchers: usize, events: usize) -> anyhow::Result<(Run, f64)> {
    let world = stack.world().await;
    let mut testbed = Testbed::with(stack, world, Answers::After(RESPONSE_TIME)).await?;
    testbed.store_webhooks(WEBHOOKS).await;
    let deliveries = events * WEBHOOKS;
    testbed.sink.expect(deliveries);
    let meter = Meter::start(stack);
    let mut started = Vec::new();
    for _ in 0..dispatchers {
        let address = free_address()?;
        started.push(Service::dispatcher_at(&testbed.world, &address));
        until("the dispatcher is ready", async || {
            Ok(is_ready(&address).await)
        })
        .await?;
    }
    let (began, before) = (Instant::now(), Processors::read()?);
    testbed.publish(events).await?;
    testbed.sink.all_arrived(MAX_WAIT).await?;
    let (took, after) = (began.elapsed(), Processors::read()?);
    testbed.all_recorded(Contender::Product, deliveries).await?;
    let pids = started.iter().map(Service::pid).collect();
    let costs = meter.read(&[("workers", Group::Processes(pids))]);
    for dispatcher in started {
        dispatcher.kill().await;
    }
    testbed.end().await;
    let rate = per_second(deliveries, took);
    Ok((Run { rate, costs }, after.idle_share_since(before)))
}
