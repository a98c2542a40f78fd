//! Whether what has ended costs what is to be delivered anything.

use std::process::Command;

use anyhow::{Context, ensure};
use webhook_tests::log;

use super::Scale;
use super::races::{compare, plain_drain};
use crate::bench::course::Course;
use crate::bench::measure::{Bound, Measure};
use crate::bench::sink::Answers;
use crate::bench::stack::Stack;
use crate::bench::worker::Who;

/// The least share of what is reached with an empty log.
const SHARE: f64 = 0.9;

/// What a delivery takes on the disk with its event, attempt and indexes, and what the writing of it
/// takes meanwhile, in bytes.
const BYTES_PER_DELIVERY: usize = 2_000;

/// What has to stay free, in bytes.
const LEFT_FREE: usize = 15_000_000_000;

/// Measures a drain with a long log, beside one with an empty log.
pub(crate) async fn measure(
    name: &str,
    stack: &Stack,
    scale: Scale,
) -> anyhow::Result<Vec<Measure>> {
    let (deliveries, events) = scale.choose((50_000, 2_000), (10_000_000, 60_000));
    let free = free_bytes()?;
    ensure!(
        scale == Scale::Quick || free > deliveries * BYTES_PER_DELIVERY + LEFT_FREE,
        "only {free} bytes of the disk are free"
    );
    let world = stack.world().await;
    log::fill(&world, deliveries).await;
    // What the filling left to be written is not what is measured.
    world.database.execute("CHECKPOINT").await;
    let mut course = Course::with(stack, world, Answers::AtOnce).await?;
    course.store_webhooks(1).await;
    let (mut long, mut empty) = (Vec::new(), Vec::new());
    for _ in 0..scale.choose(1, 5) {
        course.publish(events).await?;
        long.push(course.drain(Who::Product, 1, events).await?);
        empty.push(plain_drain(stack, events).await?);
    }
    course.end().await;
    let bound = Bound::ShareAtLeast(SHARE, "drain");
    Ok(vec![compare(name, &long, &empty, bound)])
}

/// What is free where the servers keep their data.
fn free_bytes() -> anyhow::Result<usize> {
    let told = Command::new("df")
        .args(["--block-size=1", "--output=avail"])
        .arg(std::env::temp_dir())
        .output()
        .context("df")?;
    let told = String::from_utf8(told.stdout)?;
    let free = told.lines().nth(1).context("df told nothing")?;
    Ok(free.trim().parse()?)
}
