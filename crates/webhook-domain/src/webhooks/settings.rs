//! The settings of a webhook: everything that an admin decides except the secret.

use crate::names::names;
use crate::{
    AttemptTimeout, BodyFormat, CustomHeaders, Environment, EventSelection, MaxConcurrency,
    Metadata, OrderingField, RateLimit, RetryPolicy, UrlSetting, WebhookDescription, WebhookName,
};

/// The settings of a webhook. Every field is valid by its type.
#[derive(Debug, Clone, PartialEq)]
pub struct WebhookSettings {
    /// The name in lists and messages.
    pub name: WebhookName,
    /// The target URL, open or secret.
    pub url: UrlSetting,
    /// The environment whose events the webhook receives.
    pub environment: Environment,
    /// The admin's notes.
    pub description: WebhookDescription,
    /// Active or Inactive.
    pub status: WebhookStatus,
    /// The selected event types.
    pub events: EventSelection,
    /// How the bodies of the requests are written.
    pub body: BodyFormat,
    /// Headers that the admin adds to the platform's own headers.
    pub headers: CustomHeaders,
    /// Pairs of text, kept for the admin.
    pub metadata: Metadata,
    /// Rate, concurrency, order and retries.
    pub delivery_options: DeliveryOptions,
}

names! {
    /// Whether a webhook receives deliveries.
    WebhookStatus, "status" {
        /// Every event that the webhook selects becomes a delivery.
        Active = "active",
        /// No event becomes a delivery, and pending deliveries wait.
        Inactive = "inactive",
    }
}

/// How a webhook is served. The default limits nothing and keeps no order.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct DeliveryOptions {
    /// The most requests at once per dispatcher. `None`: the concurrency of the webhook's format, or
    /// the dispatcher's default.
    pub max_concurrency: Option<MaxConcurrency>,
    /// The most requests per second or minute from all dispatchers together. `None`: the limit of the
    /// webhook's format.
    pub rate_limit: Option<RateLimit>,
    /// The field of `data` that orders deliveries. `None`: deliveries have no order.
    pub ordering: Option<OrderingField>,
    /// The webhook's own retry policy. `None`: the default of the environment.
    pub retry_policy: Option<RetryPolicy>,
    /// The timeout of one attempt. `None`: the timeout of the retry policy.
    pub timeout: Option<AttemptTimeout>,
}
