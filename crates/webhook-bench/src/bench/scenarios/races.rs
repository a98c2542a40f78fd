//! The product and the bare loop alternately, so that what the machine does meets both.

use std::time::Instant;

use super::Scale;
use crate::bench::course::{Course, PATIENCE, Run, per_second};
use crate::bench::measure::{Bound, Measure};
use crate::bench::meter::Meter;
use crate::bench::stack::Stack;
use crate::bench::worker::Who;

/// The least share of the bare loop.
const SHARE: f64 = 0.75;

/// What is to be delivered.
#[derive(Debug, Clone, Copy)]
struct Race {
    /// How many events.
    events: usize,
    /// How many webhooks get each.
    webhooks: usize,
    /// Whether they are published while they are delivered; else all wait in the queue.
    live: bool,
}

/// Events that wait, for one webhook.
pub(crate) async fn drain(name: &str, stack: &Stack, scale: Scale) -> anyhow::Result<Vec<Measure>> {
    let race = Race {
        events: scale.choose(3_000, 60_000),
        webhooks: 1,
        live: false,
    };
    race.measure(name, stack, scale).await
}

/// Events that wait, each for several webhooks.
pub(crate) async fn fan_out(
    name: &str,
    stack: &Stack,
    scale: Scale,
) -> anyhow::Result<Vec<Measure>> {
    let race = Race {
        events: scale.choose(300, 6_000),
        webhooks: 10,
        live: false,
    };
    race.measure(name, stack, scale).await
}

/// Events that are published meanwhile, for one webhook.
pub(crate) async fn live(name: &str, stack: &Stack, scale: Scale) -> anyhow::Result<Vec<Measure>> {
    let race = Race {
        events: scale.choose(3_000, 60_000),
        webhooks: 1,
        live: true,
    };
    race.measure(name, stack, scale).await
}

/// Events that wait, for the one webhook there is: what other scenarios compare with.
pub(crate) async fn plain_drain(stack: &Stack, events: usize) -> anyhow::Result<Run> {
    let race = Race {
        events,
        webhooks: 1,
        live: false,
    };
    race.run(stack, Who::Product).await
}

impl Race {
    async fn measure(
        self,
        name: &str,
        stack: &Stack,
        scale: Scale,
    ) -> anyhow::Result<Vec<Measure>> {
        let (mut product, mut bare) = (Vec::new(), Vec::new());
        for _ in 0..scale.choose(1, 5) {
            product.push(self.run(stack, Who::Product).await?);
            bare.push(self.run(stack, Who::Bare).await?);
        }
        let bound = Bound::ShareAtLeast(SHARE, "the bare loop");
        Ok(vec![compare(name, &product, &bare, bound)])
    }

    async fn run(self, stack: &Stack, who: Who) -> anyhow::Result<Run> {
        let mut course = Course::new(stack).await?;
        if who == Who::Product {
            course.store_webhooks(self.webhooks).await;
        }
        let run = if self.live {
            self.keep_up(&mut course, who).await?
        } else {
            course.publish(self.events).await?;
            let deliveries = self.events * self.webhooks;
            course.drain(who, self.webhooks, deliveries).await?
        };
        course.end().await;
        Ok(run)
    }

    /// What counts is the time from the first event that is published to the last arrival.
    async fn keep_up(self, course: &mut Course<'_>, who: Who) -> anyhow::Result<Run> {
        let deliveries = self.events * self.webhooks;
        course.sink.expect(deliveries);
        let meter = Meter::start(course.stack);
        let worker = course.start(who, self.webhooks).await?;
        let began = Instant::now();
        course.publish(self.events).await?;
        course.sink.all_arrived(PATIENCE).await?;
        let took = began.elapsed();
        course.all_recorded(who, deliveries).await?;
        let costs = meter.read(&[("worker", worker.group())]);
        worker.stop().await;
        let rate = per_second(deliveries, took);
        Ok(Run { rate, costs })
    }
}

/// Rates of runs beside rates of other runs.
pub(crate) fn compare(name: &str, runs: &[Run], beside: &[Run], bound: Bound) -> Measure {
    let rates = |runs: &[Run]| -> Vec<f64> { runs.iter().map(|run| run.rate).collect() };
    let costs = |runs: &[Run]| runs.last().map(|run| run.costs.clone()).unwrap_or_default();
    Measure::new(name, "deliveries/s", &rates(runs), bound)
        .beside(&rates(beside))
        .costing(costs(runs), costs(beside))
}
