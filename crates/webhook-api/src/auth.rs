//! Who may call what: bearer keys, and one permission per route.

use actix_web::HttpMessage;
use actix_web::body::BoxBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header::{AUTHORIZATION, HeaderMap};
use actix_web::middleware::Next;
use actix_web::web::Data;
use webhook_domain::{ApiKey, Permission};
use webhook_store::api_keys;

use crate::caller::Caller;
use crate::connections::Connections;
use crate::problem::Problem;
use crate::rate_limit::KeyLimits;

/// Lets a request through if its key's role has `permission`, and tells the handler whose it is.
/// The body is not read before that.
pub(crate) async fn authorize(
    permission: Permission,
    request: ServiceRequest,
    next: Next<BoxBody>,
) -> Result<ServiceResponse, actix_web::Error> {
    match check_request(&request, permission).await {
        Ok(caller) => {
            request.extensions_mut().insert(caller);
            next.call(request).await
        }
        Err(problem) => Ok(request.error_response(problem)),
    }
}

async fn check_request(
    request: &ServiceRequest,
    permission: Permission,
) -> Result<Caller, Problem> {
    let key = bearer_key(request.headers()).ok_or(Problem::Unauthorized)?;
    let caller = find_caller(part(request), &key).await?;
    // Publishing has a limit of its own: the broker's confirms.
    if permission != Permission::Publish {
        part::<KeyLimits>(request).count(caller.key_id)?;
    }
    caller.require(permission)?;
    Ok(caller)
}

fn part<T: 'static>(request: &ServiceRequest) -> &Data<T> {
    let part = request.app_data();
    part.expect("server.rs gives its parts to every route")
}

async fn find_caller(connections: &Connections, key: &ApiKey) -> Result<Caller, Problem> {
    let mut connection = connections.acquire().await?;
    let known = api_keys::find_by_hash(&mut connection, &key.hash()).await?;
    known.map(Caller::of).ok_or(Problem::Unauthorized)
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
    use actix_web::http::header::HeaderValue;

    fn parse(value: &str) -> Option<ApiKey> {
        let mut headers = HeaderMap::new();
        let value = HeaderValue::from_str(value).expect("a header's value");
        headers.insert(AUTHORIZATION, value);
        bearer_key(&headers)
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
