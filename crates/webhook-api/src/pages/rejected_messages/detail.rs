//! One rejected message: why it was rejected, what it says, and what to do with it.

use actix_web::HttpResponse;
use actix_web::http::header::{
    CACHE_CONTROL, ContentDisposition, DispositionParam, DispositionType, X_CONTENT_TYPE_OPTIONS,
};
use actix_web::web::{Data, Path};
use askama::Template;
use webhook_broker::Publisher;
use webhook_store::rejected_messages::RejectedMessage;

use super::LIST;
use super::body::{Kind, Shown};
use super::reason::{Reason, take_apart};
use crate::pages::filters;
use crate::pages::form::Form;
use crate::pages::html::{go_on, page};
use crate::pages::notice::Notice;
use crate::pages::visit::Visit;
use crate::routes::rejected_messages as api;
use webhook_admin::Connections;
use webhook_web::Authenticated;
use webhook_web::Problem;

#[derive(Template)]
#[template(path = "rejected_messages/detail.html")]
struct MessagePage {
    visit: Visit,
    message: RejectedMessage,
    /// What is wrong with it, one by one.
    reasons: Vec<Reason>,
    body: Shown,
}

#[derive(Template)]
#[template(path = "rejected_messages/discard.html")]
struct DiscardPage {
    visit: Visit,
    message: RejectedMessage,
}

/// Shows a message.
pub(in crate::pages) async fn show_message(
    visit: Visit,
    id: Path<String>,
    connections: Data<Connections>,
) -> Result<HttpResponse, Problem> {
    let (message, body) = api::find(&id, &connections).await?;
    let shown = MessagePage {
        visit,
        body: Shown::of(&body, message.body_truncated),
        reasons: take_apart(&message.reason),
        message,
    };
    page(&shown.visit, &shown)
}

/// Gives what is kept of a body as a file. A browser never takes it for a page.
pub(in crate::pages) async fn download_body(
    id: Path<String>,
    connections: Data<Connections>,
) -> Result<HttpResponse, Problem> {
    let (message, body) = api::find(&id, &connections).await?;
    let name = format!("rejected-message-{}", message.id);
    let as_file = ContentDisposition {
        disposition: DispositionType::Attachment,
        parameters: vec![DispositionParam::Filename(name)],
    };
    Ok(HttpResponse::Ok()
        .content_type("application/octet-stream")
        .insert_header(as_file)
        .insert_header((X_CONTENT_TYPE_OPTIONS, "nosniff"))
        .insert_header((CACHE_CONTROL, "no-store"))
        .body(body))
}

/// Puts a message back into the queue of events.
pub(in crate::pages) async fn requeue(
    id: Path<String>,
    form: Form,
    Authenticated(caller): Authenticated,
    connections: Data<Connections>,
    publisher: Data<Publisher>,
) -> Result<HttpResponse, Problem> {
    api::requeue(&id, &caller, &connections, &publisher).await?;
    let notice = Notice::new(
        "The message is back in the queue. It becomes an event now; if it is still wrong, it is \
         here again in a moment, as another message.",
    );
    Ok(go_on(form.back(LIST), &notice))
}

/// Asks whether a message is really to be deleted.
pub(in crate::pages) async fn ask_to_discard(
    visit: Visit,
    id: Path<String>,
    connections: Data<Connections>,
) -> Result<HttpResponse, Problem> {
    let (message, _) = api::find(&id, &connections).await?;
    let shown = DiscardPage { visit, message };
    page(&shown.visit, &shown)
}

/// Deletes a message.
pub(in crate::pages) async fn discard(
    id: Path<String>,
    _form: Form,
    Authenticated(caller): Authenticated,
    connections: Data<Connections>,
) -> Result<HttpResponse, Problem> {
    api::discard(&id, &caller, &connections).await?;
    Ok(go_on(LIST, &Notice::new("The message was discarded.")))
}
