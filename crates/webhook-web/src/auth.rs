//! Authentication and permissions: bearer keys, sessions of browsers, one permission per route.

use actix_web::HttpMessage;
use actix_web::body::BoxBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::Method;
use actix_web::http::header::{AUTHORIZATION, HOST, HeaderMap, ORIGIN};
use actix_web::middleware::Next;
use actix_web::web::Data;
use webhook_admin::{Caller, Connections, Refusal};
use webhook_domain::{ApiKey, Permission, SessionToken};
use webhook_metrics::catalogue::SIGN_IN_FAILURES;
use webhook_store::api_keys::ApiKeyRow;
use webhook_store::sessions;

use crate::api_key_cache::ApiKeyCache;
use crate::authenticated::Authenticated;
use crate::problem::Problem;
use crate::rate_limit::KeyLimits;
use crate::request_id;

/// The cookie of a browser's session.
pub const SESSION_COOKIE: &str = "webhooks_session";

/// Lets a request through to its handler if the role of the request's API key has `permission` (`None`:
/// any role), and hands the caller to the handler.
pub async fn authorize(
    permission: Option<Permission>,
    request: ServiceRequest,
    next: Next<BoxBody>,
) -> Result<ServiceResponse, actix_web::Error> {
    // The caller is checked before a byte of the body is read: a stranger cannot make us read a body.
    match check_request(&request, permission).await {
        Ok(()) => next.call(request).await,
        Err(problem) => Ok(request.error_response(problem)),
    }
}

async fn check_request(
    request: &ServiceRequest,
    permission: Option<Permission>,
) -> Result<(), Problem> {
    let caller = find_caller(request).await?;
    // Handed on before the role is checked: the page of a refusal names the caller.
    let known = Authenticated(caller.clone());
    request.extensions_mut().insert(known);
    // Publishing is limited by the broker's confirms, not by requests per second.
    if permission != Some(Permission::Publish)
        && let Some(key) = caller.key_id()
    {
        app_data::<KeyLimits>(request).count(key)?;
    }
    if let Some(permission) = permission {
        caller.require(permission)?;
    }
    Ok(())
}

fn app_data<T: 'static>(request: &ServiceRequest) -> &Data<T> {
    let data = request.app_data();
    data.expect("server.rs gives the app data to every route")
}

/// Finds the caller by the API key of the request, else by the session of the browser.
async fn find_caller(request: &ServiceRequest) -> Result<Caller, Problem> {
    if request.headers().contains_key(AUTHORIZATION) {
        let known = find_bearer(request).await;
        count_refused(&known, "api_key");
        return Ok(Caller::of(known?, request_id::current()));
    }
    let cookie = request
        .cookie(SESSION_COOKIE)
        .ok_or(Refusal::Unauthorized)?;
    if is_cross_origin(request.method(), request.headers()) {
        return Err(Problem::OtherSite);
    }
    let hash = SessionToken::from_cookie(cookie.value()).hash();
    let mut connection = app_data::<Connections>(request).acquire().await?;
    let known = sessions::find_key(&mut connection, &hash).await?;
    let known = known.ok_or_else(|| Refusal::Unauthorized.into());
    count_refused(&known, "session");
    Ok(Caller::of(known?, request_id::current()))
}

async fn find_bearer(request: &ServiceRequest) -> Result<ApiKeyRow, Problem> {
    let key = bearer_key(request.headers()).ok_or(Refusal::Unauthorized)?;
    Ok(app_data::<ApiKeyCache>(request).find(&key).await?)
}

/// Counts refused credentials. A request without credentials is none: a browser asks before its sign-in.
pub(crate) fn count_refused<T>(known: &Result<T, Problem>, by: &'static str) {
    if let Err(Problem::Refused(Refusal::Unauthorized)) = known {
        SIGN_IN_FAILURES.add_for(&[by], 1);
    }
}

/// Whether a page of another origin makes a browser change data here. `SameSite` keeps the cookie from
/// other sites, and this check keeps the cookie from other hosts and ports of the same site. Browsers
/// without `Sec-Fetch-Site` send `Origin`.
fn is_cross_origin(method: &Method, headers: &HeaderMap) -> bool {
    if method.is_safe() {
        return false;
    }
    if let Some(site) = headers.get("sec-fetch-site") {
        return site != "same-origin" && site != "none";
    }
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
    let origin = text(ORIGIN).and_then(|origin| origin.split_once("://"));
    match (origin, text(HOST)) {
        (Some((_, origin)), Some(host)) => origin != host,
        _ => true,
    }
}

/// The key of `Authorization: Bearer whk_…`; the scheme's case does not matter (RFC 9110, 11.1).
fn bearer_key(headers: &HeaderMap) -> Option<ApiKey> {
    let (scheme, key) = headers.get(AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("bearer") {
        return None;
    }
    ApiKey::parse(key.trim()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::http::header::{HeaderName, HeaderValue};

    fn parse(value: &str) -> Option<ApiKey> {
        let mut headers = HeaderMap::new();
        let value = HeaderValue::from_str(value).expect("a header's value");
        headers.insert(AUTHORIZATION, value);
        bearer_key(&headers)
    }

    #[test]
    fn a_page_of_another_origin_changes_nothing() {
        let elsewhere = |method: Method, sent: &[(&'static str, &'static str)]| {
            let mut headers = HeaderMap::new();
            for (name, value) in sent {
                let name = HeaderName::from_static(name);
                headers.insert(name, HeaderValue::from_static(value));
            }
            is_cross_origin(&method, &headers)
        };
        let site = "sec-fetch-site";
        let (host, own) = (
            ("host", "a.example:8080"),
            ("origin", "https://a.example:8080"),
        );

        assert!(elsewhere(Method::POST, &[(site, "same-site")]));
        assert!(elsewhere(Method::DELETE, &[(site, "cross-site")]));
        assert!(elsewhere(
            Method::POST,
            &[host, ("origin", "https://b.example")]
        ));
        assert!(elsewhere(Method::POST, &[host, ("origin", "null")]));
        assert!(elsewhere(Method::POST, &[host]));
        assert!(!elsewhere(Method::GET, &[(site, "cross-site")]));
        assert!(!elsewhere(Method::POST, &[(site, "same-origin")]));
        assert!(!elsewhere(Method::POST, &[host, own]));
    }

    #[test]
    fn only_a_bearer_key_is_taken() {
        let key = ApiKey::from_random([7; 32]);
        let key = key.reveal();

        assert!(parse(&format!("Bearer {key}")).is_some());
        assert!(parse(&format!("bearer {key}")).is_some());
        for other in [
            key.to_owned(),
            format!("Basic {key}"),
            "Bearer sk_42".to_owned(),
        ] {
            assert!(parse(&other).is_none(), "{other}");
        }
    }
}
