//! A webhook in JSON: settings, circuit, latest delivery and counts.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::{Serialize, Serializer};
use serde_json::value::RawValue;
use utoipa::ToSchema;
use webhook_domain::{
    Circuit, DeliveryId, DeliveryStatus, Environment, EventPattern, EventSelection, EventType,
    Failing, FailureClass, Format, MaxConcurrency, OrderingField, StatusFilter, Template,
    TemplateVersion, WebhookHealth, WebhookId, WebhookSettings, WebhookStatus,
};
use webhook_store::RawConnection;
use webhook_store::activity::{self, Counts, LastAttempt};
use webhook_store::days::Day;
use webhook_store::webhooks::Webhook;

use super::settings::{Ordering, RateLimitBody};
use crate::refusal::Refusal;
use crate::retry_policies::{RetryPolicyBody, millis};
use crate::schema;

/// The settings of a webhook, without the secret, the values of headers and a secret URL.
#[derive(Serialize, ToSchema)]
#[schema(as = WebhookSettings)]
pub struct SettingsBody {
    /// The name in lists and in the audit log.
    #[schema(example = "CRM")]
    pub name: String,
    /// Where requests are sent; of a secret URL scheme, host and the last four characters.
    #[schema(example = "https://hooks.example.com/in")]
    pub url: String,
    /// Whether the URL is a password: always for `slack`, `discord` and `teams`, else by choice.
    pub url_is_secret: bool,
    /// The environment whose events the webhook receives.
    #[schema(value_type = schema::EnvironmentName)]
    pub environment: Environment,
    /// The purpose of the webhook, in an admin's words.
    pub description: String,
    /// Whether the webhook receives events.
    #[schema(value_type = schema::StatusName)]
    pub status: WebhookStatus,
    /// The chosen patterns: a group stays a group.
    #[schema(value_type = Vec<schema::EventPatternName>)]
    #[serde(serialize_with = "write_patterns")]
    pub event_types: Vec<EventPattern>,
    /// The format of the requests: `json` is the event as published.
    #[schema(value_type = schema::FormatName)]
    pub format: Format,
    /// The template of the format `custom`; `null`: the format is another one.
    #[schema(value_type = Option<schema::TemplateDocument>)]
    pub template: Option<Box<RawValue>>,
    /// Pairs of text for the admin's own use; never sent.
    pub metadata: BTreeMap<String, String>,
    /// The webhook's own retry policy; `null`: the policy of the environment.
    pub retry_policy: Option<RetryPolicyBody>,
    /// How long one attempt may take, in milliseconds; `null`: the timeout of the retry policy.
    pub timeout_ms: Option<u64>,
    /// Parallel requests per dispatcher; `null`: 1 for `slack`, `discord` and `teams`, else the dispatcher's own
    /// default.
    pub max_concurrency: Option<u16>,
    /// The most requests from all dispatchers together: a number per second, or the requests of a minute; `null`: the
    /// limit of the format, which only `slack` (1 per second), `discord` (25 per minute) and `teams` (30 per
    /// minute) have.
    pub rate_limit: Option<RateLimitBody>,
    /// Whether events with the same value of `ordering_key` are sent one after another.
    #[schema(value_type = schema::OrderingName)]
    pub ordering: Ordering,
    /// The field of `data` to order by; `null` without order.
    pub ordering_key: Option<String>,
}

/// A webhook.
#[derive(Serialize, ToSchema)]
#[schema(as = Webhook)]
pub struct WebhookBody {
    /// The webhook's id, a UUID v7.
    #[schema(value_type = Uuid)]
    pub id: WebhookId,
    /// Counts the changes of the settings, from 1; also the `ETag`.
    pub version: i64,
    /// The settings.
    #[serde(flatten)]
    pub settings: SettingsBody,
    /// The version of the template in use, from 1; `null`: the format is another than `custom`.
    #[schema(value_type = Option<u32>, example = 3)]
    pub template_version: Option<TemplateVersion>,
    /// Why deliveries may fail or lack something, in sentences: in the answer to a creation or a change. Empty in
    /// other answers.
    pub warnings: Vec<String>,
    /// The names of the webhook's own headers; values are not shown.
    pub header_names: Vec<String>,
    /// Why the platform set the webhook Inactive; `null` for an Active webhook, or if an admin did.
    pub disabled_reason: Option<String>,
    /// How deliveries to the webhook go: `failing`: attempts fail; `paused`: the circuit is open, as attempts
    /// kept failing; `held`: the receiver asked for no requests; `stopped`: the platform set the webhook
    /// Inactive; `unknown`: no event was sent since the webhook was created, activated, or given another
    /// URL; `healthy`: attempts are accepted; `inactive`: an admin set the webhook Inactive. Test events
    /// do not count.
    #[schema(value_type = schema::WebhookHealthName)]
    pub health: WebhookHealth,
    /// Since when every attempt has failed; `null`: the latest attempt was accepted.
    pub failing_since: Option<DateTime<Utc>>,
    /// Whether requests are sent, or only probes after a pause because attempts kept failing.
    pub circuit: CircuitBody,
    /// Until when the receiver asked for no requests (`Retry-After`): deliveries wait until then and
    /// lose no attempt. `null`: the receiver did not ask, or the time is over.
    pub held_until: Option<DateTime<Utc>>,
    /// The delivery of the latest attempt, test events left out; `null`: there was no attempt yet.
    pub last_delivery: Option<LastDeliveryBody>,
    /// Counts of the last 24 hours, the current one included. Test events do not count.
    pub last_24h: CountsBody,
    /// When the webhook was created.
    pub created_at: DateTime<Utc>,
    /// When the settings last changed.
    pub updated_at: DateTime<Utc>,
}

/// Whether a webhook's circuit lets requests through.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum CircuitState {
    /// Due deliveries are sent.
    Closed,
    /// Deliveries wait; a single probe is sent when the pause is over.
    Open,
}

/// Whether a webhook's circuit lets requests through, and until when not.
#[derive(Serialize, ToSchema)]
#[schema(as = Circuit)]
pub struct CircuitBody {
    /// `closed`: requests are sent; `open`: a single probe is sent when the pause is over.
    #[schema(value_type = String, example = "closed")]
    pub state: CircuitState,
    /// When the pause is over; `null` while the circuit is closed.
    pub open_until: Option<DateTime<Utc>>,
}

/// The delivery of a webhook's latest attempt.
#[derive(Serialize, ToSchema)]
#[schema(as = LastDelivery)]
pub struct LastDeliveryBody {
    /// The delivery's id.
    #[schema(value_type = Uuid)]
    pub id: DeliveryId,
    /// The delivery's status after the attempt.
    #[schema(value_type = schema::DeliveryStatusName)]
    pub status: DeliveryStatus,
    /// When the attempt began.
    pub attempted_at: DateTime<Utc>,
    /// The status of the response; `null` without a response.
    pub response_status: Option<i32>,
    /// Why the attempt failed; `null` for an accepted attempt.
    #[schema(value_type = Option<schema::FailureClassName>)]
    pub failure_class: Option<FailureClass>,
}

/// How many deliveries and attempts a webhook had in a span of time.
#[derive(Serialize, ToSchema)]
#[schema(as = Counts)]
pub struct CountsBody {
    /// Sent requests.
    pub attempts: i64,
    /// Failed requests.
    pub failed_attempts: i64,
    /// Accepted deliveries.
    pub succeeded: i64,
    /// Deliveries without a retry left, all failed.
    pub failed: i64,
    /// The share of accepted requests, 0 to 1; `null` without requests.
    pub success_rate: Option<f64>,
    /// The time within which 95 % of the requests ended, in milliseconds, up to a few seconds old. `null`
    /// without requests.
    pub p95_ms: Option<i32>,
}

/// Adds the counts of the last 24 hours to webhooks.
pub(crate) async fn with_counts(
    connection: &mut RawConnection,
    webhooks: Vec<Webhook>,
) -> Result<Vec<WebhookBody>, Refusal> {
    let ids: Vec<_> = webhooks.iter().map(|webhook| webhook.id).collect();
    let since = activity::last_day(Utc::now());
    let counted = activity::count_since(connection, &ids, since).await?;
    let bodies = webhooks.into_iter().map(|webhook| {
        let counts = counted.get(&webhook.id).copied().unwrap_or_default();
        WebhookBody::of(webhook, counts)
    });
    Ok(bodies.collect())
}

/// Adds the counts of the last 24 hours to a webhook.
pub(super) async fn with_count(
    connection: &mut RawConnection,
    webhook: Webhook,
) -> Result<WebhookBody, Refusal> {
    let mut bodies = with_counts(connection, vec![webhook]).await?;
    bodies.pop().ok_or(Refusal::NotFound("webhook"))
}

impl WebhookBody {
    fn of(webhook: Webhook, counts: Counts) -> Self {
        let names = webhook.settings.headers.names();
        let now = Utc::now();
        let health = webhook.health(now);
        Self {
            id: webhook.id,
            version: webhook.version,
            template_version: webhook.template_version,
            warnings: Vec::new(),
            header_names: names.map(str::to_owned).collect(),
            settings: (&webhook.settings).into(),
            disabled_reason: webhook.disabled_reason,
            health,
            failing_since: webhook.failing.map(|failing| failing.since),
            circuit: webhook.failing.into(),
            // A hold that is over stays stored until the next attempt.
            held_until: webhook.held_until.filter(|until| *until > now),
            last_delivery: webhook.last_attempt.map(LastDeliveryBody::from),
            last_24h: CountsBody::of(counts, webhook.day),
            created_at: webhook.created_at,
            updated_at: webhook.updated_at,
        }
    }

    /// Whether attempts fail while the webhook is Active. The failures of an Inactive webhook are old:
    /// the receiver may work again.
    pub fn is_failing(&self) -> bool {
        self.health.is_failing()
    }

    /// The webhook's health where a list shows more than Active or Inactive. `None`: all is said.
    pub fn remarkable_health(&self) -> Option<WebhookHealth> {
        let said = [WebhookHealth::Healthy, WebhookHealth::Inactive];
        Some(self.health).filter(|health| !said.contains(health))
    }
}

impl SettingsBody {
    /// Whether the webhook receives events.
    pub fn is_active(&self) -> bool {
        self.status == WebhookStatus::Active
    }

    /// The event types of all patterns.
    pub fn subscribed_types(&self) -> Vec<EventType> {
        let events = EventSelection::new(self.event_types.iter().copied());
        events.map_or_else(|_| Vec::new(), |events| events.types().collect())
    }
}

impl From<&WebhookSettings> for SettingsBody {
    fn from(settings: &WebhookSettings) -> Self {
        let delivery_options = &settings.delivery_options;
        let ordering_key = delivery_options
            .ordering
            .as_ref()
            .map(OrderingField::as_str);
        Self {
            name: settings.name.as_str().to_owned(),
            url: settings.url.shown().into_owned(),
            url_is_secret: settings.url.is_secret(),
            environment: settings.environment,
            description: settings.description.as_str().to_owned(),
            status: settings.status,
            event_types: settings.events.patterns().to_vec(),
            format: settings.body.format(),
            template: settings.body.template().map(template_document),
            metadata: settings.metadata.pairs().clone(),
            retry_policy: delivery_options
                .retry_policy
                .as_ref()
                .map(RetryPolicyBody::from),
            timeout_ms: delivery_options
                .timeout
                .map(|timeout| millis(timeout.get())),
            max_concurrency: delivery_options.max_concurrency.map(MaxConcurrency::get),
            rate_limit: delivery_options.rate_limit.map(RateLimitBody::of),
            ordering: ordering_key.map_or(Ordering::None, |_| Ordering::ByKey),
            ordering_key: ordering_key.map(str::to_owned),
        }
    }
}

impl From<Option<Failing>> for CircuitBody {
    fn from(failing: Option<Failing>) -> Self {
        let circuit = failing.map_or(Circuit::Closed, |failing| failing.circuit);
        let (state, open_until) = match circuit {
            Circuit::Closed => (CircuitState::Closed, None),
            Circuit::Open { until, .. } => (CircuitState::Open, Some(until)),
        };
        Self { state, open_until }
    }
}

impl From<LastAttempt> for LastDeliveryBody {
    fn from(last: LastAttempt) -> Self {
        Self {
            id: last.delivery_id,
            status: last.delivery_status,
            attempted_at: last.attempted_at,
            response_status: last.response_status,
            failure_class: last.failure_class,
        }
    }
}

impl LastDeliveryBody {
    /// The status with pending deliveries told apart, as in the list of deliveries: an attempt was made, so
    /// a pending delivery is retried.
    pub fn detailed_status(&self) -> StatusFilter {
        StatusFilter::of(self.status, 1)
    }
}

impl CountsBody {
    fn of(counts: Counts, day: Option<Day>) -> Self {
        let accepted = counts.attempts - counts.failed_attempts;
        #[allow(clippy::cast_precision_loss, reason = "a share needs no 53 bits")]
        let rate = accepted as f64 / counts.attempts as f64;
        Self {
            attempts: counts.attempts,
            failed_attempts: counts.failed_attempts,
            succeeded: counts.succeeded,
            failed: counts.failed,
            success_rate: (counts.attempts > 0).then_some(rate),
            p95_ms: day.and_then(|day| day.p95_ms),
        }
    }
}

/// A template as JSON, byte for byte as saved.
fn template_document(template: &Template) -> Box<RawValue> {
    let text = template.source().to_owned();
    RawValue::from_string(text).expect("a parsed template is JSON")
}

/// Writes patterns as texts: `["license.*"]`.
fn write_patterns<S: Serializer>(
    patterns: &[EventPattern],
    serializer: S,
) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(patterns.iter().map(ToString::to_string))
}
