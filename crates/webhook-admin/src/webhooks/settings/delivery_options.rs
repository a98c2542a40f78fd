//! The order and the retry policy of a webhook in a document.

use std::str::FromStr;

use serde::Serialize;
use webhook_domain::{DeliveryOptions, OrderingField};

use crate::fields::Fields;
use crate::retry_policies::parse_policy;

/// Whether a webhook's events arrive in order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Ordering {
    /// Due deliveries are sent in any order.
    None,
    /// Deliveries with the same value of the ordering key are sent one after another.
    ByKey,
}

impl FromStr for Ordering {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "none" => Ok(Self::None),
            "by_key" => Ok(Self::ByKey),
            _ => Err("must be none or by_key"),
        }
    }
}

/// Takes `ordering` and `ordering_key` out of a document. A key without `ordering` asks for an order.
pub(super) fn read_ordering(fields: &mut Fields<'_>, delivery_options: &mut DeliveryOptions) {
    let is_left_out = !fields.has("ordering");
    let is_key_alone = fields.has("ordering_key") && is_left_out;
    let ordering = fields.optional("ordering", str::parse::<Ordering>);
    let key = fields.optional("ordering_key", OrderingField::parse);
    let is_ordered = match ordering {
        Some(ordering) => ordering == Ordering::ByKey,
        None if is_key_alone => key.is_some() || delivery_options.ordering.is_some(),
        None => is_left_out && delivery_options.ordering.is_some(),
    };
    let current = delivery_options.ordering.take().filter(|_| !is_key_alone);
    delivery_options.ordering = is_ordered.then(|| key.or(current).unwrap_or_default());
}

/// Takes `retry_policy` out of a document, over the webhook's own policy if any.
pub(super) fn read_retry_policy(fields: &mut Fields<'_>, delivery_options: &mut DeliveryOptions) {
    if fields.has("retry_policy") {
        let base = delivery_options.retry_policy.clone().unwrap_or_default();
        let policy = fields.optional_object("retry_policy", |inner| parse_policy(inner, &base));
        delivery_options.retry_policy = policy;
    }
}
