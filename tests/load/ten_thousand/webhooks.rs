//! 10,000 webhooks of every kind, as a platform keeps them.

use chrono::Utc;
use webhook_store::environment_hours::sum_up_days;
use webhook_tests::World;

/// 10,000 webhooks with their latest attempts, a day of counts each, and 30 days of counts per environment.
const WEBHOOKS: &str = include_str!("webhooks.sql");

/// Adds the webhooks. Ended days are summed up, as dispatchers sum them up every five minutes: a day at a time, so
/// that the table never holds the hours of 30 days.
pub(crate) async fn add_webhooks(world: &World) {
    world.database.execute(WEBHOOKS).await;
    let mut connection = world.database.connection().await;
    sum_up_days(&mut connection, Utc::now())
        .await
        .expect("sums");
    world
        .database
        .execute("VACUUM FULL environment_hours")
        .await;
}
