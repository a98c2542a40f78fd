//! Whether webhooks that want other events cost anything.

use super::Scale;
use super::races::{compare, plain_drain};
use crate::bench::course::{Course, OTHER};
use crate::bench::measure::{Bound, Measure};
use crate::bench::stack::Stack;
use crate::bench::worker::Who;

/// The least share of what is reached when there is but the one.
const SHARE: f64 = 0.95;

/// Measures a drain with many webhooks of which one is subscribed, beside one with that one alone.
pub(crate) async fn measure(
    name: &str,
    stack: &Stack,
    scale: Scale,
) -> anyhow::Result<Vec<Measure>> {
    let (webhooks, events) = scale.choose((500, 3_000), (10_000, 60_000));
    let mut course = Course::new(stack).await?;
    course.store_webhooks(1).await;
    course.store(&course.sink, webhooks - 1, OTHER).await;
    let (mut many, mut one) = (Vec::new(), Vec::new());
    for _ in 0..scale.choose(1, 5) {
        course.publish(events).await?;
        many.push(course.drain(Who::Product, 1, events).await?);
        one.push(plain_drain(stack, events).await?);
    }
    course.end().await;
    let bound = Bound::ShareAtLeast(SHARE, "drain");
    Ok(vec![compare(name, &many, &one, bound)])
}
