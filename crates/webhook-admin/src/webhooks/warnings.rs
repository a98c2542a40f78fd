//! Warnings about settings that can be saved: doubts about the format at the URL, and about paths of a template.

use bytes::Bytes;
use webhook_domain::{
    Environment, Event, EventType, TargetUrl, Template, TemplateWarning, UrlFormatWarning,
    WebhookId, WebhookSettings,
};
use webhook_store::webhooks::{self, Webhook};
use webhook_store::{RawConnection, SealingKeys, events};

use super::body::{WebhookBody, with_count};
use super::find::find_stored;
use crate::connections::Connections;
use crate::refusal::Refusal;

/// How many recent events of each type a template is checked against.
const RECENT_EVENTS: i64 = 20;

/// The warnings about the settings of a webhook, in sentences.
pub async fn find_warnings(
    id: WebhookId,
    connections: &Connections,
    keys: &SealingKeys,
) -> Result<Vec<String>, Refusal> {
    let mut connection = connections.acquire().await?;
    let webhook = find_stored(&mut connection, id).await?;
    Ok(warnings_of(&mut connection, keys, &webhook).await)
}

/// A webhook that was just saved, with the warnings about its settings.
pub(super) async fn with_warnings(
    connection: &mut RawConnection,
    keys: &SealingKeys,
    webhook: Webhook,
) -> Result<WebhookBody, Refusal> {
    let warnings = warnings_of(connection, keys, &webhook).await;
    let mut body = with_count(connection, webhook).await?;
    body.warnings = warnings;
    Ok(body)
}

async fn warnings_of(
    connection: &mut RawConnection,
    keys: &SealingKeys,
    webhook: &Webhook,
) -> Vec<String> {
    // A sealed URL that no key opens tells no fault; the finding about the deliveries does.
    let url = webhooks::find_url(connection, keys, webhook.id).await;
    let url = url.ok().flatten();
    list_warnings(connection, &webhook.settings, url.as_ref()).await
}

/// The warnings about settings that go to `url`. An error costs the warnings, not the change that they are about.
pub(super) async fn list_warnings(
    connection: &mut RawConnection,
    settings: &WebhookSettings,
    url: Option<&TargetUrl>,
) -> Vec<String> {
    let format = settings.body.format();
    let at_url = url.and_then(|url| format.warning_for(url.reveal().as_url()));
    let sentence = at_url.map(UrlFormatWarning::sentence);
    let mut warnings: Vec<String> = sentence.map(str::to_owned).into_iter().collect();
    if let Some(template) = settings.body.template() {
        let types: Vec<EventType> = settings.events.types().collect();
        match check_template(connection, template, settings.environment, &types).await {
            Ok(doubts) => warnings.extend(doubts),
            Err(refusal) => refusal.log(),
        }
    }
    warnings
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
