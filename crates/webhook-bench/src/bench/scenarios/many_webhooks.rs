//! The cost of webhooks without a subscription to the event.

use super::races::{compare, plain_drain};
use super::scale::Scale;
use crate::bench::measure::{Bound, Measure};
use crate::bench::stack::Stack;
use crate::bench::testbed::{OTHER_TYPE, Testbed};
use crate::bench::worker::Contender;

/// Least rate, as a share of the rate with a single webhook.
const MIN_SHARE: f64 = 0.95;

/// Measures a drain with one subscribed webhook among many, beside a drain with the webhook alone.
pub(crate) async fn measure(
    name: &str,
    stack: &Stack,
    scale: Scale,
) -> anyhow::Result<Vec<Measure>> {
    let (webhooks, events) = scale.choose((500, 3_000), (10_000, 60_000));
    let mut testbed = Testbed::new(stack).await?;
    testbed.store_webhooks(1).await;
    testbed.store(&testbed.sink, webhooks - 1, OTHER_TYPE).await;
    let (mut many, mut one) = (Vec::new(), Vec::new());
    for _ in 0..scale.choose(1, 5) {
        testbed.publish(events).await?;
        many.push(testbed.drain(Contender::Product, 1, events).await?);
        one.push(plain_drain(stack, events).await?);
    }
    testbed.end().await;
    let bound = Bound::ShareAtLeast(MIN_SHARE, "drain");
    Ok(vec![compare(name, &many, &one, bound)])
}
