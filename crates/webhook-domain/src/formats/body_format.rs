//! How a webhook's requests are written: a built-in format, or a template of the admin.

use std::sync::Arc;

use bytes::Bytes;
use thiserror::Error;

use super::notice::Gist;
use crate::{
    DeliveryId, Event, Format, LinkPatterns, Notice, RenderContext, Template, cloudevents_body,
    discord_body, slack_body, teams_body,
};

/// The format of a webhook's requests, with the template of the format `custom`.
///
/// ```
/// use bytes::Bytes;
/// use webhook_domain::{BodyContext, BodyFormat, DeliveryId, Event, Format, LinkPatterns};
///
/// let event = Event::parse(Bytes::from(
///     r#"{"id":"0192f0c1-7c1e-7b7e-8d5e-3f1a2b3c4d5e","type":"license.activated",
///         "environment":"production","timestamp":"2026-11-23T08:15:30.123Z","data":{"seats":5}}"#,
/// ))?;
/// let links = LinkPatterns::default();
/// let context = BodyContext {
///     event: &event,
///     webhook_name: "Alerts",
///     delivery_id: DeliveryId(uuid::Uuid::nil()),
///     links: &links,
///     delivery_page: None,
/// };
///
/// assert_eq!(BodyFormat::Json.write(&context), event.body);
/// let slack = BodyFormat::new(Format::Slack, None)?;
/// assert!(slack.write(&context).starts_with(br#"{"text":"#));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum BodyFormat {
    /// The event's JSON, byte for byte as published.
    #[default]
    Json,
    /// A message for a Slack incoming webhook.
    Slack,
    /// A message for a Discord webhook.
    Discord,
    /// An adaptive card for a Teams workflow.
    Teams,
    /// A CloudEvents 1.0 event in structured mode.
    CloudEvents,
    /// A body that the template describes. Shared: a template may have 32 KiB.
    Custom(Arc<Template>),
}

/// Why a format and a template do not belong together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum BodyFormatError {
    /// The format `custom` without a template.
    #[error("is required with the format custom")]
    TemplateMissing,
    /// A template beside another format.
    #[error("belongs to the format custom; set format to custom, or leave the template out")]
    TemplateUnused,
}

/// The event of a request, and the circumstances that a body may tell.
#[derive(Debug, Clone, Copy)]
pub struct BodyContext<'a> {
    /// The event.
    pub event: &'a Event,
    /// The name of the webhook.
    pub webhook_name: &'a str,
    /// The delivery of the request.
    pub delivery_id: DeliveryId,
    /// The pages of the platform for ids.
    pub links: &'a LinkPatterns,
    /// The page of the delivery in our portal, for an event without such a link.
    pub delivery_page: Option<&'a str>,
}

impl BodyFormat {
    /// Joins a format and the template of `custom`.
    pub fn new(format: Format, template: Option<Template>) -> Result<Self, BodyFormatError> {
        let built_in = match (format, template) {
            (Format::Custom, Some(template)) => return Ok(Self::Custom(Arc::new(template))),
            (Format::Custom, None) => return Err(BodyFormatError::TemplateMissing),
            (_, Some(_)) => return Err(BodyFormatError::TemplateUnused),
            (Format::Json, None) => Self::Json,
            (Format::Slack, None) => Self::Slack,
            (Format::Discord, None) => Self::Discord,
            (Format::Teams, None) => Self::Teams,
            (Format::CloudEvents, None) => Self::CloudEvents,
        };
        Ok(built_in)
    }

    /// The name of the format.
    pub const fn format(&self) -> Format {
        match self {
            Self::Json => Format::Json,
            Self::Slack => Format::Slack,
            Self::Discord => Format::Discord,
            Self::Teams => Format::Teams,
            Self::CloudEvents => Format::CloudEvents,
            Self::Custom(_) => Format::Custom,
        }
    }

    /// The template. `None`: the format is built in.
    pub fn template(&self) -> Option<&Template> {
        match self {
            Self::Custom(template) => Some(template),
            Self::Json | Self::Slack | Self::Discord | Self::Teams | Self::CloudEvents => None,
        }
    }

    /// Writes the body of a request. `json` costs no copy: the body is the event's own. Nothing in an event can
    /// make the writing fail.
    pub fn write(&self, context: &BodyContext<'_>) -> Bytes {
        let event = context.event;
        match self {
            Self::Json => event.body.clone(),
            Self::Slack => slack_body(&context.notice()).into(),
            Self::Discord => discord_body(&context.notice()).into(),
            Self::Teams => teams_body(&context.notice()).into(),
            Self::CloudEvents => cloudevents_body(event).into(),
            Self::Custom(template) => render(template, context).into(),
        }
    }
}

impl BodyContext<'_> {
    fn notice(&self) -> Notice {
        Notice::of(self.event, self.links, self.delivery_page)
    }
}

fn render(template: &Template, context: &BodyContext<'_>) -> Vec<u8> {
    let event = context.event;
    // The sentence costs as much as the rendering of most templates.
    let gist = template
        .asks_for_notice(event.event_type)
        .then(|| Gist::of(event, context.links, context.delivery_page));
    let link = gist.as_ref().and_then(|gist| gist.link.as_ref());
    template.render(&RenderContext {
        event,
        webhook_name: context.webhook_name,
        delivery_id: context.delivery_id,
        link: link.map(|link| link.url.as_str()),
        summary: gist.as_ref().map_or("", |gist| &gist.sentence),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::formats::test_events::event;
    use crate::{Environment, EventType};

    fn template(text: &str) -> Template {
        Template::parse(text).expect("a template")
    }

    #[test]
    fn a_template_belongs_to_custom_and_to_no_other_format() {
        for format in Format::ALL {
            let with = BodyFormat::new(*format, Some(template("{}")));
            let without = BodyFormat::new(*format, None);

            let is_custom = *format == Format::Custom;
            let (joined, refused) = if is_custom {
                (with, without)
            } else {
                (without, with)
            };
            assert_eq!(joined.expect("joined").format(), *format);
            assert!(refused.is_err(), "{format}");
        }
    }

    #[test]
    fn summary_and_link_are_those_of_the_messages() {
        let event = event(EventType::LicenseActivated, Environment::Production, "{}");
        let context = BodyContext {
            event: &event,
            webhook_name: "Alerts",
            delivery_id: DeliveryId(uuid::Uuid::nil()),
            links: &LinkPatterns::default(),
            delivery_page: Some("https://portal.example/admin/deliveries/1"),
        };
        let custom = r#"{"default":{"s":"{{summary}}","l":"{{link}}","w":"{{webhook.name}}"}}"#;
        let custom = BodyFormat::Custom(Arc::new(template(custom)));

        let body: serde_json::Value =
            serde_json::from_slice(&custom.write(&context)).expect("JSON");

        assert_eq!(body["s"], context.notice().sentence);
        assert_eq!(body["l"], "https://portal.example/admin/deliveries/1");
        assert_eq!(body["w"], "Alerts");
    }
}
