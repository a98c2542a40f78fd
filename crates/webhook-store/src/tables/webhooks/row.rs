//! The row of a webhook, read into the domain's types.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use serde_json::Value;
use webhook_domain::{
    AttemptTimeout, BodyFormat, CustomHeaders, DeliveryOptions, Environment, EventPattern,
    EventSelection, Failing, Format, HeaderName, HeaderSecret, HealthFacts, MaxConcurrency,
    Metadata, OrderingField, RateLimit, RatePeriod, RetryPolicy, TemplateVersion,
    WebhookDescription, WebhookHealth, WebhookId, WebhookName, WebhookSettings, WebhookStatus,
};

use super::sealed_url::read_url;
use crate::StoreError;
use crate::error::unreadable;
use crate::schema::webhooks;
use crate::tables::activity::LastAttempt;
use crate::tables::circuits::FailingRow;
use crate::tables::days::Day;

/// A stored webhook, without its secrets.
#[derive(Debug, Clone)]
pub struct Webhook {
    /// The webhook's id, a UUID v7: ids sort in the order of creation.
    pub id: WebhookId,
    /// Counts the changes, from 1.
    pub version: i64,
    /// The settings. Header values are not read: each header is `HeaderSecret::Stored`. A sealed URL stays
    /// sealed.
    pub settings: WebhookSettings,
    /// The version of the template in use; `None`: the format is another than `custom`.
    pub template_version: Option<TemplateVersion>,
    /// Why the platform set the webhook Inactive; `None`: the platform did not.
    pub disabled_reason: Option<String>,
    /// The failures in a row, while the webhook is failing.
    pub failing: Option<Failing>,
    /// The end of the hold that the receiver asked for, past or to come; `None`: no hold.
    pub held_until: Option<DateTime<Utc>>,
    /// The latest attempt, attempts of test events left out.
    pub last_attempt: Option<LastAttempt>,
    /// The last 24 hours, up to a few seconds ago; `None`: no attempt.
    pub day: Option<Day>,
    /// Since when attempts count for the health; `None`: since the creation.
    pub health_since: Option<DateTime<Utc>>,
    /// The time of creation.
    pub created_at: DateTime<Utc>,
    /// The time of the latest change.
    pub updated_at: DateTime<Utc>,
}

impl Webhook {
    /// The health at `now`.
    pub fn health(&self, now: DateTime<Utc>) -> WebhookHealth {
        let facts = HealthFacts {
            status: self.settings.status,
            disabled_reason: self.disabled_reason.as_deref(),
            failing: self.failing,
            held_until: self.held_until,
            attempted_at: self.last_attempt.as_ref().map(|last| last.attempted_at),
            counts_since: self.health_since,
        };
        WebhookHealth::of(&facts, now)
    }
}

/// The columns of a webhook without those of its secrets.
#[derive(Queryable, Selectable)]
#[diesel(table_name = webhooks, check_for_backend(diesel::pg::Pg))]
pub(super) struct Row {
    pub(super) id: WebhookId,
    version: i64,
    name: String,
    url: String,
    #[diesel(select_expression = webhooks::sealed_url.is_not_null())]
    has_sealed_url: bool,
    environment: Environment,
    description: String,
    status: WebhookStatus,
    disabled_reason: Option<String>,
    event_types: Vec<EventPattern>,
    header_names: Vec<String>,
    metadata: Value,
    timeout_ms: Option<i32>,
    max_concurrency: Option<i32>,
    rate_limit: Option<i32>,
    rate_period: RatePeriod,
    pub(super) format: Format,
    pub(super) template_version: Option<i32>,
    ordering_field: Option<String>,
    health_since: Option<DateTime<Utc>>,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
}

/// The rows of other tables beside a webhook's.
pub(super) type Beside = (Option<FailingRow>, Option<LastAttempt>, Option<Day>);

impl Row {
    fn delivery_options(
        &self,
        retry_policy: Option<RetryPolicy>,
    ) -> Result<DeliveryOptions, StoreError> {
        let ordering = self.ordering_field.as_deref().map(OrderingField::parse);
        Ok(DeliveryOptions {
            max_concurrency: limit(self.max_concurrency, MaxConcurrency::new)?,
            rate_limit: limit(self.rate_limit, |requests| {
                RateLimit::new(requests, self.rate_period)
            })?,
            ordering: ordering.transpose().map_err(unreadable)?,
            retry_policy,
            timeout: limit(self.timeout_ms, AttemptTimeout::from_millis)?,
        })
    }

    pub(super) fn read(
        self,
        (failing, last_attempt, day): Beside,
        retry_policy: Option<RetryPolicy>,
        body: BodyFormat,
    ) -> Result<Webhook, StoreError> {
        let delivery_options = self.delivery_options(retry_policy)?;
        let settings = WebhookSettings {
            name: WebhookName::parse(&self.name).map_err(unreadable)?,
            url: read_url(&self.url, self.format, self.has_sealed_url)?,
            environment: self.environment,
            description: WebhookDescription::parse(&self.description).map_err(unreadable)?,
            status: self.status,
            events: EventSelection::new(self.event_types).map_err(unreadable)?,
            body,
            headers: stored_headers(&self.header_names)?,
            metadata: read_metadata(self.metadata)?,
            delivery_options,
        };
        Ok(Webhook {
            id: self.id,
            version: self.version,
            settings,
            template_version: self.template_version.map(TemplateVersion),
            disabled_reason: self.disabled_reason,
            held_until: failing.as_ref().and_then(FailingRow::held_until),
            failing: failing.and_then(FailingRow::read),
            last_attempt,
            day,
            health_since: self.health_since,
            created_at: self.created_at,
            updated_at: self.updated_at,
        })
    }
}

fn limit<T>(
    column: Option<i32>,
    new: impl Fn(u64) -> Result<T, String>,
) -> Result<Option<T>, StoreError> {
    let read = column.map(|number| new(u64::from(number.unsigned_abs())));
    read.transpose().map_err(unreadable)
}

fn stored_headers(names: &[String]) -> Result<CustomHeaders, StoreError> {
    let mut headers = CustomHeaders::default();
    for name in names {
        let name = HeaderName::parse(name).map_err(unreadable)?;
        headers
            .set(name, HeaderSecret::Stored)
            .map_err(unreadable)?;
    }
    Ok(headers)
}

fn read_metadata(column: Value) -> Result<Metadata, StoreError> {
    let pairs: BTreeMap<String, String> = serde_json::from_value(column).map_err(unreadable)?;
    let mut metadata = Metadata::default();
    for (name, value) in pairs {
        metadata.set(&name, &value).map_err(unreadable)?;
    }
    Ok(metadata)
}
