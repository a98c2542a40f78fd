//! API keys: made, listed, revoked. For owners only.

use actix_web::web::{Data, Json, Path};
use actix_web::{HttpRequest, HttpResponse};
use chrono::{DateTime, Utc};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;
use webhook_domain::{ApiKey, ApiKeyId, AuditAction, KeyName, Role};
use webhook_store::api_keys::{self, ApiKeyRow, NewApiKey, Revoked};
use webhook_store::audit::{self, AuditEntry};
use webhook_store::{SealingKeys, transaction};
use webhook_web::creation::{IdempotencyHeader, respond_created};

use crate::refusals::Refusals;
use webhook_admin::Caller;
use webhook_admin::Connections;
use webhook_admin::Refusal;
use webhook_admin::creation::{Created, Creation, IdempotencyKey, create_once};
use webhook_admin::fields::Fields;
use webhook_admin::lists::{Page, PageLimit, parse_cursor};
use webhook_admin::schema;
use webhook_admin::values::parse_time;
use webhook_web::Authenticated;
use webhook_web::Problem;
use webhook_web::api_key_cache::ApiKeyCache;
use webhook_web::body::Body;

/// The most bytes that a key's description in JSON may have.
const MAX_BYTES: usize = 1_024;

/// A key to be made.
#[derive(ToSchema)]
#[allow(
    dead_code,
    reason = "it documents what `parse_key` reads field by field"
)]
pub(crate) struct CreateApiKey {
    #[schema(value_type = schema::KeyNameText, inline)]
    name: String,
    #[schema(value_type = schema::RoleName, inline)]
    role: String,
    /// From when on it is refused; never when left out.
    expires_at: Option<DateTime<Utc>>,
}

/// An API key, as far as it may be seen again.
#[derive(Serialize, ToSchema)]
#[schema(as = ApiKey)]
pub(crate) struct ApiKeyBody {
    pub(crate) id: Uuid,
    pub(crate) name: String,
    #[schema(value_type = schema::RoleName)]
    pub(crate) role: &'static str,
    /// The first characters of the key, to recognise it.
    #[schema(example = "whk_9fQ2bA")]
    pub(crate) prefix: String,
    pub(crate) created_at: DateTime<Utc>,
    /// To the minute.
    pub(crate) last_used_at: Option<DateTime<Utc>>,
    /// `null`: never.
    pub(crate) expires_at: Option<DateTime<Utc>>,
    pub(crate) revoked_at: Option<DateTime<Utc>>,
}

/// A key that was just made.
#[derive(Serialize, ToSchema)]
pub(crate) struct CreatedApiKey {
    #[serde(flatten)]
    about: ApiKeyBody,
    /// What to send as `Authorization: Bearer …`. It is never shown again.
    #[schema(example = "whk_9fQ2bAq0yGxM4m1mRk6m0u3y8b8pJm1q1m4m1mRk6m0")]
    key: String,
}

/// Makes a key.
#[utoipa::path(
    post, path = "/api/v1/api-keys", tag = "api keys", request_body = CreateApiKey,
    params(
        ("Idempotency-Key" = Option<String>, Header, description = "Makes it once, however often it is sent within 24 hours", min_length = 1, max_length = 255, pattern = "^[!-~]+$")
    ),
    responses(
        (status = 201, body = CreatedApiKey, headers(("Location" = String, description = "Where it is"))),
        Refusals
    )
)]
pub(crate) async fn create_api_key(
    IdempotencyHeader(idempotency_key): IdempotencyHeader,
    body: Body<MAX_BYTES>,
    Authenticated(caller): Authenticated,
    connections: Data<Connections>,
    keys: Data<SealingKeys>,
) -> Result<HttpResponse, Problem> {
    let created = create(&idempotency_key, &body.0, &caller, &connections, &keys).await?;
    Ok(respond_created(created))
}

/// Makes the key that a document describes.
pub(crate) async fn create(
    idempotency_key: &IdempotencyKey,
    body: &[u8],
    caller: &Caller,
    connections: &Connections,
    keys: &SealingKeys,
) -> Result<Creation, Refusal> {
    let (name, role, expires_at) = parse_key(body)?;
    let key = ApiKey::from_random(rand::random());
    let id = ApiKeyId(Uuid::now_v7());
    let new = NewApiKey {
        id,
        name: &name,
        role,
        key: &key,
        expires_at,
    };
    let mut connection = connections.acquire().await?;
    let request = (idempotency_key, body);
    create_once(&mut connection, keys, caller, request, async |connection| {
        let row = api_keys::insert(connection, &new).await?;
        let entry = AuditEntry {
            after: Some(describe(&row)),
            ..AuditEntry::new(AuditAction::ApiKeyCreated, name.as_str())
        };
        audit::insert(connection, &caller.actor(), &entry).await?;
        let created = CreatedApiKey {
            about: row.into(),
            key: key.reveal().to_owned(),
        };
        Ok(Created::of(id.0, "/api/v1/api-keys", None, &created))
    })
    .await
}

/// Lists keys, newest first, with those that are revoked or expired.
#[utoipa::path(
    get, path = "/api/v1/api-keys", tag = "api keys",
    params(
        ("cursor" = Option<Uuid>, Query, description = "`next_cursor` of the page before"),
        ("limit" = Option<u8>, Query, description = "Keys per page, 50 when left out", minimum = 1, maximum = 200)
    ),
    responses((status = 200, body = Page<ApiKeyBody>), Refusals)
)]
pub(crate) async fn list_api_keys(
    request: HttpRequest,
    connections: Data<Connections>,
) -> Result<Json<Page<ApiKeyBody>>, Problem> {
    read_list(request.query_string(), &connections)
        .await
        .map(Json)
        .map_err(Problem::from)
}

/// Reads the list that a query asks for.
pub(crate) async fn read_list(
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

/// Revokes a key: it is refused from now on, by other replicas within a second.
///
/// The last key of an owner stays.
#[utoipa::path(
    delete, path = "/api/v1/api-keys/{id}", tag = "api keys", params(("id" = Uuid, Path)),
    responses((status = 204), Refusals)
)]
pub(crate) async fn revoke_api_key(
    id: Path<String>,
    Authenticated(caller): Authenticated,
    connections: Data<Connections>,
    known_keys: Data<ApiKeyCache>,
) -> Result<HttpResponse, Problem> {
    revoke(&id, &caller, &connections, &known_keys).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// Revokes a key, and tells what it was.
pub(crate) async fn revoke(
    id: &str,
    caller: &Caller,
    connections: &Connections,
    known_keys: &ApiKeyCache,
) -> Result<ApiKeyBody, Refusal> {
    let id = parse_id(id)?;
    let mut connection = connections.acquire().await?;
    let revoked = transaction(&mut connection, async |connection| {
        let revoked = api_keys::revoke(connection, id).await?;
        match revoked {
            Revoked::Now(row) => {
                let entry = AuditEntry {
                    before: Some(describe(&row)),
                    ..AuditEntry::new(AuditAction::ApiKeyRevoked, &row.name)
                };
                audit::insert(connection, &caller.actor(), &entry).await?;
                Ok(row.into())
            }
            Revoked::LastOwner => Err(Refusal::Conflict(
                "it is the last key of an owner; make another one first",
            )),
            Revoked::Before | Revoked::Unknown => Err(Refusal::NotFound("API key")),
        }
    });
    let revoked = revoked.await?;
    known_keys.forget();
    Ok(revoked)
}

/// Reads a key, whether it is valid or not.
pub(crate) async fn read_one(id: &str, connections: &Connections) -> Result<ApiKeyBody, Refusal> {
    let id = parse_id(id)?;
    let mut connection = connections.acquire().await?;
    let row = api_keys::find(&mut connection, id).await?;
    row.map(ApiKeyBody::from)
        .ok_or(Refusal::NotFound("API key"))
}

fn parse_id(text: &str) -> Result<ApiKeyId, Refusal> {
    text.parse().map_err(|_| Refusal::NotFound("API key"))
}

/// What the audit log says of a key.
fn describe(row: &ApiKeyRow) -> serde_json::Value {
    serde_json::json!({
        "id": row.id, "role": row.role.as_str(), "prefix": row.prefix, "expires_at": row.expires_at
    })
}

fn parse_key(body: &[u8]) -> Result<(KeyName, Role, Option<DateTime<Utc>>), Refusal> {
    let mut fields = Fields::of_body(body)?;
    let name = fields.required("name", str::parse);
    let role = fields.required("role", str::parse);
    let expires_at = fields.optional("expires_at", parse_time);
    let errors = fields.finish();
    match (name, role) {
        (Some(name), Some(role)) if errors.is_empty() => Ok((name, role, expires_at)),
        _ => Err(Refusal::Invalid(errors)),
    }
}

impl From<ApiKeyRow> for ApiKeyBody {
    fn from(row: ApiKeyRow) -> Self {
        Self {
            id: row.id.0,
            name: row.name,
            role: row.role.as_str(),
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
        let refused = parse_key(br#"{"role":"king","expires_at":"soon","x":1}"#);

        let Err(Refusal::Invalid(errors)) = refused else {
            panic!("it must be refused by field");
        };
        let fields: Vec<&str> = errors.iter().map(|e| e.field.as_str()).collect();
        assert_eq!(fields, ["name", "role", "expires_at", "x"]);
    }
}
