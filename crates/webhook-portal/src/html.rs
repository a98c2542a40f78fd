//! Templates rendered into HTTP responses.

use actix_web::http::StatusCode;
use actix_web::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, LOCATION, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS,
    X_FRAME_OPTIONS,
};
use actix_web::{HttpResponse, HttpResponseBuilder};
use askama::Template;

use super::flash::{self, Flash};
use super::visit::Visit;
use webhook_admin::Refusal;
use webhook_web::Problem;

/// The content security policy: scripts and styles only from our own files, no request to another host,
/// no frame.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; \
    connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

/// Responds with a page for a signed-in visitor. The flash of the visit is shown once.
pub(super) fn page(visit: &Visit, page: &impl Template) -> Result<HttpResponse, Problem> {
    page_with(StatusCode::OK, visit, page)
}

/// Responds with a page and a status.
pub(super) fn page_with(
    status: StatusCode,
    visit: &Visit,
    page: &impl Template,
) -> Result<HttpResponse, Problem> {
    let mut response = html(status);
    if visit.flash.is_some() {
        response.cookie(flash::shown());
    }
    Ok(response.body(render(page)?))
}

/// A response that holds HTML, without its body.
pub(super) fn html(status: StatusCode) -> HttpResponseBuilder {
    let mut response = HttpResponse::build(status);
    response
        .content_type("text/html; charset=utf-8")
        .insert_header((CONTENT_SECURITY_POLICY, POLICY))
        .insert_header((X_CONTENT_TYPE_OPTIONS, "nosniff"))
        .insert_header((X_FRAME_OPTIONS, "DENY"))
        .insert_header((REFERRER_POLICY, "same-origin"))
        // A page may show secrets, and shows the state of a moment: no cache may keep it.
        .insert_header((CACHE_CONTROL, "no-store"));
    response
}

/// Renders a template.
pub(super) fn render(page: &impl Template) -> Result<String, Refusal> {
    page.render()
        .map_err(|error| Refusal::Broken(format!("a template cannot be rendered: {error}")))
}

/// Redirects the browser to a page after a form (RFC 9110, 15.4.4). The page shows the flash.
pub(super) fn redirect_with_flash(to: &str, flash: &Flash) -> HttpResponse {
    HttpResponse::SeeOther()
        .insert_header((LOCATION, to))
        .insert_header((CACHE_CONTROL, "no-store"))
        .cookie(flash.cookie())
        .finish()
}
