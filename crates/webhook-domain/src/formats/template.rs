//! Templates: bodies that an admin writes as JSON with placeholders.
//!
//! ```json
//! {"text": "{{data.device|default:'a device'}}: {{data.reason}}", "seats": "{{data.seats}}"}
//! ```
//!
//! A placeholder stands inside a string value and nowhere else: the structure of every result is the
//! structure of the template, and every result is JSON. A template has no loops and no conditions, so the
//! cost of a rendering is linear in the size of the event. The language for admins is described in
//! `docs/templates.md`.

mod limits;

// Parsing: from a text to bodies, once when a template is saved or loaded.
mod body;
mod data_paths;
pub(crate) mod error;
mod escaping;
pub(crate) mod filter;
mod parser;
pub(crate) mod path;
mod placeholder;
mod value;
mod variants;

// Rendering, once per attempt.
pub(crate) mod context;
mod fitting;
mod renderer;

// Checking, when a template is saved.
pub(crate) mod checker;
pub(crate) mod version;

#[cfg(test)]
mod tests;

use serde_json::value::RawValue;

use self::checker::TemplateWarning;
use self::context::RenderContext;
use self::error::TemplateErrors;
use self::variants::{Variants, parse_variants};
use crate::{Event, EventType};

/// A parsed template of a webhook's body.
///
/// ```
/// use bytes::Bytes;
/// use webhook_domain::{DeliveryId, Event, RenderContext, Template};
///
/// let event = Event::parse(Bytes::from(
///     r#"{"id":"0192f0c1-7c1e-7b7e-8d5e-3f1a2b3c4d5e","type":"license.activated",
///  "environment":"production","timestamp":"2026-11-23T08:15:30.123Z","data":{"seats":5}}"#,
/// ))?;
/// let context = RenderContext {
///     event: &event,
///     webhook_name: "Alerts",
///     delivery_id: DeliveryId(uuid::Uuid::nil()),
///     link: None,
///     summary: "A license was activated.",
/// };
///
/// let template = Template::parse(r#"{"text": "{{type}}: {{summary}}", "n": "{{data.seats}}"}"#)?;
///
/// assert_eq!(
///     template.render(&context),
///     br#"{"text":"license.activated: A license was activated.","n":5}"#
/// );
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Template {
    source: Box<str>,
    variants: Variants,
}

impl Template {
    /// The most bytes of a template's text: 32 KiB. A longer text is refused.
    pub const MAX_BYTES: usize = limits::MAX_TEMPLATE_BYTES;

    /// The most objects and arrays inside each other in a body. A deeper body is refused.
    pub const MAX_DEPTH: usize = limits::MAX_DEPTH;

    /// The most placeholders of one body; each variant counts for itself. More are refused.
    pub const MAX_PLACEHOLDERS: usize = limits::MAX_PLACEHOLDERS;

    /// The most bytes of a rendered body: 64 KiB. The longest values are cut beyond.
    pub const MAX_RESULT_BYTES: usize = limits::MAX_RESULT_BYTES;

    /// Parses a template. The error lists all faults with their places.
    pub fn parse(text: &str) -> Result<Self, TemplateErrors> {
        if text.len() > Self::MAX_BYTES {
            let (bytes, max) = (text.len(), Self::MAX_BYTES);
            let message = format!("the template has {bytes} bytes; at most {max} are allowed");
            return Err(TemplateErrors::one("", message));
        }
        let not_json = |error| TemplateErrors::not_json(text, &error);
        let raw: &RawValue = serde_json::from_str(text).map_err(not_json)?;
        let mut errors = TemplateErrors::default();
        let variants = parse_variants(raw, &mut errors);
        if !errors.is_empty() {
            return Err(errors);
        }
        // The audit log and most receivers read values: no number beyond a float, no half of a surrogate pair.
        serde_json::from_str::<serde_json::Value>(text).map_err(not_json)?;
        let source = text.into();
        Ok(Self { source, variants })
    }

    /// Reads a template that was checked when it was saved, perhaps by a later version of the platform. A text that
    /// this version cannot parse is kept for admins, and renders nothing: only [`parse`](Self::parse) makes a
    /// template to send.
    pub fn from_stored(text: &str) -> Self {
        Self::parse(text).unwrap_or_else(|_| {
            let is_json = serde_json::from_str::<&RawValue>(text).is_ok();
            Self {
                source: if is_json { text } else { "null" }.into(),
                variants: Variants::default(),
            }
        })
    }

    /// The text of the template as parsed, byte for byte.
    pub fn source(&self) -> &str {
        &self.source
    }

    /// Renders the body for an event: valid JSON of at most 64 KiB, with the structure of the template.
    ///
    /// If the values of an event do not fit, the longest values are cut, and short ones stay whole. A text
    /// that was cut ends with `…`. An object, an array or a number that stands for a whole value and does
    /// not fit becomes the text `(cut)`.
    pub fn render(&self, context: &RenderContext<'_>) -> Vec<u8> {
        let body = self.variants.body(context.event.event_type);
        renderer::render(body, context)
    }

    /// Whether the body for a type has a path whose value comes from a [`Notice`](crate::Notice): `link` or
    /// `summary`. Other bodies are rendered without a notice.
    pub fn asks_for_notice(&self, event_type: EventType) -> bool {
        self.variants.body(event_type).asks_for_notice
    }

    /// Checks the paths below `data` against the examples of the subscribed types and against recent events,
    /// and suggests the nearest path that exists. Other paths were checked by [`parse`](Self::parse).
    ///
    /// A path that is missing in every type of its body is reported in any case; a path that is missing in
    /// some types only without `default`. Recent events of other types are ignored.
    pub fn check_paths(&self, subscribed: &[EventType], recent: &[Event]) -> Vec<TemplateWarning> {
        checker::check(&self.variants, subscribed, recent)
    }
}
