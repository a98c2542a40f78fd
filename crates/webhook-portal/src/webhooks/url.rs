//! Checks a URL while the form is being filled in.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::Data;
use askama::Template;
use webhook_domain::{FieldError, WebhookUrl};

use super::form::reword_url;
use crate::errors::Errors;
use crate::html::{html, render};
use crate::query::Query;
use webhook_admin::Refusal;
use webhook_admin::url_rules::UrlRules;
use webhook_web::Problem;

#[derive(Template)]
#[template(path = "webhooks/url.html")]
struct UrlFragment {
    errors: Errors,
}

/// Shows why the API would refuse a URL; empty for a URL that it would take.
#[allow(clippy::unused_async, reason = "handlers are async")]
pub(crate) async fn check_url(
    query: Query,
    rules: Data<UrlRules>,
) -> Result<HttpResponse, Problem> {
    let parsed = WebhookUrl::parse(query.text("url"), rules.schemes, &rules.addresses);
    let refused = parsed.err().map(|error| FieldError::new("url", error));
    let mut errors = Errors::of(Refusal::Invalid(refused.into_iter().collect()))?;
    reword_url(query.text("url"), &mut errors);
    Ok(html(StatusCode::OK).body(render(&UrlFragment { errors })?))
}
