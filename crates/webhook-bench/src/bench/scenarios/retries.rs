//! Deliveries due for a second attempt, all at the same time.

use super::races::{compare, plain_drain};
use super::scale::Scale;
use crate::bench::measure::{Bound, Measure};
use crate::bench::stack::Stack;
use crate::bench::testbed::{MEASURED_TYPE, Run, Testbed};
use crate::bench::worker::Contender;

/// Least rate, as a share of the rate of first attempts.
const MIN_SHARE: f64 = 0.6;

/// The rows after an outage of the webhook: each delivery has failed once. Bodies have the usual size.
const DUE: &str = include_str!("retries/due.sql");

/// UUIDs v7: the first 48 bits are the time.
const ID_AT: &str = include_str!("retries/id_at.sql");

/// Measures retries and a drain in turn.
pub(crate) async fn measure(
    name: &str,
    stack: &Stack,
    scale: Scale,
) -> anyhow::Result<Vec<Measure>> {
    let due = scale.choose(2_500, 50_000);
    let (mut retries, mut drains) = (Vec::new(), Vec::new());
    for _ in 0..scale.choose(1, 3) {
        retries.push(run(stack, due).await?);
        drains.push(plain_drain(stack, due).await?);
    }
    let bound = Bound::ShareAtLeast(MIN_SHARE, "drain");
    Ok(vec![compare(name, &retries, &drains, bound)])
}

async fn run(stack: &Stack, due: usize) -> anyhow::Result<Run> {
    let mut testbed = Testbed::new(stack).await?;
    testbed.store_webhooks(1).await;
    let rows = DUE.replace("{due}", &due.to_string());
    let rows = rows.replace("{type}", MEASURED_TYPE.as_str());
    testbed
        .world
        .database
        .execute(&format!("{ID_AT}{rows}"))
        .await;
    let run = testbed.drain(Contender::Product, 1, due).await?;
    let twice = "SELECT count(*) FROM attempts WHERE number = 2 AND response_status = 200";
    testbed.counts("second attempts", twice, due).await?;
    testbed.end().await;
    Ok(run)
}
