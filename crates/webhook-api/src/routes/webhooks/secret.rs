//! A webhook's secret is shown, or replaced.

use std::time::Duration;

use actix_web::HttpResponse;
use actix_web::http::header::CACHE_CONTROL;
use actix_web::web::{Data, Path};
use chrono::{DateTime, SubsecRound, Utc};
use serde::Serialize;
use utoipa::ToSchema;
use webhook_domain::{AuditAction, PlatformSettings, SigningSecret};
use webhook_store::audit::{self, AuditEntry};
use webhook_store::secrets::{self, Secrets};
use webhook_store::{SealingKeys, settings, transaction, webhooks};

use super::change::lock;
use super::read::parse_id;
use crate::refusals::Refusals;
use webhook_admin::Caller;
use webhook_admin::Connections;
use webhook_admin::Refusal;
use webhook_admin::duration::parse_duration;
use webhook_admin::fields::Fields;
use webhook_admin::schema;
use webhook_admin::version::IfMatch;
use webhook_web::Authenticated;
use webhook_web::Problem;
use webhook_web::body::Body;

/// The most bytes that a rotation in JSON may have.
const MAX_BYTES: usize = 1_024;

/// How to replace a secret.
#[derive(ToSchema)]
#[allow(
    dead_code,
    reason = "it documents what `parse_rotation` reads field by field"
)]
pub(crate) struct RotateSecret {
    /// For how long the old secret signs as well, up to 7 days; as the settings say when left out.
    /// `0`, for one that leaked: it is invalid at once, and with it any that was replaced before.
    #[schema(value_type = Option<schema::GracePeriodText>, inline)]
    grace_period: Option<String>,
    /// The new secret; generated when left out.
    #[schema(value_type = Option<schema::SecretText>, inline)]
    secret: Option<String>,
}

/// What a webhook's requests are signed with.
#[derive(Serialize, ToSchema)]
pub(crate) struct SecretBody {
    #[schema(value_type = schema::SecretText)]
    pub(crate) secret: String,
    /// Secrets that were replaced and still sign as well, the newest first, two at most.
    pub(crate) previous: Vec<PreviousSecretBody>,
}

/// A secret that was replaced.
#[derive(Serialize, ToSchema)]
#[schema(as = PreviousSecret)]
pub(crate) struct PreviousSecretBody {
    #[schema(value_type = schema::SecretText)]
    pub(crate) secret: String,
    pub(crate) valid_until: DateTime<Utc>,
}

/// Shows a webhook's secret. Each showing is written down in the audit log.
#[utoipa::path(
    get, path = "/api/v1/webhooks/{id}/secret", tag = "webhooks", params(("id" = Uuid, Path)),
    responses((status = 200, body = SecretBody), Refusals)
)]
pub(crate) async fn show_secret(
    id: Path<String>,
    Authenticated(caller): Authenticated,
    connections: Data<Connections>,
    keys: Data<SealingKeys>,
) -> Result<HttpResponse, Problem> {
    read_secret(&id, &caller, &connections, &keys)
        .await
        .map(answer)
        .map_err(Problem::from)
}

/// Reads a webhook's secret, and writes down who did.
pub(crate) async fn read_secret(
    id: &str,
    caller: &Caller,
    connections: &Connections,
    keys: &SealingKeys,
) -> Result<SecretBody, Refusal> {
    let id = parse_id(id)?;
    let mut connection = connections.acquire().await?;
    let found = transaction(&mut connection, async |connection| {
        let webhook = webhooks::find(connection, id).await?;
        let webhook = webhook.ok_or(Refusal::NotFound("webhook"))?;
        let entry = AuditEntry {
            webhook_id: Some(id),
            ..AuditEntry::new(AuditAction::SecretRead, webhook.settings.name.as_str())
        };
        audit::insert(connection, &caller.actor(), &entry).await?;
        Ok::<_, Refusal>(secrets::find(connection, keys, id).await?)
    });
    let secrets = found.await?.ok_or(Refusal::NotFound("webhook"))?;
    Ok(SecretBody::from(&secrets))
}

/// Gives a webhook another secret. Until the grace period is over its requests carry the
/// signatures of both, so that a receiver can change over at any time.
#[utoipa::path(
    post, path = "/api/v1/webhooks/{id}/secret/rotate", tag = "webhooks", request_body = RotateSecret,
    params(("id" = Uuid, Path)),
    responses((status = 200, body = SecretBody), Refusals)
)]
pub(crate) async fn rotate_secret(
    id: Path<String>,
    body: Body<MAX_BYTES>,
    Authenticated(caller): Authenticated,
    connections: Data<Connections>,
    keys: Data<SealingKeys>,
) -> Result<HttpResponse, Problem> {
    replace_secret(&id, &body.0, &caller, &connections, &keys)
        .await
        .map(answer)
        .map_err(Problem::from)
}

/// Replaces a webhook's secret as a [`RotateSecret`] says.
pub(crate) async fn replace_secret(
    id: &str,
    body: &[u8],
    caller: &Caller,
    connections: &Connections,
    keys: &SealingKeys,
) -> Result<SecretBody, Refusal> {
    let id = parse_id(id)?;
    let (secret, grace_period) = parse_rotation(body)?;
    let secret = secret.unwrap_or_else(|| SigningSecret::from_random(rand::random()));
    let mut connection = connections.acquire().await?;
    let rotated = transaction(&mut connection, async |connection| {
        let webhook = lock(connection, id, &IfMatch::Any).await?;
        let grace_period = match grace_period {
            Some(grace_period) => grace_period,
            None => settings::find(connection).await?.settings.grace_period,
        };
        let valid_until =
            (!grace_period.is_zero()).then(|| (Utc::now() + grace_period).trunc_subsecs(6));
        secrets::rotate(connection, keys, id, &secret, valid_until).await?;
        let entry = AuditEntry {
            webhook_id: Some(id),
            after: Some(serde_json::json!({"previous_valid_until": valid_until})),
            ..AuditEntry::new(AuditAction::SecretRotated, webhook.settings.name.as_str())
        };
        audit::insert(connection, &caller.actor(), &entry).await?;
        Ok::<_, Refusal>(secrets::find(connection, keys, id).await?)
    });
    let secrets = rotated.await?.ok_or(Refusal::NotFound("webhook"))?;
    Ok(SecretBody::from(&secrets))
}

/// The new secret and the grace period, if they are given.
fn parse_rotation(body: &[u8]) -> Result<(Option<SigningSecret>, Option<Duration>), Refusal> {
    let mut fields = Fields::of_body(body)?;
    let grace_period = fields.optional("grace_period", |text| {
        parse_duration(text, PlatformSettings::MAX_GRACE_PERIOD)
    });
    let secret = fields.optional("secret", SigningSecret::parse);
    fields.end()?;
    Ok((secret, grace_period))
}

fn answer(secret: SecretBody) -> HttpResponse {
    HttpResponse::Ok()
        .insert_header((CACHE_CONTROL, "no-store"))
        .json(secret)
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
            let parsed = parse_rotation(body.as_bytes());
            parsed.map(|(_, grace)| grace.map(|grace| grace.as_secs()))
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
