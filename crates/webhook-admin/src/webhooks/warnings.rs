//! Warnings about settings that can be saved: doubts about the format at the URL, and about paths of a template.

use bytes::Bytes;
use webhook_domain::{
    Environment, Event, EventType, Template, TemplateWarning, UrlFormatWarning, WebhookSettings,
};
use webhook_store::webhooks::Webhook;
use webhook_store::{RawConnection, events};

use super::body::{WebhookBody, with_count};
use crate::refusal::Refusal;

/// How many recent events of each type a template is checked against.
const RECENT_EVENTS: i64 = 20;

/// A webhook that was just saved, with the warnings about its settings.
pub(super) async fn with_warnings(
    connection: &mut RawConnection,
    webhook: Webhook,
) -> Result<WebhookBody, Refusal> {
    let warnings = list_warnings(connection, &webhook.settings).await?;
    let mut body = with_count(connection, webhook).await?;
    body.warnings = warnings;
    Ok(body)
}

async fn list_warnings(
    connection: &mut RawConnection,
    settings: &WebhookSettings,
) -> Result<Vec<String>, Refusal> {
    let at_url = settings.body.format().warning_for(settings.url.as_url());
    let mut warnings: Vec<String> = at_url
        .map(UrlFormatWarning::sentence)
        .map(str::to_owned)
        .into_iter()
        .collect();
    if let Some(template) = settings.body.template() {
        let types: Vec<EventType> = settings.events.types().collect();
        let doubts = check_template(connection, template, settings.environment, &types).await?;
        warnings.extend(doubts);
    }
    Ok(warnings)
}

/// The doubts about the paths of a template: compared with the examples of `types` and with their latest events in
/// the environment.
pub(super) async fn check_template(
    connection: &mut RawConnection,
    template: &Template,
    environment: Environment,
    types: &[EventType],
) -> Result<Vec<String>, Refusal> {
    let recent = events::list_recent(connection, environment, types, RECENT_EVENTS).await?;
    // An event was parsed when it was taken in; an event that a later version took in is passed over.
    let recent: Vec<Event> = recent
        .into_iter()
        .filter_map(|body| Event::parse(Bytes::from(body)).ok())
        .collect();
    let doubts = template.check_paths(types, &recent);
    Ok(doubts.iter().map(TemplateWarning::to_string).collect())
}
