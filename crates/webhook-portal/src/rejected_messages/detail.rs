//! The page of a rejected message: the reason, the body, and the forms to requeue or discard.

use actix_web::HttpResponse;
use actix_web::http::header::{
    CACHE_CONTROL, ContentDisposition, DispositionParam, DispositionType, X_CONTENT_TYPE_OPTIONS,
};
use actix_web::web::Data;
use askama::Template;
use webhook_broker::Publisher;
use webhook_store::rejected_messages::RejectedMessage;

use super::LIST;
use super::body::{BodyKind, ShownBody};
use super::reason::{Reason, split_reason};
use crate::filters;
use crate::flash::Flash;
use crate::form::Form;
use crate::html::{page, redirect_with_flash};
use crate::visit::Visit;
use webhook_admin::Connections;
use webhook_admin::rejected_messages::{
    discard_rejected_message, find_rejected_message, requeue_rejected_message,
};
use webhook_domain::RejectedMessageId;
use webhook_web::{Authenticated, PathId, Problem};

#[derive(Template)]
#[template(path = "rejected_messages/detail.html")]
struct MessagePage {
    visit: Visit,
    message: RejectedMessage,
    /// The faults of the message.
    reasons: Vec<Reason>,
    body: ShownBody,
}

#[derive(Template)]
#[template(path = "rejected_messages/discard.html")]
struct DiscardPage {
    visit: Visit,
    message: RejectedMessage,
}

/// Shows a message.
pub(crate) async fn show_message(
    visit: Visit,
    PathId(id): PathId<RejectedMessageId>,
    connections: Data<Connections>,
) -> Result<HttpResponse, Problem> {
    let (message, body) = find_rejected_message(id, &connections).await?;
    let shown = MessagePage {
        visit,
        body: ShownBody::of(&body, message.body_truncated),
        reasons: split_reason(&message.reason),
        message,
    };
    page(&shown.visit, &shown)
}

/// Sends the kept bytes of a body as a file. A browser saves the file and never shows it as a page.
pub(crate) async fn download_body(
    PathId(id): PathId<RejectedMessageId>,
    connections: Data<Connections>,
) -> Result<HttpResponse, Problem> {
    let (message, body) = find_rejected_message(id, &connections).await?;
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
pub(crate) async fn requeue_message(
    PathId(id): PathId<RejectedMessageId>,
    form: Form,
    Authenticated(caller): Authenticated,
    connections: Data<Connections>,
    publisher: Data<Publisher>,
) -> Result<HttpResponse, Problem> {
    requeue_rejected_message(id, &caller, &connections, &publisher).await?;
    let flash = Flash::new(
        "The message is back in the queue. If it is still wrong, it is rejected again in a moment, as \
         another message.",
    );
    Ok(redirect_with_flash(form.back(LIST), &flash))
}

/// Asks whether a message is really to be deleted.
pub(crate) async fn ask_to_discard_message(
    visit: Visit,
    PathId(id): PathId<RejectedMessageId>,
    connections: Data<Connections>,
) -> Result<HttpResponse, Problem> {
    let (message, _) = find_rejected_message(id, &connections).await?;
    let shown = DiscardPage { visit, message };
    page(&shown.visit, &shown)
}

/// Deletes a message.
pub(crate) async fn discard_message(
    PathId(id): PathId<RejectedMessageId>,
    _form: Form,
    Authenticated(caller): Authenticated,
    connections: Data<Connections>,
) -> Result<HttpResponse, Problem> {
    discard_rejected_message(id, &caller, &connections).await?;
    Ok(redirect_with_flash(
        LIST,
        &Flash::new("The message was discarded."),
    ))
}
