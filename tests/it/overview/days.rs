//! Ended days of an environment become rows of a day, and the overview counts as before.

use serde_json::Value;
use webhook_store::environment_hours::sum_up_days;
use webhook_tests::Platform;

/// Counts of two dispatchers in each hour of 20 days, of two event types.
const TWENTY_DAYS: &str = include_str!("twenty_days.sql");

/// A count of a day that is a row already, recorded late by another dispatcher.
const RECORDED_LATE: &str = "INSERT INTO environment_hours
    SELECT 'production', date_trunc('hour', now()) - interval '5 days', 'license.created', gen_random_uuid(),
           7, 0, 7, 0";

/// More attempts than 32 bits hold.
const MANY: &str = "INSERT INTO environment_hours
    SELECT 'production', date_trunc('hour', now()) - hours * interval '1 hour', 'license.revoked',
           gen_random_uuid(), 2000000000, 0, 0, 0 FROM generate_series(100, 130) AS hours";

async fn overview(platform: &Platform, span: &str) -> Value {
    let path = format!("/api/v1/overview?environment=production&span={span}");
    let read = platform.get(&path).await;
    serde_json::json!([read["total"], read["data"], read["event_types"]])
}

/// The number of rows before the hours that stay.
async fn rows_of_ended_days(platform: &Platform) -> i64 {
    let count = "SELECT count(*) FROM environment_hours
        WHERE hour < date_trunc('day', now() - interval '1 day', 'UTC')";
    platform.world.database.ask(count).await
}

async fn sum_up(platform: &Platform) {
    let mut connection = platform.world.database.connection().await;
    let now = chrono::Utc::now();
    sum_up_days(&mut connection, now).await.expect("sums");
}

#[tokio::test(flavor = "multi_thread")]
async fn ended_days_become_a_row_and_count_the_same() {
    let platform = Platform::new().await;
    platform.world.database.execute(TWENTY_DAYS).await;
    let spans = ["7d", "30d"];
    let mut before = Vec::new();
    for span in spans {
        before.push(overview(&platform, span).await);
    }
    assert!(rows_of_ended_days(&platform).await > 1_700);

    sum_up(&platform).await;
    sum_up(&platform).await;

    for (span, before) in spans.into_iter().zip(before) {
        assert_eq!(overview(&platform, span).await, before, "{span}");
    }
    assert!(rows_of_ended_days(&platform).await <= 40);
    platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_count_that_is_recorded_late_joins_its_day() {
    let platform = Platform::new().await;
    platform.world.database.execute(TWENTY_DAYS).await;
    sum_up(&platform).await;
    let (rows, before) = (
        rows_of_ended_days(&platform).await,
        overview(&platform, "30d").await,
    );
    platform.world.database.execute(RECORDED_LATE).await;

    sum_up(&platform).await;

    let after = overview(&platform, "30d").await;
    assert_eq!(rows_of_ended_days(&platform).await, rows);
    let succeeded = |overview: &Value| overview[0]["succeeded"].as_i64();
    assert_eq!(succeeded(&after), succeeded(&before).map(|count| count + 7));
    platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_day_with_more_attempts_than_32_bits_hold_stays_in_hours() {
    let platform = Platform::new().await;
    platform.world.database.execute(MANY).await;

    let rows = rows_of_ended_days(&platform).await;
    sum_up(&platform).await;

    let read = overview(&platform, "30d").await;
    assert_eq!(read[0]["attempts"], 62_000_000_000_i64);
    assert_eq!(rows_of_ended_days(&platform).await, rows);
    platform.end().await;
}
