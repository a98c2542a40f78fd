//! Requeueing or discarding all matching messages, after a question with the number of messages.

use actix_web::HttpResponse;
use actix_web::web::Data;
use askama::Template;
use chrono::{DateTime, SecondsFormat, Utc};
use url::form_urlencoded::Serializer;
use webhook_admin::rejected_messages::{
    SelectRejectedMessages, discard_rejected_messages, read_clock, requeue_rejected_messages,
};
use webhook_admin::{Connections, Refusal};
use webhook_broker::Publisher;
use webhook_web::{Authenticated, Problem};

use super::LIST;
use crate::filters::{self, group};
use crate::flash::Flash;
use crate::form::Form;
use crate::html::{page, redirect_with_flash};
use crate::query::Query;
use crate::visit::Visit;

/// The filters of a selection.
const FILTERS: [&str; 3] = ["search", "since", "until"];

/// The set filters with the values.
type SetFilters = Vec<(&'static str, String)>;

#[derive(Template)]
#[template(path = "rejected_messages/requeue_all.html")]
struct RequeuePage {
    visit: Visit,
    selection: SetFilters,
    query: Query,
    /// The number of messages to be requeued.
    count: i64,
    /// The number of matching messages that would remain.
    remaining: i64,
}

#[derive(Template)]
#[template(path = "rejected_messages/discard_all.html")]
struct DiscardPage {
    visit: Visit,
    selection: SetFilters,
    query: Query,
    count: i64,
}

/// Asks before requeueing, with the number of messages.
pub(crate) async fn ask_to_requeue_messages(
    visit: Visit,
    query: Query,
    Authenticated(caller): Authenticated,
    connections: Data<Connections>,
    publisher: Data<Publisher>,
) -> Result<HttpResponse, Problem> {
    let set = set_filters(|name| query.text(name));
    let mut selection = select(&set)?;
    selection.dry_run = true;
    let counted = requeue_rejected_messages(&selection, &caller, &connections, &publisher).await?;
    let shown = RequeuePage {
        visit,
        selection: with_until(set, counted.until),
        query,
        count: counted.requeued,
        remaining: counted.remaining,
    };
    page(&shown.visit, &shown)
}

/// Requeues the messages.
pub(crate) async fn requeue_messages(
    form: Form,
    Authenticated(caller): Authenticated,
    connections: Data<Connections>,
    publisher: Data<Publisher>,
) -> Result<HttpResponse, Problem> {
    let selection = select(&set_filters(|name| form.text(name)))?;
    let done = requeue_rejected_messages(&selection, &caller, &connections, &publisher).await?;
    let mut sentences = match done.requeued {
        1 => "1 message is back in the queue.".to_owned(),
        count => format!("{} messages are back in the queue.", group(count)),
    };
    if done.remaining > 0 {
        sentences.push_str(&format!(" {} remain here.", group(done.remaining)));
    }
    sentences.push_str(" A message that is still wrong is rejected again as another message.");
    Ok(redirect_with_flash(LIST, &Flash::new(sentences)))
}

/// Asks before deleting, with the number of messages.
pub(crate) async fn ask_to_discard_messages(
    visit: Visit,
    query: Query,
    Authenticated(caller): Authenticated,
    connections: Data<Connections>,
) -> Result<HttpResponse, Problem> {
    let mut set = set_filters(|name| query.text(name));
    // The question counts the messages of now: later messages must not be deleted uncounted.
    if query.text("until").is_empty() {
        set = with_until(set, read_clock(&connections).await?);
    }
    let mut selection = select(&set)?;
    selection.dry_run = true;
    let counted = discard_rejected_messages(&selection, &caller, &connections).await?;
    let shown = DiscardPage {
        visit,
        selection: set,
        query,
        count: counted.discarded,
    };
    page(&shown.visit, &shown)
}

/// Deletes the messages.
pub(crate) async fn discard_messages(
    form: Form,
    Authenticated(caller): Authenticated,
    connections: Data<Connections>,
) -> Result<HttpResponse, Problem> {
    let selection = select(&set_filters(|name| form.text(name)))?;
    let done = discard_rejected_messages(&selection, &caller, &connections).await?;
    let sentence = match done.discarded {
        1 => "1 message was discarded.".to_owned(),
        count => format!("{} messages were discarded.", group(count)),
    };
    Ok(redirect_with_flash(LIST, &Flash::new(sentence)))
}

/// The set filters of a page's address or a form.
fn set_filters<'a>(text: impl Fn(&'static str) -> &'a str) -> SetFilters {
    let filters = FILTERS.map(|name| (name, text(name).to_owned()));
    let set = filters.into_iter().filter(|(_, value)| !value.is_empty());
    set.collect()
}

/// The filters with another end of the time.
fn with_until(mut set: SetFilters, until: DateTime<Utc>) -> SetFilters {
    set.retain(|(name, _)| *name != "until");
    let until = until.to_rfc3339_opts(SecondsFormat::Micros, true);
    set.push(("until", until));
    set
}

fn select(set: &[(&str, String)]) -> Result<SelectRejectedMessages, Refusal> {
    let query = Serializer::new(String::new()).extend_pairs(set).finish();
    SelectRejectedMessages::parse_query(&query)
}
