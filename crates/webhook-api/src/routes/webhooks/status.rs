//! Active or Inactive.

use actix_web::web::{Data, Json, Path};
use webhook_domain::WebhookStatus;
use webhook_store::webhooks;

use super::WebhookBody;
use crate::connections::Connections;
use crate::problem::{Problem, ProblemBody};

/// Sets a webhook Active. Its pending deliveries go on, and it starts as healthy. Nothing changes
/// when it is Active already.
#[utoipa::path(
    post, path = "/api/v1/webhooks/{id}/activate", tag = "webhooks", params(("id" = Uuid, Path)),
    responses(
        (status = 200, body = WebhookBody),
        (status = "default", body = ProblemBody, content_type = "application/problem+json")
    )
)]
pub(crate) async fn activate_webhook(
    id: Path<String>,
    connections: Data<Connections>,
) -> Result<Json<WebhookBody>, Problem> {
    set_status(&id, &connections, WebhookStatus::Active).await
}

/// Sets a webhook Inactive. It gets nothing that is published after this answer, and its pending
/// deliveries wait. Nothing changes when it is Inactive already.
#[utoipa::path(
    post, path = "/api/v1/webhooks/{id}/deactivate", tag = "webhooks", params(("id" = Uuid, Path)),
    responses(
        (status = 200, body = WebhookBody),
        (status = "default", body = ProblemBody, content_type = "application/problem+json")
    )
)]
pub(crate) async fn deactivate_webhook(
    id: Path<String>,
    connections: Data<Connections>,
) -> Result<Json<WebhookBody>, Problem> {
    set_status(&id, &connections, WebhookStatus::Inactive).await
}

async fn set_status(
    id: &str,
    connections: &Connections,
    status: WebhookStatus,
) -> Result<Json<WebhookBody>, Problem> {
    let id = id.parse().map_err(|_| Problem::NotFound("webhook"))?;
    let mut connection = connections.acquire().await?;
    webhooks::set_status(&mut connection, id, status).await?;
    let webhook = webhooks::find(&mut connection, id).await?;
    let webhook = webhook.ok_or(Problem::NotFound("webhook"))?;
    Ok(Json(webhook.into()))
}
