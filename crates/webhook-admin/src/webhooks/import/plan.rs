//! The plan of an import for a webhook: decided first, then carried out.

use std::collections::BTreeMap;

use chrono::{TimeDelta, Utc};
use serde_json::{Map, Value};
use webhook_domain::{
    CustomHeaders, FieldError, HeaderName, HeaderSecret, SigningSecret, UrlError, UrlSetting,
    WebhookSettings,
};
use webhook_store::webhooks::{self, Webhook};
use webhook_store::{RawConnection, SealingKeys, secrets};

use super::body::{FieldChange, ImportAction, ImportedWebhook};
use crate::caller::Caller;
use crate::refusal::Refusal;
use crate::version::IfMatch;
use crate::webhooks::change::{Change, difference, settings_fields};
use crate::webhooks::create::{generate_secret, insert};
use crate::webhooks::requests::ImportWebhook;
use crate::webhooks::secret::rotate_within;

/// How long a replaced secret stays valid.
const GRACE_PERIOD: TimeDelta = TimeDelta::hours(24);

/// The plan for a webhook.
pub(super) struct Plan {
    pub(super) imported: ImportedWebhook,
    settings: WebhookSettings,
    /// The new secret, if different from the present secret.
    secret: Option<SigningSecret>,
}

/// Decides about a webhook of the document, and the `present` webhook of the same name if any.
pub(super) async fn plan_import(
    connection: &mut RawConnection,
    sealing_keys: &SealingKeys,
    wanted: &ImportWebhook,
    present: Option<&Webhook>,
) -> Result<Plan, Refusal> {
    let mut settings = wanted.settings.clone();
    let stored_url = present.map(|webhook| &webhook.settings.url);
    settings.url = kept_url(&settings.url, stored_url)
        .map_err(|error| Refusal::Invalid(vec![FieldError::new("url", error)]))?;
    if let Some(webhook) = present {
        webhooks::keep_sealed_url(connection, sealing_keys, webhook, &mut settings).await?;
    }
    let none = CustomHeaders::default();
    let stored = present.map_or(&none, |webhook| &webhook.settings.headers);
    let missing_headers = drop_headers_without_value(&mut settings.headers, stored);
    // A header with the stored value is no change: the webhook keeps its version.
    if let Some(webhook) = present.filter(|_| settings.headers.has_given()) {
        let known = webhooks::find_headers(connection, sealing_keys, webhook.id).await?;
        settings.headers.leave_out_known(&known);
    }
    let secret = find_new_secret(connection, sealing_keys, wanted, present).await?;
    let mut changes = list_changes(present.map(|webhook| &webhook.settings), &settings);
    if secret.is_some() {
        let hidden = FieldChange {
            from: Value::Null,
            to: Value::Null,
        };
        changes.insert("secret".to_owned(), hidden);
    }
    let action = match present {
        None => ImportAction::Create,
        Some(_) if changes.is_empty() => ImportAction::Unchanged,
        Some(_) => ImportAction::Update,
    };
    let imported = ImportedWebhook {
        name: settings.name.as_str().to_owned(),
        action,
        id: present.map(|webhook| webhook.id),
        changes,
        missing_headers,
    };
    Ok(Plan {
        imported,
        settings,
        secret,
    })
}

/// The URL of an import: a shown form keeps the stored secret URL at the same host, whose end may differ, as a
/// document of another environment has another secret.
pub(super) fn kept_url(
    wanted: &UrlSetting,
    stored: Option<&UrlSetting>,
) -> Result<UrlSetting, UrlError> {
    if wanted.known().is_some() {
        return Ok(wanted.clone());
    }
    let is_at_same_host =
        |stored: &&UrlSetting| stored.is_secret() && stored.to_check() == wanted.to_check();
    let kept = stored.filter(is_at_same_host);
    kept.cloned().ok_or(UrlError::Masked)
}

/// Removes the headers without a value in the document and in the environment, and returns the removed
/// names.
fn drop_headers_without_value(headers: &mut CustomHeaders, stored: &CustomHeaders) -> Vec<String> {
    let missing: Vec<HeaderName> = headers
        .iter()
        .filter(|(name, value)| **value == HeaderSecret::Stored && !stored.contains(name))
        .map(|(name, _)| name.clone())
        .collect();
    for name in &missing {
        headers.remove(name);
    }
    missing
        .iter()
        .map(|name| name.as_str().to_owned())
        .collect()
}

/// The secret of the document, unless the present webhook has the same secret.
async fn find_new_secret(
    connection: &mut RawConnection,
    sealing_keys: &SealingKeys,
    wanted: &ImportWebhook,
    present: Option<&Webhook>,
) -> Result<Option<SigningSecret>, Refusal> {
    if let (Some(webhook), Some(given)) = (present, &wanted.secret) {
        let known = secrets::find(connection, sealing_keys, webhook.id).await?;
        if known.is_some_and(|known| known.current.reveal() == given.reveal()) {
            return Ok(None);
        }
    }
    Ok(wanted.secret.clone())
}

fn list_changes(
    before: Option<&WebhookSettings>,
    after: &WebhookSettings,
) -> BTreeMap<String, FieldChange> {
    let (mut old, new) = match before {
        Some(before) => difference(before, after),
        None => (Map::new(), settings_fields(after)),
    };
    let changes = new.into_iter().map(|(name, to)| {
        let from = old.remove(&name).unwrap_or_default();
        (name, FieldChange { from, to })
    });
    changes.collect()
}

impl Plan {
    /// Creates or changes the webhook, in the caller's transaction.
    pub(super) async fn carry_out(
        &mut self,
        connection: &mut RawConnection,
        sealing_keys: &SealingKeys,
        caller: &Caller,
    ) -> Result<(), Refusal> {
        let Some(id) = self.imported.id else {
            let secret = self.secret.take().unwrap_or_else(generate_secret);
            let webhook = (&self.settings, &secret);
            let id = insert(connection, webhook, caller, sealing_keys).await?;
            self.imported.id = Some(id);
            return Ok(());
        };
        if self.imported.action == ImportAction::Unchanged {
            return Ok(());
        }
        let change = Change {
            id,
            if_match: &IfMatch::Any,
            caller,
            sealing_keys,
        };
        // The webhook is locked since before the plan, so the settings still apply.
        let settings = self.settings.clone();
        change.apply_within(connection, |_| Ok(settings)).await?;
        if let Some(secret) = &self.secret {
            let rotated = (id, &*self.imported.name, Some(Utc::now() + GRACE_PERIOD));
            rotate_within(connection, rotated, secret, caller, sealing_keys).await?;
        }
        Ok(())
    }
}
