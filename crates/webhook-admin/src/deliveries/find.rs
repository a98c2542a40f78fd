//! Finds a delivery with its attempts.

use chrono::{DateTime, TimeDelta, Utc};
use serde::Serialize;
use utoipa::ToSchema;
use webhook_domain::{DeliveryId, DeliveryStatus, JobId};
use webhook_store::deliveries::{self, DeliveryRow, ManualRetryRow};
use webhook_store::{RawConnection, attempts, events, retry_policies, webhooks};

use super::attempt::AttemptBody;
use super::body::DeliveryBody;
use crate::connections::Connections;
use crate::refusal::Refusal;

/// A delivery with its attempts, requests and responses.
#[derive(Serialize, ToSchema)]
pub struct DeliveryWithAttempts {
    /// The delivery itself.
    #[serde(flatten)]
    pub delivery: DeliveryBody,
    /// The event, byte for byte, which is the body of every request without a `request_body` of its own; `null`: the
    /// event is not kept any more.
    pub request_body: Option<String>,
    /// The attempts, oldest first.
    pub attempts: Vec<AttemptBody>,
    /// The manual retries, oldest first.
    pub resends: Vec<ResendBody>,
    /// The times of the remaining attempts as long as each fails, without jitter. Empty when the delivery
    /// has ended, or waits for earlier deliveries of the same ordering key.
    pub schedule: Vec<DateTime<Utc>>,
}

/// A manual retry of a delivery.
#[derive(Serialize, ToSchema)]
#[schema(as = Resend)]
pub struct ResendBody {
    /// When the retry was requested.
    pub requested_at: DateTime<Utc>,
    /// How many attempts were recorded before the retry.
    pub after_attempt: i32,
    /// `resend`: the delivery had succeeded; `retry`: the delivery had not; `replay`: the webhook had missed the
    /// event.
    #[schema(value_type = String, pattern = "^(resend|retry|replay)$")]
    pub kind: ManualRetry,
    /// The name of the API key that requested the retry.
    pub actor_name: String,
    /// The job that made the retry; `null`: a single retry.
    #[schema(value_type = Option<Uuid>)]
    pub job_id: Option<JobId>,
}

/// The kind of a manual retry, by the status of the delivery before.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ManualRetry {
    /// The delivery had succeeded.
    Resend,
    /// The delivery was pending, had failed or was cancelled.
    Retry,
    /// The webhook had missed the event.
    Replay,
}

/// Finds a delivery with its attempts.
pub async fn find_delivery(
    id: DeliveryId,
    connections: &Connections,
) -> Result<DeliveryWithAttempts, Refusal> {
    let mut connection = connections.acquire().await?;
    let delivery = deliveries::find(&mut connection, id).await?;
    let delivery = delivery.ok_or(Refusal::NotFound("delivery"))?;
    DeliveryWithAttempts::read(&mut connection, delivery).await
}

impl DeliveryWithAttempts {
    /// Reads the attempts, the manual retries and the schedule of a delivery.
    pub async fn read(
        connection: &mut RawConnection,
        delivery: DeliveryRow,
    ) -> Result<Self, Refusal> {
        let attempts = attempts::list(connection, delivery.id).await?;
        let resends = deliveries::list_manual_retries(connection, delivery.id).await?;
        let body = events::find_body(connection, delivery.event_id).await?;
        let url = webhooks::find_shown_url(connection, delivery.webhook_id).await?;
        Ok(Self {
            request_body: body.map(|body| String::from_utf8_lossy(&body).into_owned()),
            attempts: attempts
                .into_iter()
                .map(|attempt| AttemptBody::of(attempt, url.as_ref()))
                .collect(),
            resends: resends.into_iter().map(ResendBody::from).collect(),
            schedule: read_schedule(connection, &delivery).await?,
            delivery: delivery.into(),
        })
    }
}

async fn read_schedule(
    connection: &mut RawConnection,
    delivery: &DeliveryRow,
) -> Result<Vec<DateTime<Utc>>, Refusal> {
    let Some(next) = delivery.next_attempt_at else {
        return Ok(Vec::new());
    };
    if delivery.status != DeliveryStatus::Pending {
        return Ok(Vec::new());
    }
    // A test event is attempted once.
    if delivery.test {
        return Ok(vec![next]);
    }
    let policy =
        retry_policies::find_for(connection, delivery.webhook_id, delivery.environment).await?;
    let made = (delivery.attempts - delivery.schedule_from).unsigned_abs();
    // `next` already includes the delay before the next attempt.
    let later = policy.schedule_after(made).scan(next, |time, delay| {
        *time += TimeDelta::from_std(delay).unwrap_or(TimeDelta::MAX);
        Some(*time)
    });
    Ok(std::iter::once(next).chain(later).collect())
}

impl From<ManualRetryRow> for ResendBody {
    fn from(row: ManualRetryRow) -> Self {
        Self {
            requested_at: row.requested_at,
            after_attempt: row.after_attempt,
            kind: match row.status_before.as_str() {
                "succeeded" => ManualRetry::Resend,
                "missed" => ManualRetry::Replay,
                _ => ManualRetry::Retry,
            },
            actor_name: row.actor_name,
            job_id: row.job_id,
        }
    }
}
