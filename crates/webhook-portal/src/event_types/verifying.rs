//! The guide to verifying requests: the repository's own, whose code the tests run.

use std::sync::LazyLock;

use actix_web::HttpResponse;
use askama::Template;

use super::markdown::to_html;
use crate::filters;
use crate::html::page;
use crate::samples;
use crate::visit::Visit;
use webhook_web::Problem;

static GUIDE: LazyLock<String> = LazyLock::new(|| to_html(samples::GUIDE));

#[derive(Template)]
#[template(path = "event_types/verifying.html")]
struct VerifyingPage {
    visit: Visit,
    guide: &'static str,
}

/// Shows the guide.
#[allow(clippy::unused_async, reason = "handlers are async")]
pub(crate) async fn show_verifying(visit: Visit) -> Result<HttpResponse, Problem> {
    let shown = VerifyingPage {
        visit,
        guide: &GUIDE,
    };
    page(&shown.visit, &shown)
}
