//! How much more several dispatchers do than one.

use std::time::Instant;

use webhook_tests::Service;

use super::Scale;
use crate::bench::course::{Course, PATIENCE, Run, per_second, until};
use crate::bench::measure::{Bound, Measure};
use crate::bench::meter::{Costs, Meter};
use crate::bench::ready::{free_address, is_ready};
use crate::bench::sink::Answers;
use crate::bench::stack::Stack;
use crate::bench::usage::{Group, Processors};
use crate::bench::worker::Who;

/// How many there are.
const DISPATCHERS: [usize; 3] = [1, 2, 4];

/// How long a receiver takes, which is what ends a single dispatcher's rate: with 16 requests at
/// once for each webhook, 800 a second for each.
const TAKES: std::time::Duration = std::time::Duration::from_millis(20);

/// How many webhooks there are.
const WEBHOOKS: usize = 2;

/// The least share of as many times what one reaches.
const SHARE: f64 = 0.9;

/// So little is idle when the processors are the limit.
const IDLE: f64 = 0.1;

/// Measures 1, 2 and 4 in turn.
pub(crate) async fn measure(
    name: &str,
    stack: &Stack,
    scale: Scale,
) -> anyhow::Result<Vec<Measure>> {
    // For each: all of them run for as long as one would.
    let events = scale.choose(400, 12_000);
    let mut runs: [Vec<(Run, f64)>; 3] = [const { Vec::new() }; 3];
    for _ in 0..scale.choose(1, 3) {
        for (runs, dispatchers) in runs.iter_mut().zip(DISPATCHERS) {
            runs.push(run(stack, dispatchers, dispatchers * events).await?);
        }
    }
    let [one, ..] = &runs;
    let one: Vec<f64> = one.iter().map(|(run, _)| run.rate).collect();
    let mut measures = Vec::new();
    for (runs, dispatchers) in runs.iter().zip(DISPATCHERS) {
        let times = f64::from(u32::try_from(dispatchers)?);
        let rates: Vec<f64> = runs.iter().map(|(run, _)| run.rate).collect();
        let idle: Vec<f64> = runs.iter().map(|(_, idle)| idle * 100.0).collect();
        let in_proportion: Vec<f64> = one.iter().map(|rate| rate * times).collect();
        let costs = runs.last().map(|(run, _)| run.costs.clone());
        let idle = Measure::new(
            &format!("{name}, {dispatchers}: idle"),
            "% of CPU",
            &idle,
            Bound::Told("what the processors had left"),
        );
        let bound = if dispatchers == 1 {
            Bound::Told("what the others are compared with")
        } else if idle.product.median < IDLE * 100.0 {
            Bound::Told("CPU is the limit")
        } else {
            Bound::ShareAtLeast(SHARE, "in proportion to 1")
        };
        let rate = Measure::new(
            &format!("{name}, {dispatchers}"),
            "deliveries/s",
            &rates,
            bound,
        );
        measures.push(
            rate.beside(&in_proportion)
                .costing(costs.unwrap_or_default(), Costs::new()),
        );
        measures.push(idle);
    }
    Ok(measures)
}

/// All are ready before anything is published; what counts is the time from then to the last
/// arrival. Tells the idle share of that time, too.
async fn run(stack: &Stack, dispatchers: usize, events: usize) -> anyhow::Result<(Run, f64)> {
    let world = stack.world().await;
    let mut course = Course::with(stack, world, Answers::After(TAKES)).await?;
    course.store_webhooks(WEBHOOKS).await;
    let deliveries = events * WEBHOOKS;
    course.sink.expect(deliveries);
    let meter = Meter::start(stack);
    let mut started = Vec::new();
    for _ in 0..dispatchers {
        let address = free_address()?;
        started.push(Service::dispatcher_at(&course.world, &address));
        until("it is ready", async || Ok(is_ready(&address).await)).await?;
    }
    let (began, before) = (Instant::now(), Processors::read()?);
    course.publish(events).await?;
    course.sink.all_arrived(PATIENCE).await?;
    let (took, after) = (began.elapsed(), Processors::read()?);
    course.all_recorded(Who::Product, deliveries).await?;
    let pids = started.iter().map(Service::pid).collect();
    let costs = meter.read(&[("workers", Group::Processes(pids))]);
    for dispatcher in started {
        dispatcher.kill().await;
    }
    course.end().await;
    let rate = per_second(deliveries, took);
    Ok((Run { rate, costs }, after.idle_share_since(before)))
}
