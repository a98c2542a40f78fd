//! Deliveries that failed once and are due again, all at once.

use super::Scale;
use super::races::{compare, plain_drain};
use crate::bench::course::{Course, MEASURED, Run};
use crate::bench::measure::{Bound, Measure};
use crate::bench::stack::Stack;
use crate::bench::worker::Who;

/// The least share of what the same number of first attempts reaches.
const SHARE: f64 = 0.6;

/// What a worker has left behind whose webhook was away for a while: bodies as large as elsewhere.
const DUE: &str = "
    CREATE TEMP TABLE due AS SELECT n, pg_temp.id_at(n) AS id FROM generate_series(1, {due}) AS n;
    INSERT INTO events (id, event_type, environment, occurred_at, body, matched)
    SELECT id, '{type}', 'production', now(), convert_to(rpad(
        '{\"id\":\"' || id || '\",\"type\":\"{type}\",\"environment\":\"production\",\"timestamp\":\"2026-11-23T08:15:30.123Z\",\"data\":{\"padding\":\"',
        497, 'x') || '\"}}', 'UTF8'), true
    FROM due;
    INSERT INTO deliveries (id, event_id, webhook_id, event_type, environment, status, attempts,
        last_answer, next_attempt_at)
    SELECT due.id, due.id, webhooks.id, '{type}', 'production', 'pending', 1, 500,
        now() - interval '1 s'
    FROM due, webhooks;
    INSERT INTO attempts (delivery_id, number, started_at, duration_ms, response_status, failure_class)
    SELECT id, 1, now() - interval '10 s', 1, 500, 'status' FROM due;
    ANALYZE events; ANALYZE deliveries; ANALYZE attempts";

/// Ids tell their time in their first 48 bits.
const ID_AT: &str = "
    CREATE FUNCTION pg_temp.id_at(n bigint) RETURNS uuid LANGUAGE sql AS $$
        SELECT (lpad(to_hex((extract(epoch FROM now()) * 1000)::bigint), 12, '0')
            || '70008' || lpad(to_hex(n), 15, '0'))::uuid
    $$;";

/// Measures it beside a drain, in turn.
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
    let bound = Bound::ShareAtLeast(SHARE, "drain");
    Ok(vec![compare(name, &retries, &drains, bound)])
}

async fn run(stack: &Stack, due: usize) -> anyhow::Result<Run> {
    let mut course = Course::new(stack).await?;
    course.store_webhooks(1).await;
    let rows = DUE.replace("{due}", &due.to_string());
    let rows = rows.replace("{type}", MEASURED.as_str());
    course
        .world
        .database
        .execute(&format!("{ID_AT}{rows}"))
        .await;
    let run = course.drain(Who::Product, 1, due).await?;
    let twice = "SELECT count(*) FROM attempts WHERE number = 2 AND response_status = 200";
    course.counts("second attempts", twice, due).await?;
    course.end().await;
    Ok(run)
}
