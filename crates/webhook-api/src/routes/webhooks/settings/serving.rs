//! How a webhook wants to be served, as it is sent.

use webhook_domain::{AttemptTimeout, MaxConcurrency, OrderingField, RateLimit, Serving};

use webhook_admin::fields::Fields;
use webhook_admin::retry_policies;

/// Takes out what is there; what is not stays as it is.
pub(super) fn read_serving(fields: &mut Fields<'_>, serving: &mut Serving) {
    if fields.has("timeout_ms") {
        serving.timeout = fields.optional_whole("timeout_ms", AttemptTimeout::from_millis);
    }
    if fields.has("max_concurrency") {
        serving.max_concurrency = fields.optional_whole("max_concurrency", MaxConcurrency::new);
    }
    if fields.has("rate_limit") {
        serving.rate_limit = fields.optional_whole("rate_limit", RateLimit::new);
    }
    read_ordering(fields, serving);
    if fields.has("retry_policy") {
        let base = serving.retry_policy.clone().unwrap_or_default();
        serving.retry_policy = fields.optional_object("retry_policy", |inner| {
            retry_policies::parse_policy(inner, &base)
        });
    }
}

/// A key alone asks for order.
fn read_ordering(fields: &mut Fields<'_>, serving: &mut Serving) {
    let is_by_key = |text: &str| match text {
        "none" => Ok(false),
        "by_key" => Ok(true),
        _ => Err("must be none or by_key"),
    };
    let said_nothing = !fields.has("ordering");
    let key_alone = fields.has("ordering_key") && said_nothing;
    let by_key = fields.optional("ordering", is_by_key);
    let key = fields.optional("ordering_key", OrderingField::parse);
    let wanted = match by_key {
        Some(by_key) => by_key,
        None if key_alone => key.is_some() || serving.ordering.is_some(),
        None => said_nothing && serving.ordering.is_some(),
    };
    let current = serving.ordering.take().filter(|_| !key_alone);
    serving.ordering = wanted.then(|| key.or(current).unwrap_or_default());
}
