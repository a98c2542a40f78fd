//! Rate, memory and backlog over ten minutes at half of the possible rate.

use std::time::Duration;

use tokio::time::{Instant, sleep_until};

use super::races::plain_drain;
use super::scale::Scale;
use crate::bench::broker::Broker;
use crate::bench::load::Pace;
use crate::bench::measure::{Bound, Measure};
use crate::bench::meter::{Costs, Meter};
use crate::bench::stack::Stack;
use crate::bench::testbed::{MAX_WAIT, MEASURED_TYPE, Testbed, per_second};
use crate::bench::worker::{Contender, Worker};

/// Length of the soak, in minutes.
const MINUTES: usize = 10;

/// The minute after which memory and backlog are first read.
const SETTLED_MINUTE: usize = 2;

/// Largest difference between the rates of the last and of the first minute, as a share.
const MAX_RATE_DRIFT: f64 = 0.05;

/// Largest growth of the worker's memory, as a factor.
const MAX_MEMORY_GROWTH: f64 = 1.1;

/// The figures at the end of a minute.
#[derive(Debug, Clone, Copy)]
struct Moment {
    arrived: usize,
    rss_mib: f64,
    waiting: f64,
}

/// Measures a drain, then publishes at half of the rate for ten minutes.
pub(crate) async fn measure(
    name: &str,
    stack: &Stack,
    scale: Scale,
) -> anyhow::Result<Vec<Measure>> {
    let part = Duration::from_millis(scale.choose(300, 60_000));
    let drain = plain_drain(stack, scale.choose(3_000, 60_000)).await?;
    #[allow(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "no rate comes near a billion per second"
    )]
    let per_second_published = (drain.rate / 2.0) as u32;
    let pace = Pace {
        per_second: per_second_published,
        lasting: part * u32::try_from(MINUTES)?,
    };
    let mut testbed = Testbed::new(stack).await?;
    testbed.store_webhooks(1).await;
    let (moments, costs) = run(&mut testbed, pace, part).await?;
    testbed.end().await;
    let rate = |number: usize| {
        let arrived = moments[number + 1].arrived - moments[number].arrived;
        per_second(arrived, part)
    };
    let last_minute = Measure::new(
        &format!("{name}, last minute"),
        "deliveries/s",
        &[rate(MINUTES - 1)],
        Bound::Within(MAX_RATE_DRIFT, "the first minute"),
    );
    let last_minute = last_minute.beside(&[rate(0)]);
    let [memory, backlog] = growth(name, moments[SETTLED_MINUTE], moments[MINUTES], pace);
    Ok(vec![
        last_minute.costing(costs, Costs::new()),
        memory,
        backlog,
    ])
}

/// Memory and backlog at the end, beside both in the settled minute.
fn growth(name: &str, settled: Moment, end: Moment, pace: Pace) -> [Measure; 2] {
    let memory = Measure::new(
        &format!("{name}, memory"),
        "MiB",
        &[end.rss_mib],
        Bound::ShareAtMost(MAX_MEMORY_GROWTH, "minute 2"),
    );
    let backlog = Measure::new(
        &format!("{name}, backlog"),
        "events",
        &[end.waiting],
        // Events of the last second are on the way. More waiting events are a backlog.
        Bound::AtMost(f64::from(pace.per_second)),
    );
    [
        memory.beside(&[settled.rss_mib]),
        backlog.beside(&[settled.waiting]),
    ]
}

/// The figures at the start and at the end of each minute.
async fn run(
    testbed: &mut Testbed<'_>,
    pace: Pace,
    part: Duration,
) -> anyhow::Result<(Vec<Moment>, Costs)> {
    let meter = Meter::start(testbed.stack);
    let worker = testbed.start(Contender::Product, 1).await?;
    let broker = Broker::connect(&testbed.world.broker.url).await?;
    testbed.sink.expect(pace.events());
    let publisher = testbed.publisher.clone();
    let began = Instant::now();
    let load = tokio::spawn(async move { pace.publish(&publisher, MEASURED_TYPE).await });
    let mut moments = Vec::new();
    for number in 0..=MINUTES {
        sleep_until(began + part * u32::try_from(number)?).await;
        moments.push(read(testbed, &broker, &worker).await?);
    }
    load.await??;
    testbed.sink.all_arrived(MAX_WAIT).await?;
    testbed
        .all_recorded(Contender::Product, pace.events())
        .await?;
    let costs = meter.read(&[("worker", worker.group())]);
    worker.stop().await;
    Ok((moments, costs))
}

/// The figures now.
async fn read(testbed: &Testbed<'_>, broker: &Broker, worker: &Worker) -> anyhow::Result<Moment> {
    // Arrivals first: the queries below take time, and the rate is over exact minutes.
    let arrived = testbed.sink.arrived();
    let pending = "SELECT count(*) FROM deliveries WHERE status = 'pending'";
    let pending: i64 = testbed.ask(pending).await?;
    let queued = broker.state().await?.waiting;
    Ok(Moment {
        arrived,
        rss_mib: worker.group().usage().rss_mib,
        waiting: f64::from(queued) + f64::from(i32::try_from(pending)?),
    })
}
