//! How long an upgrade of the schema holds up statements on tables with millions of rows.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::Context;
use tokio_postgres::{Client, NoTls};
use webhook_store::migrations;
use webhook_tests::log;

use super::long_log::ensure_disk_space;
use super::scale::Scale;
use crate::bench::measure::{Bound, Measure};
use crate::bench::stack::Stack;

/// The commit of the release before this one, and the folder of its last migration, such as
/// `2026-11-28-000021_portal_url`.
const PREVIOUS_RELEASE: &str = include_str!("../../../../../deploy/dev/previous-release");

/// Longest wait of a statement, in milliseconds.
const MAX_WAIT_MS: f64 = 1_000.0;

/// A transaction that is open while the upgrade begins, as a slow report or a dump is.
const REPORT_LASTS: Duration = Duration::from_secs(5);

/// What the services do all the time to the large tables and to the statistics.
const WRITES: [&str; 3] = [
    include_str!("upgrade/insert_event.sql"),
    include_str!("upgrade/update_delivery.sql"),
    include_str!("upgrade/count_attempt.sql"),
];

/// Measures the longest statement of writers while the schema of the release before becomes the present one.
pub(crate) async fn measure(
    name: &str,
    stack: &Stack,
    scale: Scale,
) -> anyhow::Result<Vec<Measure>> {
    let deliveries = scale.choose(20_000, 10_000_000);
    ensure_disk_space(scale, deliveries)?;
    let world = stack.world().await;
    log::fill(&world, deliveries).await;
    let url = world.database.url.clone();
    migrations::revert_behind(&url, &last_version()?).await?;
    world.database.execute("CHECKPOINT").await;
    let enough = Arc::new(AtomicBool::new(false));
    let writers =
        WRITES.map(|statement| tokio::spawn(write(url.clone(), statement, enough.clone())));
    let reader = connect(&url).await?;
    reader
        .batch_execute("BEGIN; SELECT count(*) FROM (SELECT FROM events LIMIT 1) AS one")
        .await?;
    let report = tokio::spawn(async move {
        // The pause is the report.
        tokio::time::sleep(scale.choose(REPORT_LASTS / 10, REPORT_LASTS)).await;
        reader.batch_execute("COMMIT").await
    });

    let began = Instant::now();
    let applied = migrations::run(&url).await?;
    let took = began.elapsed();

    report.await??;
    enough.store(true, Ordering::Relaxed);
    let mut waits = Vec::new();
    for writer in writers {
        waits.push(writer.await??.as_secs_f64() * 1_000.0);
    }
    world.end().await;
    let longest = waits.into_iter().fold(0.0, f64::max);
    let what = format!(
        "{name}: longest wait of a writer, {} migrations",
        applied.len()
    );
    let lasted = format!(
        "{name}: all of it, beside a report of {} s",
        REPORT_LASTS.as_secs()
    );
    Ok(vec![
        Measure::new(&what, "ms", &[longest], Bound::AtMost(MAX_WAIT_MS)),
        Measure::new(
            &lasted,
            "s",
            &[took.as_secs_f64()],
            Bound::Unbounded("waits for the report"),
        ),
    ])
}

/// The version of the last migration of the release before this one.
fn last_version() -> anyhow::Result<String> {
    let folder = PREVIOUS_RELEASE.lines().nth(1);
    let date_and_number = folder.and_then(|folder| folder.split('_').next());
    let version = date_and_number.context("previous-release has no second line")?;
    Ok(version.replace('-', ""))
}

/// Repeats a statement until `enough`, and returns the longest time of one.
async fn write(url: String, statement: &str, enough: Arc<AtomicBool>) -> anyhow::Result<Duration> {
    let client = connect(&url).await?;
    let mut longest = Duration::ZERO;
    while !enough.load(Ordering::Relaxed) {
        let began = Instant::now();
        client
            .execute(statement, &[])
            .await
            .context(statement.to_owned())?;
        longest = longest.max(began.elapsed());
    }
    Ok(longest)
}

async fn connect(url: &str) -> anyhow::Result<Client> {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await?;
    tokio::spawn(connection);
    Ok(client)
}
