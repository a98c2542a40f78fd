//! `/api/v1/api-keys`: API keys, for owners.

use actix_web::web::{Data, Json};
use actix_web::{HttpRequest, HttpResponse};
use webhook_admin::Connections;
use webhook_admin::api_keys::{self, ApiKeyBody, CreateApiKey, CreatedApiKey};
use webhook_admin::lists::Page;
use webhook_domain::ApiKeyId;
use webhook_store::SealingKeys;
use webhook_web::api_key_cache::ApiKeyCache;
use webhook_web::body::Body;
use webhook_web::creation::{IdempotencyHeader, respond_created};
use webhook_web::{Authenticated, PathId, Problem};

use crate::refusals::Refusals;

/// The most bytes of an API key's description in JSON.
const MAX_BYTES: usize = 1_024;

/// Creates an API key.
///
/// The response is the only place that shows the whole key.
#[utoipa::path(
    post, path = "/api/v1/api-keys", tag = "API keys", request_body = CreateApiKey,
    params(
        ("Idempotency-Key" = Option<String>, Header, description = "Creates the API key once, however often the request is sent within 24 hours", min_length = 1, max_length = 255, pattern = "^[!-~]+$")
    ),
    responses(
        (status = 201, body = CreatedApiKey, headers(("Location" = String, description = "The API key's path"))),
        Refusals
    )
)]
pub(crate) async fn create_api_key(
    IdempotencyHeader(once): IdempotencyHeader,
    body: Body<MAX_BYTES>,
    Authenticated(caller): Authenticated,
    connections: Data<Connections>,
    sealing_keys: Data<SealingKeys>,
) -> Result<HttpResponse, Problem> {
    let created =
        api_keys::create_api_key(&once, &body.0, &caller, &connections, &sealing_keys).await?;
    Ok(respond_created(created))
}

/// Lists API keys, newest first.
///
/// Revoked and expired keys are included.
#[utoipa::path(
    get, path = "/api/v1/api-keys", tag = "API keys",
    params(
        ("cursor" = Option<Uuid>, Query, description = "`next_cursor` of the page before"),
        ("limit" = Option<u8>, Query, description = "API keys per page, 50 when left out", minimum = 1, maximum = 200)
    ),
    responses((status = 200, body = Page<ApiKeyBody>), Refusals)
)]
pub(crate) async fn list_api_keys(
    request: HttpRequest,
    connections: Data<Connections>,
) -> Result<Json<Page<ApiKeyBody>>, Problem> {
    let page = api_keys::list_api_keys(request.query_string(), &connections).await?;
    Ok(Json(page))
}

/// Revokes an API key.
///
/// The key is refused from now on, by other replicas within a second. The last owner's API key cannot
/// be revoked.
#[utoipa::path(
    delete, path = "/api/v1/api-keys/{id}", tag = "API keys", params(("id" = Uuid, Path)),
    responses((status = 204), Refusals)
)]
pub(crate) async fn revoke_api_key(
    PathId(id): PathId<ApiKeyId>,
    Authenticated(caller): Authenticated,
    connections: Data<Connections>,
    api_key_cache: Data<ApiKeyCache>,
) -> Result<HttpResponse, Problem> {
    api_keys::revoke_api_key(id, &caller, &connections).await?;
    api_key_cache.forget();
    Ok(HttpResponse::NoContent().finish())
}
