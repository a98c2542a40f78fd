//! All rejected messages, searched by their reason.

use actix_web::HttpResponse;
use actix_web::web::Data;
use askama::Template;

use crate::connections::Connections;
use crate::page::Page;
use crate::pages::filters;
use crate::pages::html::page;
use crate::pages::query::Query;
use crate::pages::visit::Visit;
use crate::problem::Problem;
use crate::routes::rejected_messages::{RejectedMessageBody, read_list};

#[derive(Template)]
#[template(path = "rejected_messages/list.html")]
struct MessagesPage {
    visit: Visit,
    query: Query,
    list: Page<RejectedMessageBody>,
}

/// Lists rejected messages.
pub(in crate::pages) async fn show_messages(
    visit: Visit,
    query: Query,
    connections: Data<Connections>,
) -> Result<HttpResponse, Problem> {
    let list = read_list(&query.as_api(), &connections).await?;
    let shown = MessagesPage { visit, query, list };
    page(&shown.visit, &shown)
}
