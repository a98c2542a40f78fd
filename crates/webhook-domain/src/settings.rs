//! All that an admin decides about a webhook, its secret aside.

use std::time::Duration;

use crate::{
    CustomHeaders, Environment, EventSelection, MaxConcurrency, Metadata, OrderingField, RateLimit,
    RetryPolicy, WebhookDescription, WebhookName, WebhookStatus, WebhookUrl,
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

/// How long one attempt may take: 100 ms to 30 s, in whole milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AttemptTimeout(Duration);

impl AttemptTimeout {
    /// A receiver that is given less fails by the network alone.
    pub const MIN: Duration = Duration::from_millis(100);

    /// Checks a number of milliseconds.
    pub fn from_millis(millis: u64) -> Result<Self, String> {
        let timeout = Duration::from_millis(millis);
        if (Self::MIN..=RetryPolicy::MAX_TIMEOUT).contains(&timeout) {
            return Ok(Self(timeout));
        }
        let max = RetryPolicy::MAX_TIMEOUT.as_millis();
        Err(format!("must be {} to {max}", Self::MIN.as_millis()))
    }

    /// The time.
    pub fn get(self) -> Duration {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_timeout_is_bounded() {
        for wrong in [0, 99, 30_001, u64::MAX] {
            assert!(AttemptTimeout::from_millis(wrong).is_err(), "{wrong}");
        }
        assert_eq!(
            AttemptTimeout::from_millis(100).map(AttemptTimeout::get),
            Ok(AttemptTimeout::MIN)
        );
    }
}
