//! One event for very many webhooks.

use std::time::Instant;

use super::Scale;
use super::races::compare;
use crate::bench::course::{Course, PATIENCE, Run, per_second};
use crate::bench::measure::{Bound, Measure};
use crate::bench::meter::Meter;
use crate::bench::stack::Stack;
use crate::bench::worker::Who;

/// The least share of what one that only signs and posts reaches.
const SHARE: f64 = 0.75;

/// How many events, one after the other, a worker delivers in its turn; the first one opens
/// connections and is not counted.
const EVENTS: usize = 4;

/// Measures the product beside bare posting and beside the bare loop, which writes down what it
/// does, in turn.
pub(crate) async fn measure(
    name: &str,
    stack: &Stack,
    scale: Scale,
) -> anyhow::Result<Vec<Measure>> {
    let webhooks = scale.choose(500, 10_000);
    let mut course = Course::new(stack).await?;
    course.store_webhooks(webhooks).await;
    let (mut product, mut posting, mut bare) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..scale.choose(1, 3) {
        product.extend(turn(&mut course, Who::Product, webhooks).await?);
        for (who, runs) in [(Who::Posting, &mut posting), (Who::Bare, &mut bare)] {
            let mut course = Course::new(stack).await?;
            runs.extend(turn(&mut course, who, webhooks).await?);
            course.end().await;
        }
    }
    course.end().await;
    let bound = Bound::ShareAtLeast(SHARE, "bare posting");
    let told = Bound::Told("bare posting decides");
    let recorded = format!("{name}, recorded");
    Ok(vec![
        compare(name, &product, &posting, bound),
        compare(&recorded, &product, &bare, told),
    ])
}

/// What counts is the time from when an event is published to the last arrival. The costs are those
/// of the whole turn.
async fn turn(course: &mut Course<'_>, who: Who, webhooks: usize) -> anyhow::Result<Vec<Run>> {
    let meter = Meter::start(course.stack);
    let worker = course.start(who, webhooks).await?;
    let mut rates = Vec::new();
    for number in 0..EVENTS {
        course.sink.expect(webhooks);
        let began = Instant::now();
        course.publish(1).await?;
        course.sink.all_arrived(PATIENCE).await?;
        let rate = per_second(webhooks, began.elapsed());
        course.all_recorded(who, webhooks).await?;
        if number > 0 {
            rates.push(rate);
        }
    }
    let costs = meter.read(&[("worker", worker.group())]);
    worker.stop().await;
    let run = |rate| Run {
        rate,
        costs: costs.clone(),
    };
    Ok(rates.into_iter().map(run).collect())
}
