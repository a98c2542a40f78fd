//! What webhooks that hang or fail cost those that do not.
//!
//! They want the other types, a few webhooks each: an event for all of them at once would be a burst
//! of work whether they fail or not. These events come in turn with those that are timed.

use std::time::Duration;

use tokio_util::sync::CancellationToken;
use webhook_domain::EventType;

use super::Scale;
use super::latency::{Timed, time};
use crate::bench::course::{Course, MEASURED};
use crate::bench::load;
use crate::bench::measure::{Bound, Measure};
use crate::bench::sink::{Answers, Sink};
use crate::bench::stack::Stack;

/// How many webhooks hang, and how many fail, for each of the 20 other types: 100 of each kind.
const OF_EACH: usize = 5;

/// How often an event comes for ten of them: 400 deliveries a second.
const PAUSE: Duration = Duration::from_millis(25);

/// Longer than any attempt may take.
const FOR_EVER: Duration = Duration::from_secs(3_600);

/// How many times as long an event may take beside them.
const TIMES: f64 = 1.5;

/// Measures it alone and beside them, in turn.
pub(crate) async fn measure(
    name: &str,
    stack: &Stack,
    scale: Scale,
) -> anyhow::Result<Vec<Measure>> {
    let (mut alone, mut beside) = (Vec::new(), Vec::new());
    for _ in 0..scale.choose(1, 3) {
        let mut course = Course::new(stack).await?;
        course.store_webhooks(1).await;
        alone.push(time(&mut course, scale).await?);
        course.end().await;
        beside.push(time_beside_others(stack, scale).await?);
    }
    let percentile = |timed: &[Timed], percent: usize| -> Vec<f64> {
        timed.iter().map(|t| t.percentile_ms(percent)).collect()
    };
    let compared = |which: &str, percent, bound| {
        Measure::new(
            &format!("{name} {which}"),
            "ms",
            &percentile(&beside, percent),
            bound,
        )
        .beside(&percentile(&alone, percent))
    };
    let costs = |timed: &[Timed]| timed.last().map(|t| t.costs.clone()).unwrap_or_default();
    Ok(vec![
        compared("p50", 50, Bound::Told("p99 decides")),
        compared("p99", 99, Bound::ShareAtMost(TIMES, "p99 alone"))
            .costing(costs(&beside), costs(&alone)),
    ])
}

async fn time_beside_others(stack: &Stack, scale: Scale) -> anyhow::Result<Timed> {
    let mut course = Course::new(stack).await?;
    course.store_webhooks(1).await;
    let hanging = Sink::start(Answers::After(FOR_EVER)).await?;
    let failing = Sink::start(Answers::WithFailure).await?;
    let others = EventType::ALL.iter().filter(|other| **other != MEASURED);
    let others: Vec<EventType> = others.copied().collect();
    for other in &others {
        course.store(&hanging, OF_EACH, *other).await;
        course.store(&failing, OF_EACH, *other).await;
    }
    let enough = CancellationToken::new();
    let (publisher, told) = (course.publisher.clone(), enough.clone());
    let load = tokio::spawn(async move {
        let mut published = 0;
        let mut pause = tokio::time::interval(PAUSE);
        for other in others.into_iter().cycle() {
            pause.tick().await;
            if told.is_cancelled() {
                break;
            }
            load::publish(&publisher, 1, other).await?;
            published += 1;
        }
        anyhow::Ok(published)
    });
    let timed = time(&mut course, scale).await?;
    enough.cancel();
    let published = load.await??;
    anyhow::ensure!(
        hanging.arrived() > 0 && failing.arrived() > 0,
        "nobody hung or failed"
    );
    let sql = format!("SELECT count(*) FROM deliveries WHERE event_type <> '{MEASURED}'");
    // What came after the worker was stopped still waits in the queue.
    let taken_in: i64 = course
        .ask(&format!(
            "SELECT count(*) FROM events WHERE event_type <> '{MEASURED}'"
        ))
        .await?;
    anyhow::ensure!(
        published - taken_in <= 10,
        "{taken_in} of {published} were taken in"
    );
    let owed = usize::try_from(taken_in)? * OF_EACH * 2;
    course
        .counts("what is owed to the others", &sql, owed)
        .await?;
    course.end().await;
    Ok(timed)
}
