//! A template becomes an answer.

use actix_web::http::StatusCode;
use actix_web::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, LOCATION, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS,
    X_FRAME_OPTIONS,
};
use actix_web::{HttpResponse, HttpResponseBuilder};
use askama::Template;

use super::notice::{self, Notice};
use super::visit::Visit;
use webhook_admin::Refusal;
use webhook_web::Problem;

/// Scripts and styles are files of ours, nothing is asked of another host, nobody frames a page.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; \
    connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

/// Answers with a page of somebody who signed in; what it tells once is told.
pub(super) fn page(visit: &Visit, page: &impl Template) -> Result<HttpResponse, Problem> {
    page_with(StatusCode::OK, visit, page)
}

/// The same with another status.
pub(super) fn page_with(
    status: StatusCode,
    visit: &Visit,
    page: &impl Template,
) -> Result<HttpResponse, Problem> {
    let mut response = html(status);
    if visit.notice.is_some() {
        response.cookie(notice::told());
    }
    Ok(response.body(render(page)?))
}

/// Begins an answer that is a page.
pub(super) fn html(status: StatusCode) -> HttpResponseBuilder {
    let mut response = HttpResponse::build(status);
    response
        .content_type("text/html; charset=utf-8")
        .insert_header((CONTENT_SECURITY_POLICY, POLICY))
        .insert_header((X_CONTENT_TYPE_OPTIONS, "nosniff"))
        .insert_header((X_FRAME_OPTIONS, "DENY"))
        .insert_header((REFERRER_POLICY, "same-origin"))
        // What a page shows is for who signed in, and only now.
        .insert_header((CACHE_CONTROL, "no-store"));
    response
}

pub(super) fn render(page: &impl Template) -> Result<String, Refusal> {
    page.render()
        .map_err(|error| Refusal::Broken(format!("a page cannot be made: {error}")))
}

/// Sends the browser on after a form (RFC 9110, 15.4.4), to be told there what came of it.
pub(super) fn go_on(to: &str, notice: &Notice) -> HttpResponse {
    HttpResponse::SeeOther()
        .insert_header((LOCATION, to))
        .insert_header((CACHE_CONTROL, "no-store"))
        .cookie(notice.cookie())
        .finish()
}
