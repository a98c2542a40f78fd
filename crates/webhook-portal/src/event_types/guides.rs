//! The repository's own guides for receivers as pages: to verifying requests, whose code the tests run, and to
//! templates.

use std::sync::LazyLock;

use actix_web::HttpResponse;
use askama::Template;

use super::markdown::to_html;
use crate::filters;
use crate::html::page;
use crate::samples;
use crate::visit::Visit;
use webhook_web::Problem;

static VERIFYING: LazyLock<String> = LazyLock::new(|| to_html(samples::GUIDE));

static TEMPLATES: LazyLock<String> =
    LazyLock::new(|| to_html(include_str!("../../../../docs/templates.md")));

#[derive(Template)]
#[template(path = "event_types/guide.html")]
struct GuidePage {
    visit: Visit,
    title: &'static str,
    guide: &'static str,
}

/// Shows the guide to verifying requests.
#[allow(clippy::unused_async, reason = "handlers are async")]
pub(crate) async fn show_verifying(visit: Visit) -> Result<HttpResponse, Problem> {
    show(visit, "How to verify a request", &VERIFYING)
}

/// Shows the guide to templates.
#[allow(clippy::unused_async, reason = "handlers are async")]
pub(crate) async fn show_templates(visit: Visit) -> Result<HttpResponse, Problem> {
    show(visit, "How to write a template", &TEMPLATES)
}

fn show(visit: Visit, title: &'static str, guide: &'static str) -> Result<HttpResponse, Problem> {
    let shown = GuidePage {
        visit,
        title,
        guide,
    };
    page(&shown.visit, &shown)
}
