//! `/api/v1/rejected-messages`: rejected messages are listed, read, requeued and discarded.

use actix_web::web::{Data, Json};
use actix_web::{HttpRequest, HttpResponse};
use webhook_admin::Connections;
use webhook_admin::lists::Page;
use webhook_admin::rejected_messages::{
    self, ListRejectedMessages, RejectedMessageBody, RejectedMessageWithBody,
    RejectedMessagesDiscarded, RejectedMessagesRequeued, SelectRejectedMessages,
};
use webhook_broker::Publisher;
use webhook_domain::RejectedMessageId;
use webhook_web::body::Body;
use webhook_web::{Authenticated, PathId, Problem};

use crate::refusals::Refusals;

/// The most bytes of a selection in JSON.
const MAX_BYTES: usize = 8 * 1_024;

/// Lists rejected messages, newest first.
#[utoipa::path(
    get, path = "/api/v1/rejected-messages", tag = "Rejected messages",
    params(ListRejectedMessages),
    responses((status = 200, body = Page<RejectedMessageBody>), Refusals)
)]
pub(crate) async fn list_rejected_messages(
    request: HttpRequest,
    connections: Data<Connections>,
) -> Result<Json<Page<RejectedMessageBody>>, Problem> {
    let list = ListRejectedMessages::parse(request.query_string())?;
    let page = rejected_messages::list_rejected_messages(&list, &connections).await?;
    Ok(Json(page))
}

/// Reads a rejected message with its body.
#[utoipa::path(
    get, path = "/api/v1/rejected-messages/{id}", tag = "Rejected messages",
    params(("id" = Uuid, Path)),
    responses((status = 200, body = RejectedMessageWithBody), Refusals)
)]
pub(crate) async fn find_rejected_message(
    PathId(id): PathId<RejectedMessageId>,
    connections: Data<Connections>,
) -> Result<Json<RejectedMessageWithBody>, Problem> {
    let (message, body) = rejected_messages::find_rejected_message(id, &connections).await?;
    Ok(Json(RejectedMessageWithBody::of(message, &body)))
}

/// Puts a rejected message back into the queue of events.
///
/// The message is unchanged: a message that is still wrong is rejected again as another message. Two
/// requests at once may queue the message twice, which delivers once: the id of an event is remembered.
#[utoipa::path(
    post, path = "/api/v1/rejected-messages/{id}/requeue", tag = "Rejected messages",
    params(("id" = Uuid, Path)),
    responses((status = 204, description = "The broker confirmed the message"), Refusals)
)]
pub(crate) async fn requeue_rejected_message(
    PathId(id): PathId<RejectedMessageId>,
    Authenticated(caller): Authenticated,
    connections: Data<Connections>,
    publisher: Data<Publisher>,
) -> Result<HttpResponse, Problem> {
    rejected_messages::requeue_rejected_message(id, &caller, &connections, &publisher).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// Deletes a rejected message.
#[utoipa::path(
    delete, path = "/api/v1/rejected-messages/{id}", tag = "Rejected messages",
    params(("id" = Uuid, Path)),
    responses((status = 204, description = "The message is deleted"), Refusals)
)]
pub(crate) async fn discard_rejected_message(
    PathId(id): PathId<RejectedMessageId>,
    Authenticated(caller): Authenticated,
    connections: Data<Connections>,
) -> Result<HttpResponse, Problem> {
    rejected_messages::discard_rejected_message(id, &caller, &connections).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// Puts many rejected messages back into the queue of events.
///
/// Up to 10,000 messages, the oldest first.
#[utoipa::path(
    post, path = "/api/v1/rejected-messages/requeue", tag = "Rejected messages",
    request_body = SelectRejectedMessages,
    responses((status = 200, body = RejectedMessagesRequeued), Refusals)
)]
pub(crate) async fn requeue_rejected_messages(
    body: Body<MAX_BYTES>,
    Authenticated(caller): Authenticated,
    connections: Data<Connections>,
    publisher: Data<Publisher>,
) -> Result<Json<RejectedMessagesRequeued>, Problem> {
    let selection = SelectRejectedMessages::parse(&body.0)?;
    let requeued =
        rejected_messages::requeue_rejected_messages(&selection, &caller, &connections, &publisher);
    Ok(Json(requeued.await?))
}

/// Deletes many rejected messages.
#[utoipa::path(
    post, path = "/api/v1/rejected-messages/discard", tag = "Rejected messages",
    request_body = SelectRejectedMessages,
    responses((status = 200, body = RejectedMessagesDiscarded), Refusals)
)]
pub(crate) async fn discard_rejected_messages(
    body: Body<MAX_BYTES>,
    Authenticated(caller): Authenticated,
    connections: Data<Connections>,
) -> Result<Json<RejectedMessagesDiscarded>, Problem> {
    let selection = SelectRejectedMessages::parse(&body.0)?;
    let discarded =
        rejected_messages::discard_rejected_messages(&selection, &caller, &connections).await?;
    Ok(Json(discarded))
}
