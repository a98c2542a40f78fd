//! The time from publishing an event to the arrival of the request, at a steady pace.

use std::time::Duration;

use super::scale::Scale;
use crate::bench::load::Pace;
use crate::bench::measure::{Bound, Measure};
use crate::bench::meter::{Costs, Meter};
use crate::bench::stack::Stack;
use crate::bench::testbed::{MAX_WAIT, MEASURED_TYPE, Testbed};
use crate::bench::worker::Contender;

/// Events per second.
const PER_SECOND: u32 = 200;

/// Longest median time, and longest 99th percentile, in milliseconds.
const P50_MS: f64 = 2.5;
const P99_MS: f64 = 8.0;

/// Measures the times on an otherwise idle system.
pub(crate) async fn measure(
    name: &str,
    stack: &Stack,
    scale: Scale,
) -> anyhow::Result<Vec<Measure>> {
    let (mut p50, mut p99, mut costs) = (Vec::new(), Vec::new(), Costs::new());
    for _ in 0..scale.choose(1, 3) {
        let mut testbed = Testbed::new(stack).await?;
        testbed.store_webhooks(1).await;
        let timed = time(&mut testbed, scale).await?;
        testbed.end().await;
        p50.push(timed.percentile_ms(50));
        p99.push(timed.percentile_ms(99));
        costs = timed.costs;
    }
    let of = |which: &str, figures, most| {
        Measure::new(
            &format!("{name} {which}"),
            "ms",
            figures,
            Bound::AtMost(most),
        )
    };
    Ok(vec![
        of("p50", &p50, P50_MS),
        of("p99", &p99, P99_MS).costing(costs, Costs::new()),
    ])
}

/// The sorted times of the events, and the costs.
pub(crate) struct Timed {
    times: Vec<Duration>,
    pub(crate) costs: Costs,
}

impl Timed {
    /// The percentile of the times, in milliseconds.
    pub(crate) fn percentile_ms(&self, percent: usize) -> f64 {
        let index = self.times.len() * percent / 100;
        let time = self
            .times
            .get(index.min(self.times.len().saturating_sub(1)));
        time.map_or(f64::NAN, |time| time.as_secs_f64() * 1_000.0)
    }
}

/// Starts a dispatcher, warms the dispatcher up and times every later event for a single webhook.
pub(crate) async fn time(testbed: &mut Testbed<'_>, scale: Scale) -> anyhow::Result<Timed> {
    let pace = |millis| Pace {
        per_second: PER_SECOND,
        lasting: Duration::from_millis(millis),
    };
    let meter = Meter::start(testbed.stack);
    let worker = testbed.start(Contender::Product, 1).await?;
    // The first events open connections, and are not timed.
    deliver(testbed, pace(scale.choose(500, 2_000))).await?;
    // Forgets the times of the warm-up.
    testbed.sink.time();
    deliver(testbed, pace(scale.choose(1_000, 20_000))).await?;
    let times = testbed.sink.times();
    let costs = meter.read(&[("worker", worker.group())]);
    worker.stop().await;
    Ok(Timed { times, costs })
}

async fn deliver(testbed: &mut Testbed<'_>, pace: Pace) -> anyhow::Result<()> {
    testbed.sink.expect(pace.events());
    pace.publish(&testbed.publisher, MEASURED_TYPE).await?;
    testbed.sink.all_arrived(MAX_WAIT).await?;
    testbed
        .all_recorded(Contender::Product, pace.events())
        .await
}
