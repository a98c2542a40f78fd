//! All that an admin decides about a webhook, its secret aside.

use crate::names::names;
use crate::{
    AttemptTimeout, CustomHeaders, Environment, EventSelection, MaxConcurrency, Metadata,
    OrderingField, RateLimit, RetryPolicy, WebhookDescription, WebhookName, WebhookUrl,
};

/// What an admin decides about a webhook. Only valid values exist.
#[derive(Debug, Clone, PartialEq)]
pub struct WebhookSettings {
    /// What it is called.
    pub name: WebhookName,
    /// Where its requests go.
    pub url: WebhookUrl,
    /// The environment it hears of.
    pub environment: Environment,
    /// What it is for.
    pub description: WebhookDescription,
    /// Whether it gets deliveries.
    pub status: WebhookStatus,
    /// Which events it wants.
    pub events: EventSelection,
    /// What its requests carry besides our own headers.
    pub headers: CustomHeaders,
    /// What is to be remembered with it.
    pub metadata: Metadata,
    /// How it wants to be served.
    pub serving: Serving,
}

names! {
    /// Whether a webhook gets deliveries.
    WebhookStatus, "status" {
        /// It gets every matching event.
        Active = "active",
        /// It gets no new deliveries, and its pending ones wait.
        Inactive = "inactive",
    }
}

/// How a webhook wants to be served. Nothing of it: as everybody is.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Serving {
    /// How many requests at once per dispatcher.
    pub max_concurrency: Option<MaxConcurrency>,
    /// How many requests per second from all dispatchers.
    pub rate_limit: Option<RateLimit>,
    /// In order by this field of `data`.
    pub ordering: Option<OrderingField>,
    /// A retry policy of its own.
    pub retry_policy: Option<RetryPolicy>,
    /// How long one attempt may take, instead of what the policy says.
    pub timeout: Option<AttemptTimeout>,
}
