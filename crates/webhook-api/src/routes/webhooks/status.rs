//! A webhook is set Active or Inactive.

use actix_web::HttpResponse;
use actix_web::web::{Data, Path};
use webhook_domain::WebhookStatus;
use webhook_store::SealingKeys;

use super::change::Change;
use super::read::parse_id;
use super::{WebhookBody, answer};
use crate::refusals::Refusals;
use webhook_admin::Caller;
use webhook_admin::Connections;
use webhook_admin::Refusal;
use webhook_admin::version::IfMatch;
use webhook_web::Authenticated;
use webhook_web::Problem;

/// Sets a webhook Active. Its pending deliveries go on, and it starts as healthy. Nothing changes
/// when it is Active already.
#[utoipa::path(
    post, path = "/api/v1/webhooks/{id}/activate", tag = "webhooks", params(("id" = Uuid, Path)),
    responses((status = 200, body = WebhookBody), Refusals)
)]
pub(crate) async fn activate_webhook(
    id: Path<String>,
    Authenticated(caller): Authenticated,
    connections: Data<Connections>,
    keys: Data<SealingKeys>,
) -> Result<HttpResponse, Problem> {
    let status = WebhookStatus::Active;
    let set = set_status(&id, status, &caller, &connections, &keys);
    set.await.map(answer).map_err(Problem::from)
}

/// Sets a webhook Inactive. It gets nothing that is published after this answer, and its pending
/// deliveries wait. Nothing changes when it is Inactive already.
#[utoipa::path(
    post, path = "/api/v1/webhooks/{id}/deactivate", tag = "webhooks", params(("id" = Uuid, Path)),
    responses((status = 200, body = WebhookBody), Refusals)
)]
pub(crate) async fn deactivate_webhook(
    id: Path<String>,
    Authenticated(caller): Authenticated,
    connections: Data<Connections>,
    keys: Data<SealingKeys>,
) -> Result<HttpResponse, Problem> {
    let status = WebhookStatus::Inactive;
    let set = set_status(&id, status, &caller, &connections, &keys);
    set.await.map(answer).map_err(Problem::from)
}

/// Sets a webhook to a status that it may have already.
pub(crate) async fn set_status(
    id: &str,
    status: WebhookStatus,
    caller: &Caller,
    connections: &Connections,
    keys: &SealingKeys,
) -> Result<WebhookBody, Refusal> {
    let change = Change {
        id: parse_id(id)?,
        if_match: &IfMatch::Any,
        caller,
        keys,
    };
    let changed = change.apply(connections, |current| {
        let mut settings = current.clone();
        settings.status = status;
        Ok(settings)
    });
    changed.await
}
