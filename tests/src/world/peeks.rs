//! Counts from the tables, for facts behind the public doors. A count for a single test stays in the
//! test.

use super::Database;

impl Database {
    /// Events taken in by dispatchers.
    pub async fn events(&self) -> i64 {
        self.ask("SELECT count(*) FROM events").await
    }

    /// Deliveries of any status.
    pub async fn deliveries(&self) -> i64 {
        self.ask("SELECT count(*) FROM deliveries").await
    }

    /// Pending deliveries.
    pub async fn pending(&self) -> i64 {
        self.ask("SELECT count(*) FROM deliveries WHERE status = 'pending'")
            .await
    }

    /// Succeeded deliveries.
    pub async fn delivered(&self) -> i64 {
        self.ask("SELECT count(*) FROM deliveries WHERE status = 'succeeded'")
            .await
    }

    /// Succeeded deliveries of a webhook.
    pub async fn delivered_to(&self, webhook_id: &str) -> i64 {
        self.ask(&format!(
            "SELECT count(*) FROM deliveries WHERE webhook_id = '{webhook_id}' AND status = 'succeeded'"
        ))
        .await
    }

    /// Deliveries in the backlog (`backlog` is 0), in the hands of no worker.
    pub async fn in_backlog(&self) -> i64 {
        self.ask("SELECT count(*) FROM deliveries WHERE backlog = 0")
            .await
    }

    /// Deliveries in the backlog without an attempt.
    pub async fn unattempted_in_backlog(&self) -> i64 {
        self.ask("SELECT count(*) FROM deliveries WHERE backlog = 0 AND attempts = 0")
            .await
    }

    /// Recorded attempts.
    pub async fn attempts(&self) -> i64 {
        self.ask("SELECT count(*) FROM attempts").await
    }

    /// Recorded attempts with a failure.
    pub async fn failed_attempts(&self) -> i64 {
        self.ask("SELECT count(*) FROM attempts WHERE failure_class IS NOT NULL")
            .await
    }

    /// Deliveries with a recorded attempt or more.
    pub async fn attempted(&self) -> i64 {
        self.ask("SELECT count(DISTINCT delivery_id) FROM attempts")
            .await
    }

    /// The most failures in a row of any webhook.
    pub async fn failures_in_a_row(&self) -> i64 {
        self.ask("SELECT coalesce(max(failures), 0)::bigint FROM webhook_health")
            .await
    }

    /// Rejected messages in the database, written by dispatchers.
    pub async fn set_aside(&self) -> i64 {
        self.ask("SELECT count(*) FROM rejected_messages").await
    }
}
