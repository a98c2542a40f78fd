//! What an import does about one webhook.

use std::collections::BTreeMap;

use chrono::{TimeDelta, Utc};
use serde_json::Value;
use webhook_domain::{
    AuditAction, CustomHeaders, HeaderName, HeaderSecret, SigningSecret, WebhookId, WebhookSettings,
};
use webhook_store::audit::{self, AuditEntry};
use webhook_store::webhooks::{self, Webhook};
use webhook_store::{RawConnection, SealingKeys, secrets};

use super::{FieldChange, ImportedWebhook, Wanted};
use crate::routes::webhooks::SettingsBody;
use crate::routes::webhooks::change::{Change, difference};
use crate::routes::webhooks::create::create;
use webhook_admin::Caller;
use webhook_admin::Refusal;
use webhook_admin::version::IfMatch;

/// For how long a secret that an import replaces signs as well.
const GRACE_PERIOD: TimeDelta = TimeDelta::hours(24);

/// What is to be done about one webhook.
pub(super) struct Plan {
    pub(super) told: ImportedWebhook,
    settings: WebhookSettings,
    /// Only where it differs from the one that is there.
    secret: Option<SigningSecret>,
}

/// Decides what is to be done.
pub(super) async fn plan(
    connection: &mut RawConnection,
    keys: &SealingKeys,
    wanted: &Wanted,
    present: Option<&Webhook>,
) -> Result<Plan, Refusal> {
    let (mut settings, mut secret) = (wanted.settings.clone(), wanted.secret.clone());
    let none = CustomHeaders::default();
    let stored = present.map_or(&none, |webhook| &webhook.settings.headers);
    let missing_headers = drop_without_value(&mut settings.headers, stored);
    if let Some(webhook) = present.filter(|_| settings.headers.has_given()) {
        let known = webhooks::find_headers(connection, keys, webhook.id).await?;
        settings.headers.leave_out_known(&known);
    }
    if let (Some(webhook), Some(given)) = (present, &secret) {
        let known = secrets::find(connection, keys, webhook.id).await?;
        if known.is_some_and(|known| known.current.reveal() == given.reveal()) {
            secret = None;
        }
    }
    let mut changes = changes(present.map(|webhook| &webhook.settings), &settings);
    if secret.is_some() {
        let hidden = FieldChange {
            from: Value::Null,
            to: Value::Null,
        };
        changes.insert("secret".to_owned(), hidden);
    }
    let action = match present {
        None => "create",
        Some(_) if changes.is_empty() => "unchanged",
        Some(_) => "update",
    };
    let told = ImportedWebhook {
        name: settings.name.as_str().to_owned(),
        action,
        id: present.map(|webhook| webhook.id.0),
        changes,
        missing_headers,
    };
    Ok(Plan {
        told,
        settings,
        secret,
    })
}

/// Takes headers out that have a value neither in the document nor in the environment.
fn drop_without_value(headers: &mut CustomHeaders, stored: &CustomHeaders) -> Vec<String> {
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

fn changes(
    before: Option<&WebhookSettings>,
    after: &WebhookSettings,
) -> BTreeMap<String, FieldChange> {
    let (mut old, new) = match before {
        Some(before) => difference(before, after),
        None => match serde_json::to_value(SettingsBody::from(after)) {
            Ok(Value::Object(fields)) => (serde_json::Map::new(), fields),
            _ => unreachable!("settings are an object"),
        },
    };
    let changes = new.into_iter().map(|(name, to)| {
        let from = old.remove(&name).unwrap_or_default();
        (name, FieldChange { from, to })
    });
    changes.collect()
}

impl Plan {
    /// Does it, in the caller's transaction.
    pub(super) async fn carry_out(
        &mut self,
        connection: &mut RawConnection,
        keys: &SealingKeys,
        caller: &Caller,
    ) -> Result<(), Refusal> {
        let Some(id) = self.told.id else {
            let new = || SigningSecret::from_random(rand::random());
            let secret = self.secret.take().unwrap_or_else(new);
            let id = create(connection, keys, caller, &self.settings, &secret).await?;
            self.told.id = Some(id.0);
            return Ok(());
        };
        if self.told.action == "unchanged" {
            return Ok(());
        }
        let id = WebhookId(id);
        let change = Change {
            id,
            if_match: &IfMatch::Any,
            caller,
            keys,
        };
        let settings = self.settings.clone();
        change.apply_within(connection, |_| Ok(settings)).await?;
        if let Some(secret) = &self.secret {
            let valid_until = Utc::now() + GRACE_PERIOD;
            secrets::rotate(connection, keys, id, secret, Some(valid_until)).await?;
            let entry = AuditEntry {
                webhook_id: Some(id),
                after: Some(serde_json::json!({"previous_valid_until": valid_until})),
                ..AuditEntry::new(AuditAction::SecretRotated, &self.told.name)
            };
            audit::insert(connection, &caller.actor(), &entry).await?;
        }
        Ok(())
    }
}
