//! Sessions: a browser signs in with a key, and out again.

use std::time::Duration;

use actix_web::cookie::{Cookie, SameSite, time};
use actix_web::web::{Data, Json};
use actix_web::{HttpRequest, HttpResponse};
use chrono::{DateTime, Utc};
use serde::Serialize;
use utoipa::ToSchema;
use webhook_domain::{ApiKey, Role, SessionToken, UrlSchemes};
use webhook_store::api_keys::ApiKeyRow;
use webhook_store::sessions;

use crate::refusals::Refusals;
use webhook_admin::Connections;
use webhook_admin::Refusal;
use webhook_admin::fields::Fields;
use webhook_admin::schema;
use webhook_admin::url_rules::UrlRules;
use webhook_web::Authenticated;
use webhook_web::Problem;
use webhook_web::api_key_cache::ApiKeyCache;
use webhook_web::auth::SESSION_COOKIE;
use webhook_web::body::Body;
use webhook_web::rate_limit::KeyLimits;

/// The most bytes that a sign-in in JSON may have.
const MAX_BYTES: usize = 1_024;

/// For how long a session lasts.
const LASTS: Duration = Duration::from_secs(12 * 3_600);

/// Who signs in.
#[derive(ToSchema)]
#[allow(
    dead_code,
    reason = "it documents what `parse_key` reads field by field"
)]
pub(crate) struct SignIn {
    #[schema(value_type = schema::ApiKeyText, inline)]
    key: String,
}

/// A session that has begun.
#[derive(Serialize, ToSchema)]
#[schema(as = Session)]
pub(crate) struct SessionBody {
    /// The key that signed in.
    key_name: String,
    #[schema(value_type = schema::RoleName)]
    role: &'static str,
    /// When it is over; it ends with its key too.
    expires_at: DateTime<Utc>,
}

/// Who asks.
#[derive(Serialize, ToSchema)]
#[schema(as = Caller)]
pub(crate) struct CallerBody {
    /// What the key is called.
    key_name: String,
    #[schema(value_type = schema::RoleName)]
    role: &'static str,
}

/// Signs a browser in with a key: the answer sets the cookie `webhooks_session` for 12
/// hours.
#[utoipa::path(
    post, path = "/api/v1/session", tag = "session", request_body = SignIn, security(()),
    responses(
        (status = 201, body = SessionBody, headers(("Set-Cookie" = String, description = "`webhooks_session`, HttpOnly, SameSite=Strict"))),
        Refusals
    )
)]
pub(crate) async fn sign_in(
    body: Body<MAX_BYTES>,
    known_keys: Data<ApiKeyCache>,
    connections: Data<Connections>,
    url_rules: Data<UrlRules>,
    limits: Data<KeyLimits>,
) -> Result<HttpResponse, Problem> {
    let key = parse_key(&body.0)?;
    let known = find_key(&key, &known_keys, &limits).await?;
    let (expires_at, cookie) = begin(&known, &connections, &url_rules).await?;
    Ok(HttpResponse::Created().cookie(cookie).json(SessionBody {
        key_name: known.name,
        role: known.role.as_str(),
        expires_at,
    }))
}

/// Finds who signs in.
pub(crate) async fn find_key(
    key: &ApiKey,
    known_keys: &ApiKeyCache,
    limits: &KeyLimits,
) -> Result<ApiKeyRow, Problem> {
    let known = known_keys.find(key).await?;
    limits.count(known.id)?;
    Ok(known)
}

/// Begins a session: tells when it is over, and the cookie that carries it.
pub(crate) async fn begin(
    key: &ApiKeyRow,
    connections: &Connections,
    url_rules: &UrlRules,
) -> Result<(DateTime<Utc>, Cookie<'static>), Refusal> {
    let token = SessionToken::from_random(rand::random());
    let expires_at = Utc::now() + LASTS;
    let mut connection = connections.acquire().await?;
    sessions::insert(&mut connection, &token.hash(), key.id, expires_at).await?;
    let seconds = i64::try_from(LASTS.as_secs()).unwrap_or(i64::MAX);
    let lasts = time::Duration::seconds(seconds);
    Ok((expires_at, cookie(url_rules, token.reveal(), lasts)))
}

/// Tells who asks, by key or by session.
#[utoipa::path(
    get, path = "/api/v1/session", tag = "session",
    responses((status = 200, body = CallerBody), Refusals)
)]
#[allow(clippy::unused_async, reason = "handlers are async")]
pub(crate) async fn show_session(Authenticated(caller): Authenticated) -> Json<CallerBody> {
    Json(CallerBody {
        key_name: caller.name().to_owned(),
        role: Role::as_str(caller.role()),
    })
}

/// Signs a browser out. Without a session nothing changes.
#[utoipa::path(
    delete, path = "/api/v1/session", tag = "session",
    responses((status = 204), Refusals)
)]
pub(crate) async fn sign_out(
    request: HttpRequest,
    connections: Data<Connections>,
    url_rules: Data<UrlRules>,
) -> Result<HttpResponse, Problem> {
    let forget = end(&request, &connections, &url_rules).await?;
    Ok(HttpResponse::NoContent().cookie(forget).finish())
}

/// Ends the session of a browser, if it has one: tells the cookie that makes it forget.
pub(crate) async fn end(
    request: &HttpRequest,
    connections: &Connections,
    url_rules: &UrlRules,
) -> Result<Cookie<'static>, Refusal> {
    if let Some(sent) = request.cookie(SESSION_COOKIE) {
        let mut connection = connections.acquire().await?;
        let hash = SessionToken::given(sent.value()).hash();
        sessions::delete(&mut connection, &hash).await?;
    }
    Ok(cookie(url_rules, "", time::Duration::ZERO))
}

/// Out of reach of scripts and of other sites; over TLS only, unless plain http is allowed.
fn cookie(url_rules: &UrlRules, value: &str, max_age: time::Duration) -> Cookie<'static> {
    Cookie::build(SESSION_COOKIE, value.to_owned())
        .path("/")
        .http_only(true)
        .secure(url_rules.schemes == UrlSchemes::HttpsOnly)
        .same_site(SameSite::Strict)
        .max_age(max_age)
        .finish()
}

/// What is no key is refused like one that is not known.
fn parse_key(body: &[u8]) -> Result<ApiKey, Refusal> {
    let mut fields = Fields::of_body(body)?;
    let key = fields.required("key", |text| Ok::<_, String>(ApiKey::parse(text)));
    let errors = fields.finish();
    match key {
        Some(key) if errors.is_empty() => key.map_err(|_| Refusal::Unauthorized),
        _ => Err(Refusal::Invalid(errors)),
    }
}
