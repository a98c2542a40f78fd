//! The columns that change with a webhook.

use std::collections::BTreeMap;
use std::time::Duration;

use diesel::prelude::*;
use serde_json::Value;
use webhook_domain::{
    CustomHeaders, Environment, EventPattern, Format, HeaderName, HeaderSecret, HeaderValue,
    OrderingField, RateLimit, RatePeriod, WebhookId, WebhookSettings, WebhookStatus,
};

use crate::column_types::{Bind, bind};
use crate::error::unreadable;
use crate::schema::webhooks;
use crate::{SealingKeys, StoreError};

/// The columns of a webhook's settings, without the custom headers.
#[derive(Insertable, AsChangeset)]
#[diesel(table_name = webhooks, treat_none_as_null = true, treat_none_as_default_value = false)]
pub(super) struct SettingsColumns<'a> {
    name: &'a str,
    url: String,
    environment: Bind<Environment>,
    description: &'a str,
    status: Bind<WebhookStatus>,
    event_types: &'a [EventPattern],
    metadata: Value,
    timeout_ms: Option<i32>,
    max_concurrency: Option<i32>,
    rate_limit: Option<i32>,
    rate_period: Bind<RatePeriod>,
    format: Bind<Format>,
    pace_interval_us: Option<i64>,
    pace_burst: Option<i32>,
    pace_concurrency: Option<i32>,
    ordering_field: Option<&'a str>,
}

impl<'a> SettingsColumns<'a> {
    pub(super) fn of(settings: &'a WebhookSettings) -> Self {
        let delivery_options = &settings.delivery_options;
        let chosen = delivery_options.rate_limit;
        // The format's own pace only: statements prefer the admin's columns, which the version before writes too.
        let pace = settings.body.format().default_pace();
        let concurrency = settings.body.format().default_concurrency();
        let micros = |interval: Duration| i64::try_from(interval.as_micros()).unwrap_or(i64::MAX);
        let millis = |timeout: Duration| i32::try_from(timeout.as_millis()).unwrap_or(i32::MAX);
        Self {
            name: settings.name.as_str(),
            url: settings.url.shown().into_owned(),
            environment: bind(settings.environment),
            description: settings.description.as_str(),
            status: bind(settings.status),
            event_types: settings.events.patterns(),
            metadata: serde_json::json!(settings.metadata.pairs()),
            timeout_ms: delivery_options
                .timeout
                .map(|timeout| millis(timeout.get())),
            max_concurrency: delivery_options
                .max_concurrency
                .map(|limit| limit.get().into()),
            rate_limit: chosen.map(|limit| limit.requests().into()),
            rate_period: bind(chosen.map(RateLimit::per).unwrap_or_default()),
            format: bind(settings.body.format()),
            pace_interval_us: pace.map(|limit| micros(limit.interval())),
            pace_burst: pace.map(|limit| limit.burst().into()),
            pace_concurrency: concurrency.map(|limit| limit.get().into()),
            ordering_field: delivery_options
                .ordering
                .as_ref()
                .map(OrderingField::as_str),
        }
    }
}

/// The columns of the custom headers.
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

/// Opens custom headers, sealed by [`HeaderColumns::seal`].
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
