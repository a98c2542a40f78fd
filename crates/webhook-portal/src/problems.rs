//! A problem becomes a page, or leads to the sign-in page.

use actix_web::body::BoxBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::StatusCode;
use actix_web::http::header::LOCATION;
use actix_web::middleware::Next;
use actix_web::{HttpMessage, HttpRequest, HttpResponse, ResponseError};
use askama::Template;
use url::form_urlencoded::byte_serialize;
use webhook_domain::FieldError;

use super::html::{html, render};
use super::{assets, filters};
use webhook_admin::{Caller, Refusal};
use webhook_web::request_id;
use webhook_web::{Authenticated, Problem};

#[derive(Template)]
#[template(path = "problem.html")]
struct ProblemPage<'a> {
    assets: &'static str,
    status: u16,
    title: &'a str,
    detail: String,
    fields: &'a [FieldError],
    /// The path of the refused request, without its query.
    path: &'a str,
    /// Who asked. `None`: the request was refused before its session was looked at.
    known: Option<Caller>,
    /// The sign-in page, which leads back to the refused page.
    sign_in: String,
    request_id: String,
}

/// Turns a problem into a page, where the API responds with JSON. The problem is already logged.
pub(super) async fn tell_problems(
    request: ServiceRequest,
    next: Next<BoxBody>,
) -> Result<ServiceResponse, actix_web::Error> {
    let response = next.call(request).await?;
    let Some(problem) = response
        .response()
        .error()
        .and_then(|error| error.as_error::<Problem>())
    else {
        return Ok(response);
    };
    let request = response.request();
    let told = if matches!(problem, Problem::Refused(Refusal::Unauthorized)) {
        to_sign_in(request)
    } else {
        tell(request, problem).unwrap_or_else(|problem| problem.error_response())
    };
    Ok(response.into_response(told))
}

/// Leads to the sign-in page, and from there back to the page of the request.
fn to_sign_in(request: &HttpRequest) -> HttpResponse {
    HttpResponse::SeeOther()
        .insert_header((LOCATION, sign_in_path(request)))
        .finish()
}

fn sign_in_path(request: &HttpRequest) -> String {
    let mut path = "/admin/sign-in".to_owned();
    if request.method().is_safe() {
        let wanted = request.uri().path_and_query();
        let wanted = wanted.map_or("", |wanted| wanted.as_str());
        path.push_str("?next=");
        path.extend(byte_serialize(wanted.as_bytes()));
    }
    path
}

fn tell(request: &HttpRequest, problem: &Problem) -> Result<HttpResponse, Problem> {
    let status = problem.status_code();
    let page = ProblemPage {
        assets: assets::base(),
        status: status.as_u16(),
        title: title(status),
        detail: problem.to_string(),
        fields: problem.fields(),
        path: request.path(),
        known: caller(request),
        sign_in: sign_in_path(request),
        request_id: request_id::current().unwrap_or_default(),
    };
    Ok(html(status).body(render(&page)?))
}

/// The caller, if the request had one. A caller whose role was refused is known too.
fn caller(request: &HttpRequest) -> Option<Caller> {
    let extensions = request.extensions();
    let known = extensions.get::<Authenticated>();
    known.map(|Authenticated(caller)| caller.clone())
}

fn title(status: StatusCode) -> &'static str {
    match status {
        StatusCode::NOT_FOUND => "Not found",
        StatusCode::FORBIDDEN => "Not allowed",
        StatusCode::UNPROCESSABLE_ENTITY => "Not understood",
        StatusCode::SERVICE_UNAVAILABLE => "Not available right now",
        StatusCode::INTERNAL_SERVER_ERROR => "Something went wrong",
        other => other.canonical_reason().unwrap_or("Refused"),
    }
}

/// Leads from a path with slashes at its end to the page without them; any other path has no page.
#[allow(clippy::unused_async, reason = "handlers are async")]
pub(super) async fn refuse_path(request: HttpRequest) -> Result<HttpResponse, Problem> {
    let page = request.path().trim_end_matches('/');
    if page == request.path() || !request.method().is_safe() {
        return Err(Refusal::NotFound("page").into());
    }
    let query = request.uri().query().map(|query| format!("?{query}"));
    // Every path here starts with `/admin`, so that no other host can be named.
    let location = format!("{page}{}", query.unwrap_or_default());
    Ok(HttpResponse::PermanentRedirect()
        .insert_header((LOCATION, location))
        .finish())
}

#[allow(clippy::unused_async, reason = "handlers are async")]
pub(super) async fn refuse_method() -> Result<HttpResponse, Problem> {
    let allowed = "GET, and POST for forms".to_owned();
    Err(Problem::MethodNotAllowed { allowed })
}
