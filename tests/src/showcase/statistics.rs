//! 30 days of counts by the hour, written by Postgres: more at day than at night, fewer at the
//! weekend, and nothing but failures where a webhook is failing.

use crate::World;

const ROWS: &str = include_str!("statistics.sql");

/// Writes the counts for the webhooks of the moment.
pub(super) async fn write(world: &World) {
    world.database.execute(ROWS).await;
}
