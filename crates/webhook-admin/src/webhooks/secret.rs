//! Shows and replaces the signing secret of a webhook.

use std::time::Duration;

use chrono::{DateTime, SubsecRound, Utc};
use serde::Serialize;
use utoipa::ToSchema;
use webhook_domain::{AuditAction, PlatformSettings, SigningSecret, WebhookId};
use webhook_store::audit::{self, AuditEntry};
use webhook_store::secrets::{self, Secrets};
use webhook_store::webhooks::Webhook;
use webhook_store::{RawConnection, SealingKeys, settings, transaction};

use super::change::lock;
use super::create::generate_secret;
use super::find::find_stored;
use crate::caller::Caller;
use crate::connections::Connections;
use crate::duration::parse_duration;
use crate::fields::Fields;
use crate::refusal::Refusal;
use crate::request;
use crate::schema;
use crate::version::IfMatch;

request! {
    /// How to replace a secret.
    #[derive(ToSchema)]
    pub struct RotateSecret {
        /// How long the old secret stays valid, up to 7 days; the platform's setting when left out.
        /// `0`, for a leaked secret: the old secret is invalid at once, and so is every secret
        /// replaced before.
        #[schema(value_type = Option<schema::GracePeriodText>, inline)]
        pub grace_period: Option<Duration> = optional(parse_grace_period),
        /// The new secret; generated when left out.
        #[schema(value_type = Option<schema::SecretText>, inline)]
        pub secret: Option<SigningSecret> = optional(SigningSecret::parse),
    }
}

impl RotateSecret {
    /// Reads the document.
    pub fn parse(body: &[u8]) -> Result<Self, Refusal> {
        let mut fields = Fields::of_body(body)?;
        let rotation = Self::take(&mut fields);
        fields.end_with(rotation)
    }

    /// Whether the old secret becomes invalid at once: requests fail until the receiver has the new one.
    pub fn ends_old_secret(&self) -> bool {
        self.grace_period.is_some_and(|period| period.is_zero())
    }
}

fn parse_grace_period(text: &str) -> Result<Duration, String> {
    parse_duration(text, PlatformSettings::MAX_GRACE_PERIOD)
}

/// The valid secrets of a webhook.
#[derive(Serialize, ToSchema)]
pub struct SecretBody {
    /// The current secret.
    #[schema(value_type = schema::SecretText)]
    pub secret: String,
    /// Replaced secrets, still valid, the newest first, two at most.
    pub previous: Vec<PreviousSecretBody>,
}

/// A replaced secret, still valid.
#[derive(Serialize, ToSchema)]
#[schema(as = PreviousSecret)]
pub struct PreviousSecretBody {
    /// The secret.
    #[schema(value_type = schema::SecretText)]
    pub secret: String,
    /// Until when requests are also signed with the replaced secret.
    pub valid_until: DateTime<Utc>,
}

/// Shows the secret of a webhook, and records the caller in the audit log.
pub async fn show_secret(
    id: WebhookId,
    caller: &Caller,
    connections: &Connections,
    sealing_keys: &SealingKeys,
) -> Result<SecretBody, Refusal> {
    let mut connection = connections.acquire().await?;
    // One transaction: no secret is shown without an entry in the audit log.
    transaction(&mut connection, async |connection| {
        let webhook = find_stored(connection, id).await?;
        let entry = AuditEntry {
            webhook_id: Some(id),
            ..AuditEntry::new(AuditAction::SecretRead, webhook.settings.name.as_str())
        };
        audit::insert(connection, &caller.actor(), &entry).await?;
        find_secrets(connection, id, sealing_keys).await
    })
    .await
}

/// Replaces the secret of a webhook. Until the grace period of the old secret ends, requests are
/// signed with both secrets.
pub async fn rotate_secret(
    id: WebhookId,
    rotation: RotateSecret,
    caller: &Caller,
    connections: &Connections,
    sealing_keys: &SealingKeys,
) -> Result<SecretBody, Refusal> {
    let mut connection = connections.acquire().await?;
    transaction(&mut connection, async |connection| {
        let webhook = lock(connection, id, &IfMatch::Any).await?;
        rotate_locked(connection, &webhook, rotation, caller, sealing_keys).await?;
        find_secrets(connection, id, sealing_keys).await
    })
    .await
}

/// Replaces the secret of a webhook that the caller's transaction has locked. Without a grace period of
/// its own, the rotation has the platform's.
pub(super) async fn rotate_locked(
    connection: &mut RawConnection,
    webhook: &Webhook,
    rotation: RotateSecret,
    caller: &Caller,
    sealing_keys: &SealingKeys,
) -> Result<(), Refusal> {
    let secret = rotation.secret.unwrap_or_else(generate_secret);
    let grace_period = match rotation.grace_period {
        Some(grace_period) => grace_period,
        None => settings::find(connection).await?.settings.grace_period,
    };
    let name = webhook.settings.name.as_str();
    let valid_until = (!grace_period.is_zero()).then(|| Utc::now() + grace_period);
    let rotated = (webhook.id, name, valid_until);
    rotate_within(connection, rotated, &secret, caller, sealing_keys).await
}

/// Replaces the secret of the webhook `id` called `name` in the caller's transaction. The old secret
/// is valid until `valid_until`, or no more.
pub(super) async fn rotate_within(
    connection: &mut RawConnection,
    (id, name, valid_until): (WebhookId, &str, Option<DateTime<Utc>>),
    secret: &SigningSecret,
    caller: &Caller,
    sealing_keys: &SealingKeys,
) -> Result<(), Refusal> {
    // Postgres keeps microseconds: the audit log must have the stored time.
    let valid_until = valid_until.map(|until| until.trunc_subsecs(6));
    secrets::rotate(connection, sealing_keys, id, secret, valid_until).await?;
    let entry = AuditEntry {
        webhook_id: Some(id),
        after: Some(serde_json::json!({"previous_valid_until": valid_until})),
        ..AuditEntry::new(AuditAction::SecretRotated, name)
    };
    audit::insert(connection, &caller.actor(), &entry).await?;
    Ok(())
}

async fn find_secrets(
    connection: &mut RawConnection,
    id: WebhookId,
    sealing_keys: &SealingKeys,
) -> Result<SecretBody, Refusal> {
    let secrets = secrets::find(connection, sealing_keys, id).await?;
    let secrets = secrets.ok_or(Refusal::NotFound("webhook"))?;
    Ok(SecretBody::from(&secrets))
}

impl From<&Secrets> for SecretBody {
    fn from(secrets: &Secrets) -> Self {
        let previous = secrets.previous.iter().map(|previous| PreviousSecretBody {
            secret: previous.secret.reveal().to_owned(),
            valid_until: previous.valid_until,
        });
        Self {
            secret: secrets.current.reveal().to_owned(),
            previous: previous.collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rotation_may_say_how_long_its_grace_period_is() {
        let grace = |body: &str| {
            let parsed = RotateSecret::parse(body.as_bytes());
            parsed.map(|rotation| rotation.grace_period.map(|grace| grace.as_secs()))
        };

        assert!(matches!(grace("{}"), Ok(None)));
        assert!(matches!(grace(r#"{"grace_period":"0"}"#), Ok(Some(0))));
        assert!(matches!(
            grace(r#"{"grace_period":"7d"}"#),
            Ok(Some(604_800))
        ));
        for wrong in [
            r#"{"grace_period":"8d"}"#,
            r#"{"grace_period":5}"#,
            r#"{"secret":"x"}"#,
        ] {
            assert!(matches!(grace(wrong), Err(Refusal::Invalid(_))), "{wrong}");
        }
    }
}
