//! A message as its service would show the message, read from the very body of the request.

use serde_json::Value;
use webhook_domain::Format;

use super::discord::DiscordMessage;
use super::slack::SlackMessage;
use super::teams::TeamsCard;

/// A message to be drawn.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Drawing {
    Slack(SlackMessage),
    Discord(DiscordMessage),
    Teams(TeamsCard),
}

impl Drawing {
    /// Reads the body of a request. `None`: the format is for programs, or the body has nothing that the
    /// service would show.
    pub(crate) fn of(format: Format, body: &str) -> Option<Self> {
        let message = |body| serde_json::from_str::<Value>(body).ok();
        match format {
            Format::Slack => SlackMessage::of(&message(body)?).map(Self::Slack),
            Format::Discord => DiscordMessage::of(&message(body)?).map(Self::Discord),
            Format::Teams => TeamsCard::of(&message(body)?).map(Self::Teams),
            Format::Json | Format::CloudEvents | Format::Custom => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::{slack, spans::Span, teams};
    use super::*;
    use chrono::Utc;
    use uuid::Uuid;
    use webhook_domain::{
        AssignedFields, BodyContext, BodyFormat, DeliveryId, Event, EventId, EventType,
        LinkPatterns,
    };

    fn drawn(event_type: EventType, format: Format) -> Option<Drawing> {
        let assigned = AssignedFields {
            id: EventId(Uuid::nil()),
            timestamp: Utc::now(),
        };
        let event = Event::example(event_type, assigned);
        let page = "https://webhooks.example.com/admin";
        let body = BodyFormat::new(format, None).expect("a built-in format");
        let body = body.write(&BodyContext {
            event: &event,
            webhook_name: "",
            delivery_id: DeliveryId(Uuid::nil()),
            links: &LinkPatterns::default(),
            delivery_page: Some(page),
        });
        Drawing::of(format, &String::from_utf8_lossy(&body))
    }

    #[test]
    fn each_event_type_is_drawn_whole_for_each_service() {
        for event_type in EventType::ALL {
            let title = event_type.title();

            let slack = drawn(*event_type, Format::Slack);
            let discord = drawn(*event_type, Format::Discord);
            let teams = drawn(*event_type, Format::Teams);

            assert!(is_whole_in_slack(slack, &title), "{event_type}");
            assert!(is_whole_in_discord(discord, &title), "{event_type}");
            assert!(is_whole_in_teams(teams), "{event_type}");
            assert_eq!(drawn(*event_type, Format::Json), None);
            assert_eq!(drawn(*event_type, Format::CloudEvents), None);
        }
    }

    fn has_time(spans: &[Span]) -> bool {
        spans.iter().any(|span| matches!(span, Span::Time(_)))
    }

    fn is_whole_in_slack(drawing: Option<Drawing>, title: &str) -> bool {
        let Some(Drawing::Slack(message)) = drawing else {
            return false;
        };
        let is_titled =
            matches!(&message.blocks[0], slack::Block::Header(text) if text.ends_with(title));
        let is_link = |span: &Span| matches!(span, Span::Link { .. });
        let has_link = message.blocks.iter().any(
            |block| matches!(block, slack::Block::Section { text, .. } if text.iter().any(is_link)),
        );
        let last = message.blocks.last();
        let is_timed = matches!(last, Some(slack::Block::Context(texts)) if has_time(&texts[0]));
        is_titled && has_link && is_timed
    }

    fn is_whole_in_discord(drawing: Option<Drawing>, title: &str) -> bool {
        let Some(Drawing::Discord(DiscordMessage { embeds, .. })) = drawing else {
            return false;
        };
        let embed = &embeds[0];
        embed.title == title && embed.url.is_some() && embed.at.is_some()
    }

    fn is_whole_in_teams(drawing: Option<Drawing>) -> bool {
        let Some(Drawing::Teams(card)) = drawing else {
            return false;
        };
        let is_titled = matches!(&card.elements[0], teams::Element::Container { .. });
        let last = card.elements.last();
        let is_timed = matches!(last, Some(teams::Element::Text(footer)) if has_time(&footer.text));
        is_titled && is_timed && card.actions[0].url.is_some()
    }
}
