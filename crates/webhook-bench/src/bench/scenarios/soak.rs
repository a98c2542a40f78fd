//! Whether anything grows or slows down when half of what is possible goes on and on.

use std::time::Duration;

use tokio::time::{Instant, sleep_until};

use super::Scale;
use super::races::plain_drain;
use crate::bench::broker::Broker;
use crate::bench::course::{Course, MEASURED, PATIENCE, per_second};
use crate::bench::load::Pace;
use crate::bench::measure::{Bound, Measure};
use crate::bench::meter::{Costs, Meter};
use crate::bench::stack::Stack;
use crate::bench::worker::Who;

/// How many parts its time has, a minute each.
const PARTS: usize = 10;

/// After which of them memory and backlog are looked at for the first time.
const SETTLED: usize = 2;

/// How far the last minute's rate may be from the first one's.
const APART: f64 = 0.05;

/// How many times as much memory the worker may have at the end.
const GROWTH: f64 = 1.1;

/// How it stood at the end of a part.
#[derive(Debug, Clone, Copy)]
struct Moment {
    arrived: usize,
    rss_mib: f64,
    waiting: f64,
}

/// Measures a drain for a moment, then publishes half as much for a long time.
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
        reason = "nothing delivers a billion a second"
    )]
    let per_second_published = (drain.rate / 2.0) as u32;
    let pace = Pace {
        per_second: per_second_published,
        lasting: part * u32::try_from(PARTS)?,
    };
    let mut course = Course::new(stack).await?;
    course.store_webhooks(1).await;
    let (moments, costs) = run(&mut course, pace, part).await?;
    course.end().await;
    let rate = |number: usize| {
        let arrived = moments[number + 1].arrived - moments[number].arrived;
        per_second(arrived, part)
    };
    let settled = moments[SETTLED];
    let end = moments[PARTS];
    let of = |which: &str| format!("{name}{which}");
    // What waits a second is on its way; more than that is a backlog.
    let a_second = Bound::AtMost(f64::from(per_second_published));
    Ok(vec![
        Measure::new(
            &of(", last minute"),
            "deliveries/s",
            &[rate(PARTS - 1)],
            Bound::Within(APART, "the first minute"),
        )
        .beside(&[rate(0)])
        .costing(costs, Costs::new()),
        Measure::new(
            &of(", memory"),
            "MiB",
            &[end.rss_mib],
            Bound::ShareAtMost(GROWTH, "minute 2"),
        )
        .beside(&[settled.rss_mib]),
        Measure::new(&of(", backlog"), "events", &[end.waiting], a_second)
            .beside(&[settled.waiting]),
    ])
}

/// How it stood at the start, and at the end of each part.
async fn run(
    course: &mut Course<'_>,
    pace: Pace,
    part: Duration,
) -> anyhow::Result<(Vec<Moment>, Costs)> {
    let meter = Meter::start(course.stack);
    let worker = course.start(Who::Product, 1).await?;
    let broker = Broker::connect(&course.world.broker.url).await?;
    course.sink.expect(pace.events());
    let publisher = course.publisher.clone();
    let began = Instant::now();
    let load = tokio::spawn(async move { pace.publish(&publisher, MEASURED).await });
    let mut moments = Vec::new();
    for number in 0..=PARTS {
        sleep_until(began + part * u32::try_from(number)?).await;
        let arrived = course.sink.arrived();
        let pending = "SELECT count(*) FROM deliveries WHERE status = 'pending'";
        let pending: i64 = course.ask(pending).await?;
        let waiting = f64::from(broker.state().await?.waiting) + f64::from(i32::try_from(pending)?);
        moments.push(Moment {
            arrived,
            rss_mib: worker.group().usage().rss_mib,
            waiting,
        });
    }
    load.await??;
    course.sink.all_arrived(PATIENCE).await?;
    course.all_recorded(Who::Product, pace.events()).await?;
    let costs = meter.read(&[("worker", worker.group())]);
    worker.stop().await;
    Ok((moments, costs))
}
