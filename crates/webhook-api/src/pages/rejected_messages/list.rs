//! All rejected messages, searched by their reason.

use actix_web::HttpResponse;
use actix_web::web::Data;
use askama::Template;

use super::reason::{Reason, take_apart};
use crate::pages::filters;
use crate::pages::html::page;
use crate::pages::query::Query;
use crate::pages::visit::Visit;
use crate::routes::rejected_messages::{RejectedMessageBody, read_list};
use webhook_admin::Connections;
use webhook_web::Problem;

#[derive(Template)]
#[template(path = "rejected_messages/list.html")]
struct MessagesPage {
    visit: Visit,
    query: Query,
    rows: Vec<Row>,
    next_cursor: Option<String>,
}

/// A message in the table.
struct Row {
    message: RejectedMessageBody,
    reasons: Vec<Reason>,
}

/// Lists rejected messages.
pub(in crate::pages) async fn show_messages(
    visit: Visit,
    query: Query,
    connections: Data<Connections>,
) -> Result<HttpResponse, Problem> {
    let list = read_list(&query.as_api(), &connections).await?;
    let rows = list.data.into_iter().map(|message| Row {
        reasons: take_apart(&message.reason),
        message,
    });
    let shown = MessagesPage {
        visit,
        query,
        rows: rows.collect(),
        next_cursor: list.next_cursor,
    };
    page(&shown.visit, &shown)
}
