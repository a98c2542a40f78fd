//! The body of a request: the event, written in the format of the webhook.

use bytes::Bytes;

use crate::{
    Event, Format, LinkPatterns, Notice, cloudevents_body, discord_body, slack_body, teams_body,
};

impl Format {
    /// Writes an event in this format. `json` costs no copy: the body is the event's own.
    ///
    /// `links`: the pages of the platform for ids; `delivery_page`: the page of the delivery in our portal, for
    /// an event without such a link. Nothing in an event can make the writing fail.
    ///
    /// ```
    /// use bytes::Bytes;
    /// use webhook_domain::{Event, Format, LinkPatterns};
    ///
    /// let event = Event::parse(Bytes::from(
    ///     r#"{"id":"0192f0c1-7c1e-7b7e-8d5e-3f1a2b3c4d5e","type":"license.activated",
    ///         "environment":"production","timestamp":"2026-11-23T08:15:30.123Z","data":{"seats":5}}"#,
    /// ))?;
    /// let links = LinkPatterns::default();
    ///
    /// assert_eq!(Format::Json.write(&event, &links, None), event.body);
    /// let message = Format::Slack.write(&event, &links, None);
    /// assert!(message.starts_with(br#"{"text":"#));
    /// # Ok::<(), webhook_domain::EventError>(())
    /// ```
    pub fn write(self, event: &Event, links: &LinkPatterns, delivery_page: Option<&str>) -> Bytes {
        let notice = || Notice::of(event, links, delivery_page);
        match self {
            Self::Json => event.body.clone(),
            Self::Slack => slack_body(&notice()).into(),
            Self::Discord => discord_body(&notice()).into(),
            Self::Teams => teams_body(&notice()).into(),
            Self::CloudEvents => cloudevents_body(event).into(),
        }
    }
}
