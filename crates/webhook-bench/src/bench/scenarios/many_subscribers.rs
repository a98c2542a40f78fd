//! A single event for thousands of webhooks.

use std::time::Instant;

use super::races::compare;
use super::scale::Scale;
use crate::bench::measure::{Bound, Measure};
use crate::bench::meter::Meter;
use crate::bench::stack::Stack;
use crate::bench::testbed::{MAX_WAIT, Run, Testbed, per_second};
use crate::bench::worker::Contender;

/// Least rate, as a share of bare signing and posting.
const MIN_SHARE: f64 = 0.75;

/// Events in a turn of a worker, one after the other. The first event opens connections and is not
/// counted.
const EVENTS_PER_TURN: usize = 4;

/// Measures the product, bare posting and the bare loop (posting and recording) in turn.
pub(crate) async fn measure(
    name: &str,
    stack: &Stack,
    scale: Scale,
) -> anyhow::Result<Vec<Measure>> {
    let webhooks = scale.choose(500, 10_000);
    let mut testbed = Testbed::new(stack).await?;
    testbed.store_webhooks(webhooks).await;
    let (mut product, mut posting, mut bare) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..scale.choose(1, 3) {
        product.extend(turn(&mut testbed, Contender::Product, webhooks).await?);
        for (contender, runs) in [
            (Contender::Posting, &mut posting),
            (Contender::Bare, &mut bare),
        ] {
            let mut testbed = Testbed::new(stack).await?;
            runs.extend(turn(&mut testbed, contender, webhooks).await?);
            testbed.end().await;
        }
    }
    testbed.end().await;
    let bound = Bound::ShareAtLeast(MIN_SHARE, "bare posting");
    let undecided = Bound::Unbounded("bare posting decides");
    let recorded = format!("{name}, recorded");
    Ok(vec![
        compare(name, &product, &posting, bound),
        compare(&recorded, &product, &bare, undecided),
    ])
}

/// Measures the time from publishing an event to the last arrival. The costs are of the whole turn.
async fn turn(
    testbed: &mut Testbed<'_>,
    contender: Contender,
    webhooks: usize,
) -> anyhow::Result<Vec<Run>> {
    let meter = Meter::start(testbed.stack);
    let worker = testbed.start(contender, webhooks).await?;
    let mut rates = Vec::new();
    for number in 0..EVENTS_PER_TURN {
        testbed.sink.expect(webhooks);
        let began = Instant::now();
        testbed.publish(1).await?;
        testbed.sink.all_arrived(MAX_WAIT).await?;
        let rate = per_second(webhooks, began.elapsed());
        testbed.all_recorded(contender, webhooks).await?;
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
