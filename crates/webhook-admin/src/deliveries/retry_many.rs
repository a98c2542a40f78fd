//! Retries all matching deliveries, with a job.

use chrono::{DateTime, Utc};
use utoipa::ToSchema;
use webhook_domain::{
    AuditAction, Environment, EventId, EventType, JobRate, ResponseRange, StatusFilter, WebhookId,
};
use webhook_store::SealingKeys;
use webhook_store::deliveries::DeliveryFilter;
use webhook_store::jobs::JobScope;

use crate::caller::Caller;
use crate::connections::Connections;
use crate::creation::{Creation, CreationRequest};
use crate::fields::Fields;
use crate::jobs::{JobCount, NewJob};
use crate::refusal::Refusal;
use crate::request;
use crate::schema;
use crate::values::{parse_bool, parse_search, parse_time};

request! {
    /// Deliveries to be retried: the filters of the list, and a rate.
    #[derive(ToSchema)]
    pub struct RetryDeliveries {
        /// The webhook of the deliveries.
        #[schema(value_type = Option<Uuid>)]
        webhook_id: Option<WebhookId> = optional(str::parse),
        /// A text in the webhook's name, in upper or lower case.
        #[schema(max_length = 200)]
        search: Option<String> = optional(parse_search),
        /// The event of the deliveries.
        #[schema(value_type = Option<Uuid>)]
        event_id: Option<EventId> = optional(str::parse),
        /// The event type of the deliveries.
        #[schema(value_type = Option<schema::EventTypeName>, inline)]
        event_type: Option<EventType> = optional(str::parse),
        /// The environment of the deliveries.
        #[schema(value_type = Option<schema::EnvironmentName>, inline)]
        environment: Option<Environment> = optional(str::parse),
        /// The status of the deliveries; `failed` when left out.
        #[schema(value_type = Option<schema::StatusFilterName>, inline)]
        status: Option<StatusFilter> = optional(str::parse),
        /// The result of the latest attempt, as in the list.
        #[schema(value_type = Option<schema::ResponseText>, inline)]
        response: Option<ResponseRange> = optional(str::parse),
        /// The earliest creation time.
        since: Option<DateTime<Utc>> = optional(parse_time),
        /// The end of the creation times; a delivery created at `until` is left out.
        until: Option<DateTime<Utc>> = optional(parse_time),
        /// Deliveries per second, 100 when left out. A low rate leaves room for new deliveries.
        #[schema(value_type = Option<u16>, minimum = 1, maximum = 5_000)]
        rate: Option<JobRate> = whole(JobRate::new),
    }
}

impl RetryDeliveries {
    fn filter(self) -> DeliveryFilter {
        DeliveryFilter {
            webhook_id: self.webhook_id,
            search: self.search,
            event_id: self.event_id,
            event_type: self.event_type,
            environment: self.environment,
            // Without filters a retry must not send succeeded deliveries again.
            status: self.status.or(Some(StatusFilter::Failed)),
            response: self.response,
            since: self.since,
            until: self.until,
        }
    }
}

/// A job for retries, to be started or only to be counted.
pub struct NewRetry {
    scope: JobScope,
    rate: JobRate,
    /// Whether the deliveries are only counted.
    pub dry_run: bool,
}

impl NewRetry {
    /// Reads a [`RetryDeliveries`] in JSON, and `dry_run` in a query.
    pub fn parse(body: &[u8], query: &str) -> Result<Self, Refusal> {
        let mut query = Fields::of_query(query);
        let dry_run = query.optional("dry_run", parse_bool).unwrap_or_default();
        let mut fields = Fields::of_body(body)?;
        let request = RetryDeliveries::take(&mut fields);
        let request = query.and(fields).end_with(request)?;
        Ok(Self {
            rate: request.rate.unwrap_or_default(),
            // Up to now: deliveries created while the job runs must not keep it running.
            scope: JobScope::Retry(request.filter()).up_to_now(),
            dry_run,
        })
    }

    fn job(&self) -> NewJob<'_> {
        NewJob {
            scope: &self.scope,
            rate: self.rate,
            action: AuditAction::DeliveriesRetried,
            subject: "deliveries",
        }
    }
}

/// Counts the deliveries of a job without starting the job.
pub async fn count_deliveries(
    retry: &NewRetry,
    connections: &Connections,
) -> Result<JobCount, Refusal> {
    let mut connection = connections.acquire().await?;
    retry.job().count(&mut connection).await
}

/// Starts a job for retries, the oldest delivery first, once per `Idempotency-Key`.
pub async fn retry_deliveries(
    retry: &NewRetry,
    request: CreationRequest<'_>,
    caller: &Caller,
    connections: &Connections,
    sealing_keys: &SealingKeys,
) -> Result<Creation, Refusal> {
    let mut connection = connections.acquire().await?;
    let job = retry.job();
    job.start(&mut connection, sealing_keys, caller, request)
        .await
}
