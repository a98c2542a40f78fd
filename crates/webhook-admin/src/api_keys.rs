//! API keys: created, listed, revoked. For owners only.

use chrono::{DateTime, Utc};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;
use webhook_domain::{ApiKey, ApiKeyId, AuditAction, KeyName, Role};
use webhook_store::api_keys::{self, ApiKeyRow, NewApiKey, Revoked};
use webhook_store::audit::{self, AuditEntry};
use webhook_store::{SealingKeys, transaction};

use crate::caller::Caller;
use crate::connections::Connections;
use crate::creation::{Created, Creation, CreationRequest, IdempotencyKey, create_once};
use crate::fields::Fields;
use crate::lists::{Page, PageLimit, parse_cursor};
use crate::refusal::Refusal;
use crate::request;
use crate::schema;
use crate::values::parse_time;

request! {
    /// An API key to be created.
    #[derive(Debug, ToSchema)]
    pub struct CreateApiKey {
        #[schema(value_type = schema::KeyNameText, inline)]
        name: KeyName = required(str::parse),
        #[schema(value_type = schema::RoleName, inline)]
        role: Role = required(str::parse),
        /// When the API key expires; never when left out.
        expires_at: Option<DateTime<Utc>> = optional(parse_time),
    }
}

/// An API key without its secret part, which nobody can see again.
#[derive(Serialize, ToSchema)]
#[schema(as = ApiKey)]
pub struct ApiKeyBody {
    /// The API key's id, no secret.
    pub id: Uuid,
    /// The API key's name in lists and in the audit log.
    pub name: String,
    /// The permissions of the API key.
    #[schema(value_type = schema::RoleName)]
    pub role: Role,
    /// The first characters of the API key, for recognition.
    #[schema(example = "whk_9fQ2bA")]
    pub prefix: String,
    /// When the API key was created.
    pub created_at: DateTime<Utc>,
    /// The minute of the API key's latest request.
    pub last_used_at: Option<DateTime<Utc>>,
    /// When the API key expires; `null`: never.
    pub expires_at: Option<DateTime<Utc>>,
    /// When the API key was revoked.
    pub revoked_at: Option<DateTime<Utc>>,
}

/// The response to a creation: the only place where the whole API key is shown.
#[derive(Serialize, ToSchema)]
pub struct CreatedApiKey {
    #[serde(flatten)]
    about: ApiKeyBody,
    /// The API key to send as `Authorization: Bearer …`. No other response shows the key.
    #[schema(example = "whk_9fQ2bAq0yGxM4m1mRk6m0u3y8b8pJm1q1m4m1mRk6m0")]
    key: String,
}

impl CreateApiKey {
    fn parse(body: &[u8]) -> Result<Self, Refusal> {
        let mut fields = Fields::of_body(body)?;
        let request = Self::take(&mut fields);
        fields.end_with(request)
    }
}

/// Creates an API key from a JSON document.
pub async fn create_api_key(
    idempotency_key: &IdempotencyKey,
    body: &[u8],
    caller: &Caller,
    connections: &Connections,
    sealing_keys: &SealingKeys,
) -> Result<Creation, Refusal> {
    let request = CreateApiKey::parse(body)?;
    let key = ApiKey::from_random(rand::random());
    let new = NewApiKey {
        id: ApiKeyId(Uuid::now_v7()),
        name: &request.name,
        role: request.role,
        key: &key,
        expires_at: request.expires_at,
    };
    let mut connection = connections.acquire().await?;
    let sent = CreationRequest {
        key: idempotency_key,
        body,
    };
    create_once(
        &mut connection,
        sealing_keys,
        caller,
        sent,
        async |connection| {
            let row = api_keys::insert(connection, &new).await?;
            let entry = AuditEntry {
                after: Some(describe(&row)),
                ..AuditEntry::new(AuditAction::ApiKeyCreated, request.name.as_str())
            };
            audit::insert(connection, &caller.actor(), &entry).await?;
            let created = CreatedApiKey {
                about: row.into(),
                key: key.reveal().to_owned(),
            };
            Ok(Created::of(new.id.0, "/api/v1/api-keys", None, &created))
        },
    )
    .await
}

/// Lists API keys by a URL's query, newest first, revoked and expired keys included.
pub async fn list_api_keys(
    query: &str,
    connections: &Connections,
) -> Result<Page<ApiKeyBody>, Refusal> {
    let mut fields = Fields::of_query(query);
    let limit: PageLimit = fields.optional("limit", str::parse).unwrap_or_default();
    let after = fields.optional("cursor", parse_cursor);
    fields.end()?;
    let mut connection = connections.acquire().await?;
    let rows = api_keys::list(&mut connection, after, limit.rows()).await?;
    let rows = rows.into_iter().map(ApiKeyBody::from).collect();
    Ok(Page::of(rows, limit, |row| row.id))
}

/// Finds an API key, also a revoked or an expired key.
pub async fn find_api_key(id: ApiKeyId, connections: &Connections) -> Result<ApiKeyBody, Refusal> {
    let mut connection = connections.acquire().await?;
    let row = api_keys::find(&mut connection, id).await?;
    row.map(ApiKeyBody::from)
        .ok_or(Refusal::NotFound("API key"))
}

/// Revokes an API key, and returns the key's row. The last owner's API key cannot be revoked.
///
/// The caller clears its cache of API keys after the call.
pub async fn revoke_api_key(
    id: ApiKeyId,
    caller: &Caller,
    connections: &Connections,
) -> Result<ApiKeyBody, Refusal> {
    let mut connection = connections.acquire().await?;
    let revoked = transaction(&mut connection, async |connection| match api_keys::revoke(
        connection, id,
    )
    .await?
    {
        Revoked::Now(row) => {
            let entry = AuditEntry {
                before: Some(describe(&row)),
                ..AuditEntry::new(AuditAction::ApiKeyRevoked, &row.name)
            };
            audit::insert(connection, &caller.actor(), &entry).await?;
            Ok(row.into())
        }
        Revoked::LastOwner => Err(Refusal::Conflict(
            "this is the last API key of an owner; create another key first",
        )),
        Revoked::Before | Revoked::Unknown => Err(Refusal::NotFound("API key")),
    });
    revoked.await
}

/// An API key in the audit log, without its secret part.
fn describe(row: &ApiKeyRow) -> serde_json::Value {
    serde_json::json!({
        "id": row.id, "role": row.role, "prefix": row.prefix, "expires_at": row.expires_at
    })
}

impl From<ApiKeyRow> for ApiKeyBody {
    fn from(row: ApiKeyRow) -> Self {
        Self {
            id: row.id.0,
            name: row.name,
            role: row.role,
            prefix: row.prefix,
            created_at: row.created_at,
            last_used_at: row.last_used_at,
            expires_at: row.expires_at,
            revoked_at: row.revoked_at,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_needs_a_name_and_a_role() {
        let refused = CreateApiKey::parse(br#"{"role":"king","expires_at":"soon","x":1}"#);

        let Err(Refusal::Invalid(errors)) = refused else {
            panic!("it must be refused by field");
        };
        let fields: Vec<&str> = errors.iter().map(|e| e.field.as_str()).collect();
        assert_eq!(fields, ["name", "role", "expires_at", "x"]);
    }
}
