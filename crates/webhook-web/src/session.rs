//! Sessions of browsers: signing in with an API key, the cookie, signing out.

use actix_web::HttpRequest;
use actix_web::cookie::{Cookie, SameSite, time};
use webhook_admin::sessions::{NewSession, SESSION_LASTS, end_session};
use webhook_admin::url_rules::UrlRules;
use webhook_admin::{Connections, Refusal};
use webhook_domain::{ApiKey, UrlSchemes};
use webhook_store::api_keys::ApiKeyRow;

use crate::api_key_cache::ApiKeyCache;
use crate::auth::{SESSION_COOKIE, count_refused};
use crate::problem::Problem;
use crate::rate_limit::KeyLimits;

/// Finds the API key of a sign-in. A sign-in counts as a request of the API key.
pub async fn find_signing_in(
    key: &ApiKey,
    api_key_cache: &ApiKeyCache,
    limits: &KeyLimits,
) -> Result<ApiKeyRow, Problem> {
    let row = api_key_cache.find(key).await.map_err(Problem::from);
    count_refused(&row, "form");
    let row = row?;
    limits.count(row.id)?;
    Ok(row)
}

/// The cookie of a session.
pub fn session_cookie(session: &NewSession, url_rules: &UrlRules) -> Cookie<'static> {
    let seconds = i64::try_from(SESSION_LASTS.as_secs()).unwrap_or(i64::MAX);
    cookie(
        url_rules,
        session.token.reveal(),
        time::Duration::seconds(seconds),
    )
}

/// Ends the session of a browser with a session, and returns the cookie for the browser to forget the
/// token.
pub async fn sign_out(
    request: &HttpRequest,
    connections: &Connections,
    url_rules: &UrlRules,
) -> Result<Cookie<'static>, Refusal> {
    if let Some(sent) = request.cookie(SESSION_COOKIE) {
        end_session(sent.value(), connections).await?;
    }
    Ok(cookie(url_rules, "", time::Duration::ZERO))
}

/// A cookie out of reach of scripts and of other sites; over TLS only, unless plain http is allowed.
fn cookie(url_rules: &UrlRules, value: &str, max_age: time::Duration) -> Cookie<'static> {
    Cookie::build(SESSION_COOKIE, value.to_owned())
        .path("/")
        .http_only(true)
        .secure(url_rules.schemes == UrlSchemes::HttpsOnly)
        .same_site(SameSite::Strict)
        .max_age(max_age)
        .finish()
}
