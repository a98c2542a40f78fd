//! Rejected messages: what came over AMQP and could not be an event, or was given up by the broker.

use actix_web::web::{Data, Json, Path};
use actix_web::{HttpRequest, HttpResponse};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, Utc};
use serde::Serialize;
use serde_json::{Value, json};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;
use webhook_broker::Publisher;
use webhook_domain::{AuditAction, Origin, OriginName};
use webhook_store::audit::{self, AuditEntry};
use webhook_store::rejected_messages::{self, RejectedMessage, RejectedMessageFilter};
use webhook_store::transaction;

use crate::refusals::Refusals;
use webhook_admin::Caller;
use webhook_admin::Connections;
use webhook_admin::Refusal;
use webhook_admin::fields::Fields;
use webhook_admin::lists::{Page, PageLimit, parse_cursor};
use webhook_admin::values::{parse_search, parse_time};
use webhook_web::Authenticated;
use webhook_web::Problem;

// Many at once.
pub(crate) mod all;

/// Which messages to list.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[allow(
    dead_code,
    reason = "it documents what `parse_page` reads field by field"
)]
pub(crate) struct ListRejectedMessages {
    /// With this text in their reason, in any case.
    #[param(max_length = 200)]
    search: Option<String>,
    /// Not before this time.
    since: Option<DateTime<Utc>>,
    /// Before this time.
    until: Option<DateTime<Utc>>,
    /// `next_cursor` of the page before.
    cursor: Option<Uuid>,
    /// Messages per page, 50 when left out.
    #[param(minimum = 1, maximum = 200)]
    limit: Option<u8>,
}

/// A message that could not be an event.
#[derive(Serialize, ToSchema)]
#[schema(as = RejectedMessage)]
pub(crate) struct RejectedMessageBody {
    pub(crate) id: Uuid,
    /// Why it could not be an event.
    #[schema(example = "type: is required")]
    pub(crate) reason: String,
    /// Where it was published; empty: straight into a queue.
    #[schema(example = "webhooks.events")]
    pub(crate) exchange: String,
    #[schema(example = "production.license.activated")]
    pub(crate) routing_key: String,
    /// The size of its body as it was published.
    pub(crate) body_bytes: i64,
    /// It was larger than 256 KiB, as no event is: only that much is kept, and it cannot be requeued.
    pub(crate) body_truncated: bool,
    /// When it was written down.
    pub(crate) rejected_at: DateTime<Utc>,
}

/// A rejected message with its body.
#[derive(Serialize, ToSchema)]
pub(crate) struct RejectedMessageWithBody {
    #[serde(flatten)]
    message: RejectedMessageBody,
    /// The body as it was published; `null`: it is no UTF-8.
    body: Option<String>,
    /// The same bytes in base64.
    body_base64: String,
}

/// Lists rejected messages, newest first.
#[utoipa::path(
    get, path = "/api/v1/rejected-messages", tag = "rejected messages",
    params(ListRejectedMessages),
    responses((status = 200, body = Page<RejectedMessageBody>), Refusals)
)]
pub(crate) async fn list_rejected_messages(
    request: HttpRequest,
    connections: Data<Connections>,
) -> Result<Json<Page<RejectedMessageBody>>, Problem> {
    read_list(request.query_string(), &connections)
        .await
        .map(Json)
        .map_err(Problem::from)
}

/// Reads the list that a query asks for.
pub(crate) async fn read_list(
    query: &str,
    connections: &Connections,
) -> Result<Page<RejectedMessageBody>, Refusal> {
    let (filter, after, limit) = parse_page(query)?;
    let mut connection = connections.acquire().await?;
    let rows = rejected_messages::list(&mut connection, &filter, after, limit.rows()).await?;
    let rows = rows.into_iter().map(RejectedMessageBody::from).collect();
    Ok(Page::of(rows, limit, |row| row.id))
}

/// Reads a rejected message with its body.
#[utoipa::path(
    get, path = "/api/v1/rejected-messages/{id}", tag = "rejected messages",
    params(("id" = Uuid, Path)),
    responses((status = 200, body = RejectedMessageWithBody), Refusals)
)]
pub(crate) async fn find_rejected_message(
    id: Path<String>,
    connections: Data<Connections>,
) -> Result<Json<RejectedMessageWithBody>, Problem> {
    let (message, body) = find(&id, &connections).await?;
    Ok(Json(RejectedMessageWithBody::of(message, &body)))
}

/// Puts a message back into the queue of events, as it was published. It is an event then, or is
/// rejected again as another message.
///
/// Asked twice at the same moment it may be queued twice, which does no harm: the id of an event
/// is remembered.
#[utoipa::path(
    post, path = "/api/v1/rejected-messages/{id}/requeue", tag = "rejected messages",
    params(("id" = Uuid, Path)),
    responses((status = 204, description = "The broker has it"), Refusals)
)]
pub(crate) async fn requeue_rejected_message(
    id: Path<String>,
    Authenticated(caller): Authenticated,
    connections: Data<Connections>,
    publisher: Data<Publisher>,
) -> Result<HttpResponse, Problem> {
    requeue(&id, &caller, &connections, &publisher).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// Puts the message of an id back.
pub(crate) async fn requeue(
    id: &str,
    caller: &Caller,
    connections: &Connections,
    publisher: &Publisher,
) -> Result<(), Refusal> {
    // No connection is held while the broker is spoken to.
    let (message, body) = find(id, connections).await?;
    if !message.is_whole() {
        return Err(Refusal::Conflict(
            "it is too large to be an event; only its start was kept",
        ));
    }
    publisher
        .requeue(message.id, &origin(&message), &body)
        .await?;
    let action = AuditAction::RejectedMessageRequeued;
    // Gone meanwhile, it was requeued by somebody else, too, or discarded.
    delete(connections, &message, action, caller).await?;
    Ok(())
}

/// Deletes a message.
#[utoipa::path(
    delete, path = "/api/v1/rejected-messages/{id}", tag = "rejected messages",
    params(("id" = Uuid, Path)),
    responses((status = 204, description = "It is gone"), Refusals)
)]
pub(crate) async fn discard_rejected_message(
    id: Path<String>,
    Authenticated(caller): Authenticated,
    connections: Data<Connections>,
) -> Result<HttpResponse, Problem> {
    discard(&id, &caller, &connections).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// Deletes the message of an id.
pub(crate) async fn discard(
    id: &str,
    caller: &Caller,
    connections: &Connections,
) -> Result<(), Refusal> {
    let (message, _) = find(id, connections).await?;
    let action = AuditAction::RejectedMessageDiscarded;
    if delete(connections, &message, action, caller).await? {
        Ok(())
    } else {
        Err(Refusal::NotFound("rejected message"))
    }
}

/// Finds the message of an id, and what is kept of its body.
pub(crate) async fn find(
    id: &str,
    connections: &Connections,
) -> Result<(RejectedMessage, Vec<u8>), Refusal> {
    let unknown = || Refusal::NotFound("rejected message");
    let id = id.parse().map_err(|_| unknown())?;
    let mut connection = connections.acquire().await?;
    let found = rejected_messages::find(&mut connection, id).await?;
    found.ok_or_else(unknown)
}

/// Deletes a message and writes down who did. `false`: it was gone.
async fn delete(
    connections: &Connections,
    message: &RejectedMessage,
    action: AuditAction,
    caller: &Caller,
) -> Result<bool, Refusal> {
    let mut connection = connections.acquire().await?;
    transaction(&mut connection, async |connection| {
        let deleted = rejected_messages::delete(connection, &[message.id]).await? == 1;
        if deleted {
            let entry = AuditEntry {
                before: Some(describe(message)),
                ..AuditEntry::new(action, &message.id.to_string())
            };
            audit::insert(connection, &caller.actor(), &entry).await?;
        }
        Ok(deleted)
    })
    .await
}

/// What the audit log says of a message. Its body may hold anything.
fn describe(message: &RejectedMessage) -> Value {
    json!({
        "reason": message.reason, "routing_key": message.routing_key,
        "body_bytes": message.body_bytes, "rejected_at": message.rejected_at
    })
}

fn origin(message: &RejectedMessage) -> Origin {
    Origin {
        exchange: OriginName::new(&message.exchange),
        routing_key: OriginName::new(&message.routing_key),
    }
}

fn parse_page(query: &str) -> Result<(RejectedMessageFilter, Option<Uuid>, PageLimit), Refusal> {
    let mut fields = Fields::of_query(query);
    let limit: PageLimit = fields.optional("limit", str::parse).unwrap_or_default();
    let after = fields.optional("cursor", parse_cursor);
    let filter = parse_filter(&mut fields);
    fields.end()?;
    Ok((filter, after, limit))
}

fn parse_filter(fields: &mut Fields<'_>) -> RejectedMessageFilter {
    RejectedMessageFilter {
        search: fields.optional("search", parse_search),
        since: fields.optional("since", parse_time),
        until: fields.optional("until", parse_time),
    }
}

impl RejectedMessageWithBody {
    fn of(message: RejectedMessage, body: &[u8]) -> Self {
        Self {
            body: readable(body, message.body_truncated).map(str::to_owned),
            body_base64: STANDARD.encode(body),
            message: message.into(),
        }
    }
}

/// A body as text. A cut may have gone through a character.
pub(crate) fn readable(body: &[u8], truncated: bool) -> Option<&str> {
    match std::str::from_utf8(body) {
        Ok(text) => Some(text),
        Err(error) if truncated && error.error_len().is_none() => {
            std::str::from_utf8(&body[..error.valid_up_to()]).ok()
        }
        Err(_) => None,
    }
}

impl From<RejectedMessage> for RejectedMessageBody {
    fn from(message: RejectedMessage) -> Self {
        Self {
            id: message.id,
            reason: message.reason,
            exchange: message.exchange,
            routing_key: message.routing_key,
            body_bytes: message.body_bytes,
            body_truncated: message.body_truncated,
            rejected_at: message.rejected_at,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_filter_that_is_wrong_is_refused_with_every_name() {
        let refused = parse_page("since=soon&until=x&cursor=x&limit=0&page=2");

        let Err(Refusal::Invalid(errors)) = refused else {
            panic!("it must be refused by field");
        };
        let fields: Vec<&str> = errors.iter().map(|e| e.field.as_str()).collect();
        assert_eq!(fields, ["limit", "cursor", "since", "until", "page"]);
    }

    #[test]
    fn a_body_is_readable_if_it_is_text_as_far_as_it_goes() {
        let cut = &"é".as_bytes()[..1];

        assert_eq!(readable("é".as_bytes(), false), Some("é"));
        assert_eq!(readable(&[b"a", cut].concat(), true), Some("a"));
        assert_eq!(readable(&[b"a", cut].concat(), false), None);
        assert_eq!(readable(b"a\xffb", true), None);
    }
}
