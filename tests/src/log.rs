//! The log of a platform after 30 days of use, written by Postgres.

use crate::World;

/// Deliveries of an event. An event of 11 has no delivery.
const OWED: usize = 5;

/// 1,000 webhooks.
const WEBHOOKS: &str = include_str!("log/webhooks.sql");

/// `{events}` events of all types and environments.
const EVENTS: &str = include_str!("log/events.sql");

/// `{owed}` deliveries of each event.
const DELIVERIES: &str = include_str!("log/deliveries.sql");

/// Attempts, and the exchanges of the last week.
const ATTEMPTS: &str = include_str!("log/attempts.sql");

/// Writes `deliveries` deliveries of the last 30 days, with events, attempts and webhooks.
pub async fn fill(world: &World, deliveries: usize) {
    let events = (deliveries / OWED * 11 / 10).to_string();
    let rows = [WEBHOOKS, EVENTS, DELIVERIES, ATTEMPTS].concat();
    let rows = rows.replace("{events}", &events);
    let rows = rows.replace("{owed}", &OWED.to_string());
    world.database.execute(&rows).await;
    world.database.execute("VACUUM ANALYZE").await;
}
