//! The list of events, with filters.

use actix_web::HttpResponse;
use actix_web::web::Data;
use askama::Template;
use webhook_domain::{Environment, EventType};

use crate::chips::{Chip, chips};
use crate::filters::{self, label_of};
use crate::html::page;
use crate::query::Query;
use crate::visit::Visit;
use webhook_admin::Connections;
use webhook_admin::events::{EventBody, ListEvents, list_events};
use webhook_admin::lists::Page;
use webhook_web::Problem;

/// The filters of the list, each with the label of the page.
const FILTERS: [(&str, &str); 5] = [
    ("event_type", "Event type"),
    ("environment", "Environment"),
    ("matched", "Matched a webhook"),
    ("since", "Received since"),
    ("until", "Until"),
];

#[derive(Template)]
#[template(path = "events/list.html")]
struct EventsPage {
    visit: Visit,
    query: Query,
    list: Page<EventBody>,
    environments: &'static [Environment],
    event_types: &'static [EventType],
}

/// Shows the list of events.
pub(crate) async fn show_events(
    visit: Visit,
    query: Query,
    connections: Data<Connections>,
) -> Result<HttpResponse, Problem> {
    let list = ListEvents::parse(&query.as_api())?;
    let list = list_events(&list, &connections).await?;
    let shown = EventsPage {
        visit,
        query,
        list,
        environments: Environment::ALL,
        event_types: EventType::ALL,
    };
    page(&shown.visit, &shown)
}

impl EventsPage {
    fn chips(&self) -> Vec<Chip> {
        chips(&self.query, &FILTERS, |field, value| match (field, value) {
            ("environment", _) => label_of(value),
            ("matched", "true") => "Yes".to_owned(),
            ("matched", "false") => "No".to_owned(),
            _ => value.to_owned(),
        })
    }
}
