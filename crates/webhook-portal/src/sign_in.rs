//! Signing in with an API key, and signing out.

use actix_web::cookie::{Cookie, SameSite};
use actix_web::http::StatusCode;
use actix_web::http::header::LOCATION;
use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse, ResponseError};
use askama::Template;
use webhook_domain::{ApiKey, Permission, SessionToken};
use webhook_store::api_keys::ApiKeyRow;

use super::form::{Form, is_page};
use super::form_token::SIGN_IN_COOKIE;
use super::html::{html, render};
use super::query::Query;
use super::{assets, filters};
use webhook_admin::Connections;
use webhook_admin::Refusal;
use webhook_admin::sessions::begin_session;
use webhook_admin::url_rules::UrlRules;
use webhook_web::Problem;
use webhook_web::api_key_cache::ApiKeyCache;
use webhook_web::rate_limit::KeyLimits;
use webhook_web::session::{self, find_signing_in, session_cookie};

/// The page after a sign-in without a destination.
const HOME: &str = "/admin/webhooks";

#[derive(Template)]
#[template(path = "sign_in.html")]
struct SignInPage<'a> {
    assets: &'static str,
    csrf: String,
    next: &'a str,
    refused: Option<String>,
}

/// Shows the sign-in form.
#[allow(clippy::unused_async, reason = "handlers are async")]
pub(super) async fn show_sign_in(query: Query) -> Result<HttpResponse, Problem> {
    ask(StatusCode::OK, query.text("next"), None)
}

/// Begins a session. An API key without the right to read gets no session, and the page says why.
pub(super) async fn sign_in(
    form: Form,
    known_keys: Data<ApiKeyCache>,
    connections: Data<Connections>,
    url_rules: Data<UrlRules>,
    limits: Data<KeyLimits>,
) -> Result<HttpResponse, Problem> {
    let next = form.text("next");
    let known = match find_key(form.text("key"), &known_keys, &limits).await {
        Ok(known) => known,
        Err(problem @ Problem::Refused(Refusal::Unauthorized)) => {
            let refused = "That API key is not valid. It may have been revoked or have expired.";
            return ask(problem.status_code(), next, Some(refused.to_owned()));
        }
        Err(
            problem @ (Problem::Refused(Refusal::Forbidden { .. })
            | Problem::TooManyRequests { .. }),
        ) => {
            return ask(problem.status_code(), next, Some(problem.to_string()));
        }
        Err(problem) => return Err(problem),
    };
    let session = begin_session(known.id, &connections).await?;
    let cookie = session_cookie(&session, &url_rules);
    Ok(HttpResponse::SeeOther()
        .insert_header((LOCATION, if is_page(next) { next } else { HOME }))
        .cookie(cookie)
        .finish())
}

/// Ends the session.
pub(super) async fn sign_out(
    _form: Form,
    request: HttpRequest,
    connections: Data<Connections>,
    url_rules: Data<UrlRules>,
) -> Result<HttpResponse, Problem> {
    let forget = session::sign_out(&request, &connections, &url_rules).await?;
    Ok(HttpResponse::SeeOther()
        .insert_header((LOCATION, "/admin/sign-in"))
        .cookie(forget)
        .finish())
}

async fn find_key(
    text: &str,
    known_keys: &ApiKeyCache,
    limits: &KeyLimits,
) -> Result<ApiKeyRow, Problem> {
    let key = ApiKey::parse(text).map_err(|_| Refusal::Unauthorized)?;
    let known = find_signing_in(&key, known_keys, limits).await?;
    let (role, permission) = (known.role, Permission::Read);
    if role.allows(permission) {
        Ok(known)
    } else {
        Err(Refusal::Forbidden { role, permission }.into())
    }
}

fn ask(status: StatusCode, next: &str, refused: Option<String>) -> Result<HttpResponse, Problem> {
    let token = SessionToken::from_random(rand::random());
    let page = SignInPage {
        assets: assets::base(),
        csrf: token.form_token(),
        next,
        refused,
    };
    let cookie = Cookie::build(SIGN_IN_COOKIE, token.reveal().to_owned())
        .path("/admin")
        .http_only(true)
        .same_site(SameSite::Strict)
        .finish();
    Ok(html(status).cookie(cookie).body(render(&page)?))
}
