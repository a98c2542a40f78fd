//! A webhook's row, between the columns and the domain.

use std::collections::BTreeMap;
use std::time::Duration;

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use serde_json::Value;
use uuid::Uuid;
use webhook_domain::{
    AttemptTimeout, CustomHeaders, EventSelection, HeaderName, HeaderSecret, HeaderValue,
    MaxConcurrency, Metadata, OrderingField, RateLimit, RetryPolicy, Serving, WebhookDescription,
    WebhookId, WebhookName, WebhookSettings, WebhookUrl,
};

use super::Webhook;
use crate::activity::ActivityRow;
use crate::error::{name, unreadable};
use crate::health::FailingRow;
use crate::schema::webhooks;
use crate::{SealingKeys, StoreError};

/// What is read of a webhook, its secrets aside.
#[derive(Queryable, Selectable)]
#[diesel(table_name = webhooks, check_for_backend(diesel::pg::Pg))]
pub(super) struct Row {
    pub(super) id: Uuid,
    version: i64,
    name: String,
    url: String,
    environment: String,
    description: String,
    status: String,
    disabled_reason: Option<String>,
    event_types: Vec<String>,
    header_names: Vec<String>,
    metadata: Value,
    timeout_ms: Option<i32>,
    max_concurrency: Option<i32>,
    rate_limit: Option<i32>,
    ordering_field: Option<String>,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
}

impl Row {
    pub(super) fn read(
        self,
        failing: Option<FailingRow>,
        activity: Option<ActivityRow>,
        retry_policy: Option<RetryPolicy>,
    ) -> Result<Webhook, StoreError> {
        let serving = Serving {
            max_concurrency: limit(self.max_concurrency, MaxConcurrency::new)?,
            rate_limit: limit(self.rate_limit, RateLimit::new)?,
            ordering: self
                .ordering_field
                .map(|field| OrderingField::parse(&field))
                .transpose()
                .map_err(unreadable)?,
            retry_policy,
            timeout: limit(self.timeout_ms, AttemptTimeout::from_millis)?,
        };
        let patterns = self.event_types.iter().map(|text| name(text));
        let patterns = patterns.collect::<Result<Vec<_>, _>>()?;
        let settings = WebhookSettings {
            name: WebhookName::parse(&self.name).map_err(unreadable)?,
            url: WebhookUrl::from_stored(&self.url).map_err(unreadable)?,
            environment: name(&self.environment)?,
            description: WebhookDescription::parse(&self.description).map_err(unreadable)?,
            status: name(&self.status)?,
            events: EventSelection::new(patterns).map_err(unreadable)?,
            headers: stored_headers(&self.header_names)?,
            metadata: read_metadata(self.metadata)?,
            serving,
        };
        Ok(Webhook {
            id: WebhookId(self.id),
            version: self.version,
            settings,
            disabled_reason: self.disabled_reason,
            held_until: failing.as_ref().and_then(FailingRow::held_until),
            failing: failing.and_then(FailingRow::read),
            last_attempt: activity.map(ActivityRow::read).transpose()?,
            created_at: self.created_at,
            updated_at: self.updated_at,
        })
    }
}

fn limit<T>(
    column: Option<i32>,
    new: fn(u64) -> Result<T, String>,
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

/// The columns that hold what an admin decided, headers aside.
#[derive(Insertable, AsChangeset)]
#[diesel(table_name = webhooks, treat_none_as_null = true, treat_none_as_default_value = false)]
pub(super) struct SettingsColumns<'a> {
    name: &'a str,
    url: &'a str,
    environment: &'a str,
    description: &'a str,
    status: &'a str,
    event_types: Vec<String>,
    metadata: Value,
    timeout_ms: Option<i32>,
    max_concurrency: Option<i32>,
    rate_limit: Option<i32>,
    ordering_field: Option<&'a str>,
}

impl<'a> SettingsColumns<'a> {
    pub(super) fn of(settings: &'a WebhookSettings) -> Self {
        let patterns = settings.events.patterns().iter();
        let serving = &settings.serving;
        let millis = |timeout: Duration| i32::try_from(timeout.as_millis()).unwrap_or(i32::MAX);
        Self {
            name: settings.name.as_str(),
            url: settings.url.as_str(),
            environment: settings.environment.as_str(),
            description: settings.description.as_str(),
            status: settings.status.as_str(),
            event_types: patterns.map(ToString::to_string).collect(),
            metadata: serde_json::json!(settings.metadata.pairs()),
            timeout_ms: serving.timeout.map(|timeout| millis(timeout.get())),
            max_concurrency: serving.max_concurrency.map(|limit| limit.get().into()),
            rate_limit: serving.rate_limit.map(|limit| limit.get().into()),
            ordering_field: serving.ordering.as_ref().map(OrderingField::as_str),
        }
    }
}

/// The columns that hold custom headers.
#[derive(Insertable, AsChangeset)]
#[diesel(table_name = webhooks, treat_none_as_null = true, treat_none_as_default_value = false)]
pub(super) struct HeaderColumns {
    header_names: Vec<String>,
    sealed_headers: Option<Vec<u8>>,
}

impl HeaderColumns {
    /// Seals headers whose values are all given.
    pub(super) fn seal(keys: &SealingKeys, id: WebhookId, headers: &CustomHeaders) -> Self {
        let values = headers.iter().filter_map(|(name, value)| match value {
            HeaderSecret::Given(value) => Some((name.as_str(), value.reveal())),
            HeaderSecret::Stored => None,
        });
        let values: BTreeMap<&str, &str> = values.collect();
        let json = serde_json::to_string(&values).expect("texts are JSON");
        Self {
            header_names: values.keys().map(ToString::to_string).collect(),
            sealed_headers: (!values.is_empty()).then(|| keys.seal(id.0, &json)),
        }
    }
}

/// Opens what [`HeaderColumns::seal`] sealed.
pub(crate) fn open_headers(
    keys: &SealingKeys,
    id: WebhookId,
    sealed: Option<&[u8]>,
) -> Result<CustomHeaders, StoreError> {
    let mut headers = CustomHeaders::default();
    let Some(sealed) = sealed else {
        return Ok(headers);
    };
    let json = keys.open(id.0, sealed)?;
    let values: BTreeMap<String, String> = serde_json::from_str(&json).map_err(unreadable)?;
    for (name, value) in values {
        let name = HeaderName::parse(&name).map_err(unreadable)?;
        let value = HeaderValue::parse(&value).map_err(unreadable)?;
        headers
            .set(name, HeaderSecret::Given(value))
            .map_err(unreadable)?;
    }
    Ok(headers)
}
