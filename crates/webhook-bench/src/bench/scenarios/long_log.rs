//! The cost of millions of ended deliveries for new deliveries.

use std::process::Command;

use anyhow::{Context, ensure};
use webhook_tests::log;

use super::races::{compare, plain_drain};
use super::scale::Scale;
use crate::bench::measure::{Bound, Measure};
use crate::bench::sink::Answers;
use crate::bench::stack::Stack;
use crate::bench::testbed::Testbed;
use crate::bench::worker::Contender;

/// Least rate with a long log, as a share of the rate with an empty log.
const MIN_SHARE: f64 = 0.9;

/// Size of a delivery on disk, in bytes: event, attempt, indexes, and the write-ahead log of writing
/// all of these.
const BYTES_PER_DELIVERY: usize = 2_000;

/// Free space left on the disk, in bytes.
const RESERVED_BYTES: usize = 15_000_000_000;

/// Measures a drain with a long log, beside a drain with an empty log.
pub(crate) async fn measure(
    name: &str,
    stack: &Stack,
    scale: Scale,
) -> anyhow::Result<Vec<Measure>> {
    let (deliveries, events) = scale.choose((50_000, 2_000), (10_000_000, 60_000));
    ensure_disk_space(scale, deliveries)?;
    let world = stack.world().await;
    log::fill(&world, deliveries).await;
    // Dirty pages of the filling would be written during the measurement.
    world.database.execute("CHECKPOINT").await;
    let mut testbed = Testbed::with(stack, world, Answers::AtOnce).await?;
    testbed.store_webhooks(1).await;
    let (mut long, mut empty) = (Vec::new(), Vec::new());
    for _ in 0..scale.choose(1, 5) {
        testbed.publish(events).await?;
        long.push(testbed.drain(Contender::Product, 1, events).await?);
        empty.push(plain_drain(stack, events).await?);
    }
    testbed.end().await;
    let bound = Bound::ShareAtLeast(MIN_SHARE, "drain");
    Ok(vec![compare(name, &long, &empty, bound)])
}

/// Fails when the disk has too little room for a log of this size.
pub(super) fn ensure_disk_space(scale: Scale, deliveries: usize) -> anyhow::Result<()> {
    let free = free_bytes()?;
    ensure!(
        scale == Scale::Quick || free > deliveries * BYTES_PER_DELIVERY + RESERVED_BYTES,
        "only {free} bytes of the disk are free"
    );
    Ok(())
}

/// Free bytes of the disk with the data of the servers.
fn free_bytes() -> anyhow::Result<usize> {
    let output = Command::new("df")
        .args(["--block-size=1", "--output=avail"])
        .arg(std::env::temp_dir())
        .output()
        .context("cannot run df")?;
    let output = String::from_utf8(output.stdout)?;
    let free = output.lines().nth(1).context("df printed no second line")?;
    Ok(free.trim().parse()?)
}
