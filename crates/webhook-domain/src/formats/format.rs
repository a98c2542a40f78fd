//! The formats of a request's body.

use crate::names::names;

names! {
    /// The format of the body that a webhook receives.
    #[derive(Default)]
    Format, "format" {
        /// The event's JSON, byte for byte as published.
        #[default]
        Json = "json",
        /// A message for a Slack incoming webhook.
        Slack = "slack",
        /// A message for a Discord webhook.
        Discord = "discord",
        /// An adaptive card for a Teams workflow.
        Teams = "teams",
        /// A CloudEvents 1.0 event in structured mode.
        CloudEvents = "cloudevents",
        /// A body of the admin's own, described by a template.
        Custom = "custom",
    }
}

impl Format {
    /// The type of the body, for the header `Content-Type`.
    pub const fn content_type(self) -> &'static str {
        match self {
            Self::Json | Self::Slack | Self::Discord | Self::Teams | Self::Custom => {
                "application/json"
            }
            Self::CloudEvents => "application/cloudevents+json; charset=utf-8",
        }
    }

    /// The name for people.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Json => "Event (JSON)",
            Self::Slack => "Slack message",
            Self::Discord => "Discord message",
            Self::Teams => "Teams card",
            Self::CloudEvents => "CloudEvents",
            Self::Custom => "Custom template",
        }
    }

    /// Whether the URL alone lets anybody post to the receiver, so that the URL is kept as a secret.
    pub const fn url_is_secret(self) -> bool {
        match self {
            Self::Slack | Self::Discord | Self::Teams => true,
            Self::Json | Self::CloudEvents | Self::Custom => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_url_of_a_chat_service_is_a_secret() {
        let secret = Format::ALL.iter().filter(|format| format.url_is_secret());

        assert!(secret.eq(&[Format::Slack, Format::Discord, Format::Teams]));
    }

    #[test]
    fn only_cloudevents_have_a_content_type_of_their_own() {
        for format in Format::ALL {
            let is_json = format.content_type() == "application/json";

            assert_eq!(is_json, *format != Format::CloudEvents, "{format}");
        }
    }
}
