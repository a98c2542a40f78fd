//! Changes the settings of a webhook.

use serde_json::{Map, Value};
use webhook_domain::{AuditAction, UrlSetting, WebhookId, WebhookSettings};
use webhook_store::audit::{self, AuditEntry};
use webhook_store::webhooks::{self, Webhook};
use webhook_store::{RawConnection, SealingKeys, transaction};

use super::body::{SettingsBody, WebhookBody};
use super::find::find_stored;
use super::warnings::with_warnings;
use crate::caller::Caller;
use crate::connections::Connections;
use crate::refusal::Refusal;
use crate::version::IfMatch;

/// A change of a webhook: the caller, and the versions to change.
pub struct Change<'a> {
    /// The webhook.
    pub id: WebhookId,
    /// The versions to change; another version refuses the change.
    pub if_match: &'a IfMatch,
    /// The author of the entry in the audit log.
    pub caller: &'a Caller,
    /// The keys to seal the values of headers with.
    pub sealing_keys: &'a SealingKeys,
}

impl Change<'_> {
    /// Replaces the settings by the result of `decide` for the current settings, and reads the webhook
    /// afterwards. Equal settings change nothing, not even the version.
    pub async fn apply(
        &self,
        connections: &Connections,
        decide: impl FnOnce(&WebhookSettings) -> Result<WebhookSettings, Refusal>,
    ) -> Result<WebhookBody, Refusal> {
        let mut connection = connections.acquire().await?;
        let changed = transaction(&mut connection, async |connection| {
            self.apply_within(connection, decide).await?;
            find_stored(connection, self.id).await
        });
        let webhook = changed.await?;
        with_warnings(&mut connection, self.sealing_keys, webhook).await
    }

    /// Changes the settings in the caller's transaction, and writes the differing fields into the audit log.
    pub(super) async fn apply_within(
        &self,
        connection: &mut RawConnection,
        decide: impl FnOnce(&WebhookSettings) -> Result<WebhookSettings, Refusal>,
    ) -> Result<Effect, Refusal> {
        // The lock comes first: no other change can come between the decision and the write.
        let before = lock(connection, self.id, self.if_match).await?;
        let mut after = decide(&before.settings)?;
        // The secret URL given anew is no change.
        webhooks::keep_sealed_url(connection, self.sealing_keys, &before, &mut after).await?;
        // Headers may differ although all other fields are equal, so `save` decides about a change.
        if !webhooks::save(connection, self.sealing_keys, &before, &after).await? {
            return Ok(Effect::Unchanged);
        }
        let (old, new) = difference(&before.settings, &after);
        let entry = AuditEntry {
            webhook_id: Some(self.id),
            before: Some(old.into()),
            after: Some(new.into()),
            ..AuditEntry::new(AuditAction::WebhookUpdated, after.name.as_str())
        };
        audit::insert(connection, &self.caller.actor(), &entry).await?;
        Ok(Effect::Written)
    }
}

/// The effect of a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Effect {
    /// The webhook has other settings now, or is deleted.
    Written,
    /// The webhook had these settings already.
    Unchanged,
}

/// Locks a webhook until the caller's transaction ends, and refuses a version other than those of
/// `if_match`.
pub(super) async fn lock(
    connection: &mut RawConnection,
    id: WebhookId,
    if_match: &IfMatch,
) -> Result<Webhook, Refusal> {
    let webhook = webhooks::lock(connection, id).await?;
    let webhook = webhook.ok_or(Refusal::NotFound("webhook"))?;
    if_match.check(webhook.version)?;
    Ok(webhook)
}

/// The differing fields of two settings, with the old and the new values. Headers and secret URLs are compared
/// as a whole and shown by name or masked: a changed value may look the same on both sides.
pub(super) fn difference(
    before: &WebhookSettings,
    after: &WebhookSettings,
) -> (Map<String, Value>, Map<String, Value>) {
    let (mut old, mut new) = (settings_fields(before), settings_fields(after));
    let same: Vec<String> = old
        .iter()
        .filter(|(name, value)| new.get(*name) == Some(value))
        .map(|(name, _)| name.clone())
        .collect();
    for name in same {
        old.remove(&name);
        new.remove(&name);
    }
    if before.url != after.url {
        // An open URL that has become secret is masked on both sides.
        let shown = |url: &UrlSetting| match after.url.is_secret() {
            true => url.masked(),
            false => url.shown().into_owned(),
        };
        old.insert("url".to_owned(), shown(&before.url).into());
        new.insert("url".to_owned(), shown(&after.url).into());
    }
    if before.headers != after.headers {
        let names = |settings: &WebhookSettings| settings.headers.names().collect::<Value>();
        old.insert("header_names".to_owned(), names(before));
        new.insert("header_names".to_owned(), names(after));
    }
    (old, new)
}

/// Settings as the fields of a JSON object, for the audit log.
pub(super) fn settings_fields(settings: &WebhookSettings) -> Map<String, Value> {
    match serde_json::to_value(SettingsBody::from(settings)) {
        Ok(Value::Object(fields)) => fields,
        _ => unreachable!("settings are an object"),
    }
}
