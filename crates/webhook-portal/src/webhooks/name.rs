//! Tells of another webhook with the same name.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::Data;
use askama::Template;
use webhook_domain::{Environment, WebhookId};

use crate::filters::label_of;
use crate::html::{html, render};
use crate::query::Query;
use webhook_admin::Connections;
use webhook_admin::webhooks::has_namesake;
use webhook_web::Problem;

#[derive(Template)]
#[template(path = "webhooks/name.html")]
struct NameFragment {
    note: String,
}

/// Shows a note if another webhook of the environment has the name that is being typed.
pub(crate) async fn check_name(
    query: Query,
    connections: Data<Connections>,
) -> Result<HttpResponse, Problem> {
    let own = query.text("id").parse().ok();
    let note = match query.text("environment").parse() {
        Ok(environment) => note(environment, query.text("name"), own, &connections).await?,
        Err(_) => String::new(),
    };
    Ok(html(StatusCode::OK).body(render(&NameFragment { note })?))
}

/// The note about another webhook with the name; empty without one. A note, not a fault: names may repeat.
pub(super) async fn note(
    environment: Environment,
    name: &str,
    own: Option<WebhookId>,
    connections: &Connections,
) -> Result<String, Problem> {
    if !has_namesake(environment, name, own, connections).await? {
        return Ok(String::new());
    }
    let environment = label_of(environment.as_str());
    Ok(format!(
        "Another webhook in {environment} has the same name."
    ))
}
