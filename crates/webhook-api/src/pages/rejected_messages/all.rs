//! All messages that a filter finds, requeued or discarded after asking.

use actix_web::HttpResponse;
use actix_web::web::Data;
use askama::Template;
use chrono::{DateTime, SecondsFormat, Utc};
use serde_json::{Map, Value};
use webhook_broker::Publisher;
use webhook_store::rejected_messages::clock;

use super::LIST;
use crate::pages::filters::{self, group};
use crate::pages::form::Form;
use crate::pages::html::{go_on, page};
use crate::pages::notice::Notice;
use crate::pages::query::Query;
use crate::pages::visit::Visit;
use crate::routes::rejected_messages::all::{discard_selected, requeue_selected};
use webhook_admin::Connections;
use webhook_web::Authenticated;
use webhook_web::Problem;

/// The fields of the API's document that say which messages.
const SELECTION: [&str; 3] = ["search", "since", "until"];

#[derive(Template)]
#[template(path = "rejected_messages/requeue_all.html")]
struct RequeuePage {
    visit: Visit,
    selection: Vec<(&'static str, String)>,
    query: Query,
    /// How many go back.
    count: i64,
    /// How many stay.
    remaining: i64,
}

#[derive(Template)]
#[template(path = "rejected_messages/discard_all.html")]
struct DiscardPage {
    visit: Visit,
    selection: Vec<(&'static str, String)>,
    query: Query,
    count: i64,
}

/// Asks whether messages are really to be requeued, and tells how many.
pub(in crate::pages) async fn ask_to_requeue(
    visit: Visit,
    query: Query,
    Authenticated(caller): Authenticated,
    connections: Data<Connections>,
    publisher: Data<Publisher>,
) -> Result<HttpResponse, Problem> {
    let asked = selection(|name| query.text(name));
    let dry = document(&asked, true);
    let found = requeue_selected(&dry, &caller, &connections, &publisher).await?;
    let shown = RequeuePage {
        visit,
        selection: until(asked, found.until),
        query,
        count: found.requeued,
        remaining: found.remaining,
    };
    page(&shown.visit, &shown)
}

/// Requeues messages.
pub(in crate::pages) async fn requeue(
    form: Form,
    Authenticated(caller): Authenticated,
    connections: Data<Connections>,
    publisher: Data<Publisher>,
) -> Result<HttpResponse, Problem> {
    let wanted = document(&selection(|name| form.text(name)), false);
    let done = requeue_selected(&wanted, &caller, &connections, &publisher).await?;
    let mut told = match done.requeued {
        1 => "1 message is back in the queue.".to_owned(),
        count => format!("{} messages are back in the queue.", group(count)),
    };
    if done.remaining > 0 {
        told.push_str(&format!(" {} are still here.", group(done.remaining)));
    }
    told.push_str(" What is still wrong comes back as another message.");
    Ok(go_on(LIST, &Notice::new(told)))
}

/// Asks whether messages are really to be deleted, and tells how many.
pub(in crate::pages) async fn ask_to_discard(
    visit: Visit,
    query: Query,
    Authenticated(caller): Authenticated,
    connections: Data<Connections>,
) -> Result<HttpResponse, Problem> {
    let asked = selection(|name| query.text(name));
    // What is rejected while a person reads the question was not asked about.
    let selection = if query.text("until").is_empty() {
        let mut connection = connections.acquire().await?;
        until(asked, clock(&mut connection).await?)
    } else {
        asked
    };
    let dry = document(&selection, true);
    let found = discard_selected(&dry, &caller, &connections).await?;
    let shown = DiscardPage {
        visit,
        selection,
        query,
        count: found.discarded,
    };
    page(&shown.visit, &shown)
}

/// Deletes messages.
pub(in crate::pages) async fn discard(
    form: Form,
    Authenticated(caller): Authenticated,
    connections: Data<Connections>,
) -> Result<HttpResponse, Problem> {
    let wanted = document(&selection(|name| form.text(name)), false);
    let done = discard_selected(&wanted, &caller, &connections).await?;
    let told = match done.discarded {
        1 => "1 message was discarded.".to_owned(),
        count => format!("{} messages were discarded.", group(count)),
    };
    Ok(go_on(LIST, &Notice::new(told)))
}

/// What a page or a form says of which messages.
fn selection<'a>(text: impl Fn(&'static str) -> &'a str) -> Vec<(&'static str, String)> {
    let fields = SELECTION.map(|name| (name, text(name).to_owned()));
    let said = fields.into_iter().filter(|(_, value)| !value.is_empty());
    said.collect()
}

/// The same, only what was there at a time.
fn until(
    mut selection: Vec<(&'static str, String)>,
    time: DateTime<Utc>,
) -> Vec<(&'static str, String)> {
    selection.retain(|(name, _)| *name != "until");
    let time = time.to_rfc3339_opts(SecondsFormat::Micros, true);
    selection.push(("until", time));
    selection
}

/// A selection as the API takes it.
fn document(selection: &[(&str, String)], dry_run: bool) -> Vec<u8> {
    let fields = selection
        .iter()
        .map(|(name, value)| ((*name).to_owned(), Value::from(value.as_str())));
    let mut document: Map<String, Value> = fields.collect();
    document.insert("dry_run".to_owned(), dry_run.into());
    Value::from(document).to_string().into_bytes()
}
