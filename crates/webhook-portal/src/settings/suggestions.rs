//! Finding a webhook by id, or by a part of its name or URL.

use url::form_urlencoded::Serializer;
use webhook_domain::{WebhookId, WebhookUrl};
use webhook_store::SealingKeys;

use webhook_admin::Connections;
use webhook_admin::Refusal;
use webhook_admin::webhooks::{ListWebhooks, WebhookBody, list_webhooks};

/// The most characters of a search for webhooks in the API: a whole URL.
const SEARCHED_CHARS: usize = WebhookUrl::MAX_BYTES;

/// Webhooks with the typed text in name or URL, 50 at most.
pub(super) async fn suggest(
    text: &str,
    connections: &Connections,
    keys: &SealingKeys,
) -> Result<Vec<WebhookBody>, Refusal> {
    // An id names its webhook without a search.
    let is_id = text.parse::<WebhookId>().is_ok();
    let searched = if is_id { "" } else { text };
    let searched: String = searched.chars().take(SEARCHED_CHARS).collect();
    let query = Serializer::new(String::new())
        .append_pair("search", &searched)
        .append_pair("sort", "name")
        .append_pair("limit", "50")
        .finish();
    let list = ListWebhooks::parse(&query)?;
    Ok(list_webhooks(list, connections, keys).await?.page.data)
}

/// The webhook of a text: an id, a whole name, or a part of exactly one webhook's name or URL. `Err`: the
/// text names no webhook or several, in a sentence for the page.
pub(super) async fn find_webhook(
    text: &str,
    connections: &Connections,
    keys: &SealingKeys,
) -> Result<Result<WebhookId, String>, Refusal> {
    if let Ok(id) = text.parse() {
        return Ok(Ok(id));
    }
    let fitting = suggest(text, connections, keys).await?;
    let named = |webhook: &&WebhookBody| webhook.settings.name.eq_ignore_ascii_case(text);
    let named: Vec<&WebhookBody> = fitting.iter().filter(named).collect();
    Ok(match (named.as_slice(), fitting.as_slice()) {
        ([one], _) => Ok(one.id),
        ([], [one]) => Ok(one.id),
        ([], []) => Err("no webhook has this id, or this in its name or URL".to_owned()),
        _ => Err("several webhooks fit: choose one of those suggested, or give its id".to_owned()),
    })
}
