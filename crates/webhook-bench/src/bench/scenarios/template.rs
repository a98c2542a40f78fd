//! Waiting events for a webhook with a template, beside the same events as JSON.

use std::sync::Arc;

use anyhow::Context;
use webhook_domain::{BodyFormat, Template};

use super::races::{compare, plain_drain};
use super::scale::Scale;
use crate::bench::measure::{Bound, Measure};
use crate::bench::stack::Stack;
use crate::bench::testbed::{Run, Testbed};
use crate::bench::worker::Contender;

/// Least rate, as a share of the rate with `json`. Beside the rendering, the record keeps each body.
const MIN_SHARE: f64 = 0.9;

/// A message with the sentence and the link of the event.
const TEMPLATE: &str = r#"{"text": "{{summary}}", "license": "{{data.license_id}}", "seats": "{{data.seats|default:0}}",
    "link": "{{link}}", "at": "{{timestamp|date}}", "key": "{{id}}"}"#;

/// Measures drains with a template and with `json` in turn.
pub(crate) async fn measure(
    name: &str,
    stack: &Stack,
    scale: Scale,
) -> anyhow::Result<Vec<Measure>> {
    let events = scale.choose(2_000, 60_000);
    let (mut rendered, mut plain) = (Vec::new(), Vec::new());
    for _ in 0..scale.choose(1, 3) {
        rendered.push(run(stack, events).await?);
        plain.push(plain_drain(stack, events).await?);
    }
    let bound = Bound::ShareAtLeast(MIN_SHARE, "drain");
    Ok(vec![compare(name, &rendered, &plain, bound)])
}

async fn run(stack: &Stack, events: usize) -> anyhow::Result<Run> {
    let template = Template::parse(TEMPLATE).context("the template of the benchmark")?;
    let mut testbed = Testbed::new(stack).await?;
    testbed
        .store_with(BodyFormat::Custom(Arc::new(template)))
        .await;
    testbed.publish(events).await?;
    let run = testbed.drain(Contender::Product, 1, events).await?;
    testbed.end().await;
    Ok(run)
}
