//! How long an event takes from being published to its arrival, at a steady pace.

use std::time::Duration;

use super::Scale;
use crate::bench::course::{Course, MEASURED, PATIENCE};
use crate::bench::load::Pace;
use crate::bench::measure::{Bound, Measure};
use crate::bench::meter::{Costs, Meter};
use crate::bench::stack::Stack;
use crate::bench::worker::Who;

/// Events per second.
const PER_SECOND: u32 = 200;

/// The most that half of the events may take, and all but a hundredth, in milliseconds.
const P50_MS: f64 = 2.5;
const P99_MS: f64 = 8.0;

/// Measures it on a system that does nothing else.
pub(crate) async fn measure(
    name: &str,
    stack: &Stack,
    scale: Scale,
) -> anyhow::Result<Vec<Measure>> {
    let (mut p50, mut p99, mut costs) = (Vec::new(), Vec::new(), Costs::new());
    for _ in 0..scale.choose(1, 3) {
        let mut course = Course::new(stack).await?;
        course.store_webhooks(1).await;
        let timed = time(&mut course, scale).await?;
        course.end().await;
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

/// How long each event took, in order, and what that cost.
pub(crate) struct Timed {
    times: Vec<Duration>,
    pub(crate) costs: Costs,
}

impl Timed {
    /// What so many of a hundred took at most, in milliseconds.
    pub(crate) fn percentile_ms(&self, percent: usize) -> f64 {
        let index = self.times.len() * percent / 100;
        let time = self
            .times
            .get(index.min(self.times.len().saturating_sub(1)));
        time.map_or(f64::NAN, |time| time.as_secs_f64() * 1_000.0)
    }
}

/// Starts a dispatcher, warms it up and times every event after that. All are for one webhook.
pub(crate) async fn time(course: &mut Course<'_>, scale: Scale) -> anyhow::Result<Timed> {
    let pace = |millis| Pace {
        per_second: PER_SECOND,
        lasting: Duration::from_millis(millis),
    };
    let meter = Meter::start(course.stack);
    let worker = course.start(Who::Product, 1).await?;
    // The first events open connections, which is not what is measured.
    deliver(course, pace(scale.choose(500, 2_000))).await?;
    course.sink.time();
    deliver(course, pace(scale.choose(1_000, 20_000))).await?;
    let times = course.sink.times();
    let costs = meter.read(&[("worker", worker.group())]);
    worker.stop().await;
    Ok(Timed { times, costs })
}

async fn deliver(course: &mut Course<'_>, pace: Pace) -> anyhow::Result<()> {
    course.sink.expect(pace.events());
    pace.publish(&course.publisher, MEASURED).await?;
    course.sink.all_arrived(PATIENCE).await?;
    course.all_recorded(Who::Product, pace.events()).await
}
