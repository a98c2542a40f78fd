//! The guide to templates: the repository's own.

use std::sync::LazyLock;

use actix_web::HttpResponse;
use askama::Template;

use super::markdown::to_html;
use crate::filters;
use crate::html::page;
use crate::visit::Visit;
use webhook_web::Problem;

static GUIDE: LazyLock<String> =
    LazyLock::new(|| to_html(include_str!("../../../../docs/templates.md")));

#[derive(Template)]
#[template(path = "event_types/templates.html")]
struct TemplatesPage {
    visit: Visit,
    guide: &'static str,
}

/// Shows the guide.
#[allow(clippy::unused_async, reason = "handlers are async")]
pub(crate) async fn show_templates(visit: Visit) -> Result<HttpResponse, Problem> {
    let shown = TemplatesPage {
        visit,
        guide: &GUIDE,
    };
    page(&shown.visit, &shown)
}
