//! The documented shape of each service's body. The sources stand on the pages of `docs/recipes/`.

use super::shape::{Shape, list, map, optional, required};
use crate::Template;

/// A service with a recipe.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Service {
    GoogleChat,
    Mattermost,
    PagerDuty,
    Opsgenie,
    Splunk,
    HubSpot,
    ThinEvent,
}

impl Service {
    pub(super) const ALL: [Self; 7] = [
        Self::GoogleChat,
        Self::Mattermost,
        Self::PagerDuty,
        Self::Opsgenie,
        Self::Splunk,
        Self::HubSpot,
        Self::ThinEvent,
    ];

    /// The page in `docs/recipes/`.
    pub(super) fn file(self) -> &'static str {
        match self {
            Self::GoogleChat => "google-chat.md",
            Self::Mattermost => "mattermost.md",
            Self::PagerDuty => "pagerduty.md",
            Self::Opsgenie => "opsgenie.md",
            Self::Splunk => "splunk.md",
            Self::HubSpot => "hubspot.md",
            Self::ThinEvent => "thin-event.md",
        }
    }

    /// The most bytes of a body. Services without a limit of their own have the templates' limit.
    pub(super) fn max_bytes(self) -> usize {
        match self {
            Self::GoogleChat => 32_000,
            Self::Mattermost
            | Self::PagerDuty
            | Self::Opsgenie
            | Self::Splunk
            | Self::HubSpot
            | Self::ThinEvent => Template::MAX_RESULT_BYTES,
        }
    }

    pub(super) fn shape(self) -> Shape {
        match self {
            Self::GoogleChat => google_chat(),
            Self::Mattermost => mattermost(),
            Self::PagerDuty => pagerduty(),
            Self::Opsgenie => opsgenie(),
            Self::Splunk => splunk(),
            Self::HubSpot => hubspot(),
            Self::ThinEvent => thin_event(),
        }
    }
}

fn text(max: usize) -> Shape {
    Shape::Text(1..=max)
}

fn text_or_empty(max: usize) -> Shape {
    Shape::Text(0..=max)
}

fn google_chat() -> Shape {
    let thread = Shape::Object(vec![required("threadKey", text(4_000))]);
    Shape::Object(vec![
        required("text", text(32_000)),
        optional("thread", thread),
    ])
}

fn mattermost() -> Shape {
    let field = Shape::Object(vec![
        optional("short", Shape::Bool),
        required("title", text(16_383)),
        required("value", text(16_383)),
    ]);
    let attachment = Shape::Object(vec![
        required("fallback", text(16_383)),
        optional("color", Shape::Text(7..=7)),
        optional("title", text(16_383)),
        optional("title_link", Shape::HttpsUrl),
        optional("text", text(16_383)),
        optional("fields", list(field, 0..=10)),
        optional("footer", text(16_383)),
    ]);
    Shape::Object(vec![required("attachments", list(attachment, 1..=10))])
}

fn pagerduty() -> Shape {
    let link = Shape::Object(vec![
        required("href", Shape::HttpsUrl),
        optional("text", text(1_024)),
    ]);
    let payload = Shape::Object(vec![
        required("summary", text(1_024)),
        required(
            "severity",
            Shape::OneOf(&["critical", "error", "warning", "info"]),
        ),
        required("source", text(1_024)),
        optional("class", text(1_024)),
        optional("timestamp", Shape::Time),
        optional("custom_details", map(Shape::Any)),
    ]);
    let trigger = Shape::Object(vec![
        required("routing_key", Shape::Text(32..=32)),
        required("event_action", Shape::OneOf(&["trigger"])),
        optional("dedup_key", text(255)),
        optional("client", text(1_024)),
        optional("links", list(link, 0..=10)),
        required("payload", payload),
    ]);
    let end = Shape::Object(vec![
        required("routing_key", Shape::Text(32..=32)),
        required("event_action", Shape::OneOf(&["acknowledge", "resolve"])),
        required("dedup_key", text(255)),
    ]);
    Shape::Either(vec![trigger, end])
}

fn opsgenie() -> Shape {
    Shape::Object(vec![
        required("message", text(130)),
        optional("alias", text(512)),
        optional("description", text_or_empty(15_000)),
        optional("entity", text_or_empty(512)),
        optional("source", text_or_empty(100)),
        optional("priority", Shape::OneOf(&["P1", "P2", "P3", "P4", "P5"])),
        optional("tags", list(text(50), 0..=20)),
        // 8,000 characters together, names included: the other two values are an id and a time.
        optional("details", map(text_or_empty(7_000))),
    ])
}

fn splunk() -> Shape {
    Shape::Object(vec![
        optional("time", Shape::Number),
        optional("host", text(1_024)),
        optional("source", text(1_024)),
        optional("sourcetype", text(1_024)),
        required("event", map(Shape::Any)),
        optional("fields", map(text(1_024))),
    ])
}

fn hubspot() -> Shape {
    let statuses = &[
        "issued",
        "active",
        "inactive",
        "suspended",
        "expired",
        "revoked",
        "deleted",
    ];
    let properties = Shape::Object(vec![
        required("license_id", text(65_536)),
        required("last_event_id", text(65_536)),
        required("last_event_type", text(65_536)),
        required("last_event_at", Shape::Time),
        optional("license_status", Shape::OneOf(statuses)),
        optional("seats", text_or_empty(65_536)),
        optional("product_id", text_or_empty(65_536)),
        optional("expires_at", text_or_empty(65_536)),
    ]);
    let input = Shape::Object(vec![
        required("idProperty", Shape::OneOf(&["license_id"])),
        required("id", text(65_536)),
        required("properties", properties),
    ]);
    Shape::Object(vec![required("inputs", list(input, 1..=100))])
}

fn thin_event() -> Shape {
    let ids = Shape::Object(vec![
        required("license_id", text_or_empty(200)),
        required("activation_id", text_or_empty(200)),
        required("product_id", text_or_empty(200)),
        required("contract_id", text_or_empty(200)),
        required("customer_id", text_or_empty(200)),
    ]);
    Shape::Object(vec![
        required("id", text(36)),
        required("type", text(100)),
        required(
            "environment",
            Shape::OneOf(&["production", "staging", "development"]),
        ),
        required("timestamp", Shape::Time),
        required("ids", ids),
    ])
}
