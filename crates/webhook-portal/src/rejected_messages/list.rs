//! The list of rejected messages, with filters.

use actix_web::HttpResponse;
use actix_web::web::Data;
use askama::Template;

use super::reason::{Reason, split_reason};
use crate::chips::{Chip, chips};
use crate::filters;
use crate::html::page;
use crate::query::Query;
use crate::visit::Visit;
use webhook_admin::Connections;
use webhook_admin::rejected_messages::{
    ListRejectedMessages, RejectedMessageBody, list_rejected_messages,
};
use webhook_web::Problem;

/// The filters of the list, each with the label of the page.
const FILTERS: [(&str, &str); 3] = [("search", "Reason"), ("since", "Since"), ("until", "Until")];

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

/// Shows the list of rejected messages.
pub(crate) async fn show_messages(
    visit: Visit,
    query: Query,
    connections: Data<Connections>,
) -> Result<HttpResponse, Problem> {
    let list = ListRejectedMessages::parse(&query.as_api())?;
    let list = list_rejected_messages(&list, &connections).await?;
    let rows = list.data.into_iter().map(|message| Row {
        reasons: split_reason(&message.reason),
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

impl MessagesPage {
    fn chips(&self) -> Vec<Chip> {
        chips(&self.query, &FILTERS, |_, value| value.to_owned())
    }
}
