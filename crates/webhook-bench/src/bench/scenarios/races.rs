//! The product and the bare loop in turn, to spread disturbances of the machine over both.

use std::time::Instant;

use super::scale::Scale;
use crate::bench::measure::{Bound, Measure};
use crate::bench::meter::Meter;
use crate::bench::stack::Stack;
use crate::bench::testbed::{MAX_WAIT, Run, Testbed, per_second};
use crate::bench::worker::Contender;

/// Least rate, as a share of the bare loop's.
const MIN_SHARE: f64 = 0.75;

/// A race over the same load.
#[derive(Debug, Clone, Copy)]
struct Race {
    /// Number of events.
    events: usize,
    /// Number of webhooks; each gets every event.
    webhooks: usize,
    /// Whether publishing and delivering overlap. If not, all events wait in the queue first.
    live: bool,
}

/// Waiting events for a single webhook.
pub(crate) async fn drain(name: &str, stack: &Stack, scale: Scale) -> anyhow::Result<Vec<Measure>> {
    let race = Race {
        events: scale.choose(3_000, 60_000),
        webhooks: 1,
        live: false,
    };
    race.measure(name, stack, scale).await
}

/// Waiting events, each for several webhooks.
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

/// Events for a single webhook, published during the delivery.
pub(crate) async fn live(name: &str, stack: &Stack, scale: Scale) -> anyhow::Result<Vec<Measure>> {
    let race = Race {
        events: scale.choose(3_000, 60_000),
        webhooks: 1,
        live: true,
    };
    race.measure(name, stack, scale).await
}

/// Waiting events for the only webhook, for comparison with other scenarios.
pub(crate) async fn plain_drain(stack: &Stack, events: usize) -> anyhow::Result<Run> {
    let race = Race {
        events,
        webhooks: 1,
        live: false,
    };
    race.run(stack, Contender::Product).await
}

impl Race {
    async fn measure(
        self,
        name: &str,
        stack: &Stack,
        scale: Scale,
    ) -> anyhow::Result<Vec<Measure>> {
        let (mut product, mut bare) = (Vec::new(), Vec::new());
        // In turn, and each in a fresh testbed: neither contender inherits the other's tables.
        for _ in 0..scale.choose(1, 5) {
            product.push(self.run(stack, Contender::Product).await?);
            bare.push(self.run(stack, Contender::Bare).await?);
        }
        let bound = Bound::ShareAtLeast(MIN_SHARE, "the bare loop");
        Ok(vec![compare(name, &product, &bare, bound)])
    }

    async fn run(self, stack: &Stack, contender: Contender) -> anyhow::Result<Run> {
        let mut testbed = Testbed::new(stack).await?;
        if contender == Contender::Product {
            testbed.store_webhooks(self.webhooks).await;
        }
        let run = if self.live {
            self.keep_up(&mut testbed, contender).await?
        } else {
            testbed.publish(self.events).await?;
            let deliveries = self.events * self.webhooks;
            testbed.drain(contender, self.webhooks, deliveries).await?
        };
        testbed.end().await;
        Ok(run)
    }

    /// Measures the time from publishing the first event to the last arrival.
    async fn keep_up(self, testbed: &mut Testbed<'_>, contender: Contender) -> anyhow::Result<Run> {
        let deliveries = self.events * self.webhooks;
        testbed.sink.expect(deliveries);
        let meter = Meter::start(testbed.stack);
        let worker = testbed.start(contender, self.webhooks).await?;
        let began = Instant::now();
        testbed.publish(self.events).await?;
        testbed.sink.all_arrived(MAX_WAIT).await?;
        let took = began.elapsed();
        testbed.all_recorded(contender, deliveries).await?;
        let costs = meter.read(&[("worker", worker.group())]);
        worker.stop().await;
        let rate = per_second(deliveries, took);
        Ok(Run { rate, costs })
    }
}

/// Compares the rates of `runs` with the rates of `beside`.
pub(crate) fn compare(name: &str, runs: &[Run], beside: &[Run], bound: Bound) -> Measure {
    let rates = |runs: &[Run]| -> Vec<f64> { runs.iter().map(|run| run.rate).collect() };
    let costs = |runs: &[Run]| runs.last().map(|run| run.costs.clone()).unwrap_or_default();
    Measure::new(name, "deliveries/s", &rates(runs), bound)
        .beside(&rates(beside))
        .costing(costs(runs), costs(beside))
}
