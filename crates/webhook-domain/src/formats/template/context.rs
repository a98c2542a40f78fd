//! The values that a template can insert.

use chrono::SecondsFormat;

use super::body::{Body, Insertion};
use super::path::PathRoot;
use super::value::Value;
use crate::{DeliveryId, Event};

/// The event and its circumstances, for a rendering.
#[derive(Debug, Clone, Copy)]
pub struct RenderContext<'a> {
    /// The event.
    pub event: &'a Event,
    /// The name of the webhook: `webhook.name`.
    pub webhook_name: &'a str,
    /// The id of the delivery: `delivery.id`.
    pub delivery_id: DeliveryId,
    /// The address of a page about the event: `link`. `None`: the link is missing.
    pub link: Option<&'a str>,
    /// A sentence about the event: `summary`.
    pub summary: &'a str,
}

/// The values of one event for one body, each part of `data` read once.
pub(super) struct Values<'a> {
    context: RenderContext<'a>,
    /// The values below `data`, by slot.
    data: Vec<Value<'a>>,
}

impl<'a> Values<'a> {
    pub(super) fn read(body: &Body, context: &RenderContext<'a>) -> Self {
        let data = body.data.read(context.event);
        let context = *context;
        Self { context, data }
    }

    /// The value of a placeholder behind its filters.
    pub(super) fn of<'v>(&'v self, insertion: &'v Insertion) -> Value<'v> {
        let value = self.unfiltered(insertion);
        let filters = insertion.filters.iter();
        filters.fold(value, |value, filter| filter.apply(value))
    }

    fn unfiltered(&self, insertion: &Insertion) -> Value<'_> {
        let RenderContext {
            event,
            webhook_name,
            delivery_id,
            link,
            summary,
        } = self.context;
        match insertion.path.root {
            PathRoot::Id => Value::text(event.id.to_string()),
            PathRoot::Type => Value::text(event.event_type.as_str()),
            PathRoot::Timestamp => {
                Value::text(event.timestamp.to_rfc3339_opts(SecondsFormat::AutoSi, true))
            }
            PathRoot::Environment => Value::text(event.environment.as_str()),
            PathRoot::Data => self
                .data
                .get(insertion.slot)
                .map_or(Value::Missing, Value::borrowed),
            // An event's body was read as JSON, so the bytes are UTF-8.
            PathRoot::Event => Value::Json(String::from_utf8_lossy(&event.body)),
            PathRoot::WebhookName => Value::text(webhook_name),
            PathRoot::DeliveryId => Value::text(delivery_id.to_string()),
            PathRoot::Link => link.map_or(Value::Missing, Value::text),
            PathRoot::Summary => Value::text(summary),
        }
    }
}
