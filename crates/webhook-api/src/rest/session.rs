//! `/api/v1/session`: a browser signs in with an API key, and signs out.

use actix_web::web::{Data, Json};
use actix_web::{HttpRequest, HttpResponse};
use webhook_admin::Connections;
use webhook_admin::sessions::{CallerBody, SessionBody, SignIn, begin_session};
use webhook_admin::url_rules::UrlRules;
use webhook_web::api_key_cache::ApiKeyCache;
use webhook_web::body::Body;
use webhook_web::rate_limit::KeyLimits;
use webhook_web::session::{self, find_signing_in, session_cookie};
use webhook_web::{Authenticated, Problem};

use crate::refusals::Refusals;

/// The most bytes of a sign-in in JSON.
const MAX_BYTES: usize = 1_024;

/// Signs a browser in with an API key.
///
/// The response sets the cookie `webhooks_session` for 12 hours. Programs need no session: they send
/// the API key with each request.
#[utoipa::path(
    post, path = "/api/v1/session", tag = "Session", request_body = SignIn, security(()),
    responses(
        (status = 201, body = SessionBody, headers(("Set-Cookie" = String, description = "`webhooks_session`, HttpOnly, SameSite=Strict"))),
        Refusals
    )
)]
pub(crate) async fn sign_in(
    body: Body<MAX_BYTES>,
    api_key_cache: Data<ApiKeyCache>,
    connections: Data<Connections>,
    url_rules: Data<UrlRules>,
    limits: Data<KeyLimits>,
) -> Result<HttpResponse, Problem> {
    let key = SignIn::parse(&body.0)?;
    let row = find_signing_in(&key, &api_key_cache, &limits).await?;
    let session = begin_session(row.id, &connections).await?;
    let cookie = session_cookie(&session, &url_rules);
    Ok(HttpResponse::Created().cookie(cookie).json(SessionBody {
        key_name: row.name,
        role: row.role,
        expires_at: session.expires_at,
    }))
}

/// Tells the name and the role of the caller.
///
/// For requests with an API key and for requests with a session.
#[utoipa::path(
    get, path = "/api/v1/session", tag = "Session",
    responses((status = 200, body = CallerBody), Refusals)
)]
#[allow(clippy::unused_async, reason = "handlers are async")]
pub(crate) async fn show_session(Authenticated(caller): Authenticated) -> Json<CallerBody> {
    Json(CallerBody {
        key_name: caller.name().to_owned(),
        role: caller.role(),
    })
}

/// Signs a browser out.
///
/// Without a session nothing changes.
#[utoipa::path(
    delete, path = "/api/v1/session", tag = "Session",
    responses((status = 204), Refusals)
)]
pub(crate) async fn sign_out(
    request: HttpRequest,
    connections: Data<Connections>,
    url_rules: Data<UrlRules>,
) -> Result<HttpResponse, Problem> {
    let forget = session::sign_out(&request, &connections, &url_rules).await?;
    Ok(HttpResponse::NoContent().cookie(forget).finish())
}
