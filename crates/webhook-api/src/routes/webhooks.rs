//! Webhooks: what is told of one, and everything that can be done with them.

use std::collections::BTreeMap;

use actix_web::HttpResponse;
use actix_web::http::header::ETAG;
use chrono::{DateTime, TimeDelta, Utc};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;
use webhook_domain::{
    Circuit, Failing, FailureClass, MaxConcurrency, OrderingField, RateLimit, WebhookSettings,
};
use webhook_store::RawConnection;
use webhook_store::activity::{self, Counts, LastAttempt};
use webhook_store::webhooks::Webhook;

use webhook_admin::Refusal;
use webhook_admin::retry_policies::{RetryPolicyBody, millis};
use webhook_admin::schema;
use webhook_admin::version::etag;

// One webhook: made, read, changed.
mod documents;
pub(crate) mod settings;

pub(crate) mod change;
pub(crate) mod create;
pub(crate) mod diagnosis;
pub(crate) mod read;
pub(crate) mod replay;
pub(crate) mod secret;
pub(crate) mod status;
pub(crate) mod test_event;

// Many at once.
pub(crate) mod bulk;
pub(crate) mod export;
pub(crate) mod import;

/// What an admin decided about a webhook, its secrets aside.
#[derive(Serialize, ToSchema)]
#[schema(as = WebhookSettings)]
pub(crate) struct SettingsBody {
    #[schema(example = "CRM")]
    pub(crate) name: String,
    #[schema(example = "https://hooks.example.com/in")]
    pub(crate) url: String,
    #[schema(value_type = schema::EnvironmentName)]
    pub(crate) environment: &'static str,
    pub(crate) description: String,
    #[schema(value_type = schema::StatusName)]
    pub(crate) status: &'static str,
    /// As they were chosen.
    #[schema(value_type = Vec<schema::EventPatternName>)]
    pub(crate) event_types: Vec<String>,
    pub(crate) metadata: BTreeMap<String, String>,
    /// Its own policy; `null`: its environment's.
    pub(crate) retry_policy: Option<RetryPolicyBody>,
    /// How long one attempt may take, in milliseconds; `null`: as its retry policy says.
    pub(crate) timeout_ms: Option<u64>,
    /// Requests at once per dispatcher; `null`: the dispatcher's own default.
    pub(crate) max_concurrency: Option<u16>,
    /// Requests per second from all dispatchers together; `null`: no limit.
    pub(crate) rate_limit: Option<u16>,
    #[schema(value_type = schema::OrderingName)]
    pub(crate) ordering: &'static str,
    /// The field of `data` to order by; `null` without order.
    pub(crate) ordering_key: Option<String>,
}

/// A webhook.
#[derive(Serialize, ToSchema)]
#[schema(as = Webhook)]
pub(crate) struct WebhookBody {
    pub(crate) id: Uuid,
    /// Counts its changes, from 1; also its `ETag`.
    pub(crate) version: i64,
    #[serde(flatten)]
    pub(crate) settings: SettingsBody,
    /// The names of its own headers; their values are not shown.
    pub(crate) header_names: Vec<String>,
    /// Why the platform set it Inactive, when it did.
    pub(crate) disabled_reason: Option<String>,
    /// Since when every attempt has failed; `null`: it is healthy.
    pub(crate) failing_since: Option<DateTime<Utc>>,
    /// Whether it gets requests, or only probes after a pause because it kept failing.
    pub(crate) circuit: CircuitBody,
    /// Until when its receiver asked to get no requests (`Retry-After`): its deliveries wait until
    /// then and lose no attempt. `null`: it did not ask, or that time is over.
    pub(crate) held_until: Option<DateTime<Utc>>,
    /// What its latest attempt was for; `null`: there was none yet.
    pub(crate) last_delivery: Option<LastDeliveryBody>,
    /// Since the full hour 24 hours ago.
    pub(crate) last_24h: CountsBody,
    pub(crate) created_at: DateTime<Utc>,
    pub(crate) updated_at: DateTime<Utc>,
}

/// Whether a webhook gets requests.
#[derive(Serialize, ToSchema)]
#[schema(as = Circuit)]
pub(crate) struct CircuitBody {
    /// `closed`: it does; `open`: it gets a probe when the pause is over.
    #[schema(example = "closed")]
    pub(crate) state: &'static str,
    /// When the pause is over.
    pub(crate) open_until: Option<DateTime<Utc>>,
}

/// The delivery of a webhook's latest attempt.
#[derive(Serialize, ToSchema)]
#[schema(as = LastDelivery)]
pub(crate) struct LastDeliveryBody {
    pub(crate) id: Uuid,
    /// What it was after the attempt.
    #[schema(value_type = schema::DeliveryStatusName)]
    pub(crate) status: &'static str,
    pub(crate) attempted_at: DateTime<Utc>,
    /// `null` when there was no answer.
    pub(crate) response_status: Option<i32>,
    /// Why the attempt failed, when it did.
    #[schema(value_type = Option<schema::FailureClassName>)]
    pub(crate) failure_class: Option<&'static str>,
}

/// What was done for a webhook in some time.
#[derive(Serialize, ToSchema)]
#[schema(as = Counts)]
pub(crate) struct CountsBody {
    /// Requests that were made.
    pub(crate) attempts: i64,
    /// Those of them that failed.
    pub(crate) failed_attempts: i64,
    /// Deliveries that were accepted.
    pub(crate) succeeded: i64,
    /// Deliveries that were given up.
    pub(crate) failed: i64,
    /// The share of attempts that were accepted, 0 to 1; `null` without attempts.
    pub(crate) success_rate: Option<f64>,
}

/// The answer with one webhook and its tag.
fn answer(webhook: WebhookBody) -> HttpResponse {
    HttpResponse::Ok()
        .insert_header((ETAG, etag(webhook.version)))
        .json(webhook)
}

/// Adds what was counted.
async fn with_counts(
    connection: &mut RawConnection,
    webhooks: Vec<Webhook>,
) -> Result<Vec<WebhookBody>, Refusal> {
    let ids: Vec<_> = webhooks.iter().map(|webhook| webhook.id).collect();
    let since = Utc::now() - TimeDelta::hours(24);
    let counted = activity::count_since(connection, &ids, since).await?;
    let bodies = webhooks.into_iter().map(|webhook| {
        let counts = counted.get(&webhook.id).copied().unwrap_or_default();
        WebhookBody::of(webhook, counts)
    });
    Ok(bodies.collect())
}

/// Adds what was counted for one.
async fn with_count(
    connection: &mut RawConnection,
    webhook: Webhook,
) -> Result<WebhookBody, Refusal> {
    let mut bodies = with_counts(connection, vec![webhook]).await?;
    bodies.pop().ok_or(Refusal::NotFound("webhook"))
}

impl WebhookBody {
    fn of(webhook: Webhook, counts: Counts) -> Self {
        Self {
            id: webhook.id.0,
            version: webhook.version,
            header_names: webhook
                .settings
                .headers
                .names()
                .map(str::to_owned)
                .collect(),
            settings: (&webhook.settings).into(),
            disabled_reason: webhook.disabled_reason,
            failing_since: webhook.failing.map(|failing| failing.since),
            circuit: webhook.failing.into(),
            held_until: webhook.held_until.filter(|until| *until > Utc::now()),
            last_delivery: webhook.last_attempt.map(LastDeliveryBody::from),
            last_24h: counts.into(),
            created_at: webhook.created_at,
            updated_at: webhook.updated_at,
        }
    }
}

impl From<&WebhookSettings> for SettingsBody {
    fn from(settings: &WebhookSettings) -> Self {
        let serving = &settings.serving;
        let patterns = settings.events.patterns().iter();
        Self {
            name: settings.name.as_str().to_owned(),
            url: settings.url.as_str().to_owned(),
            environment: settings.environment.as_str(),
            description: settings.description.as_str().to_owned(),
            status: settings.status.as_str(),
            event_types: patterns.map(ToString::to_string).collect(),
            metadata: settings.metadata.pairs().clone(),
            retry_policy: serving.retry_policy.as_ref().map(RetryPolicyBody::from),
            timeout_ms: serving.timeout.map(|timeout| millis(timeout.get())),
            max_concurrency: serving.max_concurrency.map(MaxConcurrency::get),
            rate_limit: serving.rate_limit.map(RateLimit::get),
            ordering: serving.ordering.as_ref().map_or("none", |_| "by_key"),
            ordering_key: serving
                .ordering
                .as_ref()
                .map(OrderingField::as_str)
                .map(str::to_owned),
        }
    }
}

impl From<Option<Failing>> for CircuitBody {
    fn from(failing: Option<Failing>) -> Self {
        let circuit = failing.map_or(Circuit::Closed, |failing| failing.circuit);
        let (state, open_until) = match circuit {
            Circuit::Closed => ("closed", None),
            Circuit::Open { until, .. } => ("open", Some(until)),
        };
        Self { state, open_until }
    }
}

impl From<LastAttempt> for LastDeliveryBody {
    fn from(last: LastAttempt) -> Self {
        Self {
            id: last.delivery_id.0,
            status: last.delivery_status.as_str(),
            attempted_at: last.attempted_at,
            response_status: last.response_status,
            failure_class: last.failure_class.map(FailureClass::as_str),
        }
    }
}

impl From<Counts> for CountsBody {
    fn from(counts: Counts) -> Self {
        let accepted = counts.attempts - counts.failed_attempts;
        #[allow(clippy::cast_precision_loss, reason = "a share needs no 53 bits")]
        let rate = accepted as f64 / counts.attempts as f64;
        Self {
            attempts: counts.attempts,
            failed_attempts: counts.failed_attempts,
            succeeded: counts.succeeded,
            failed: counts.failed,
            success_rate: (counts.attempts > 0).then_some(rate),
        }
    }
}
