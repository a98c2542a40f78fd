//! `/api/v1/webhooks/{id}/replay`: the events that a webhook missed are counted or sent.

use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use webhook_admin::Connections;
use webhook_admin::creation::CreationRequest;
use webhook_admin::jobs::{JobBody, JobCount};
use webhook_admin::webhooks::{self, DryRun, ReplayEvents};
use webhook_domain::WebhookId;
use webhook_store::SealingKeys;
use webhook_web::body::Body;
use webhook_web::creation::{IdempotencyHeader, respond_created};
use webhook_web::{Authenticated, PathId, Problem};

use crate::refusals::Refusals;

/// The most bytes of a replay in JSON.
const MAX_BYTES: usize = 8 * 1024;

/// Sends a webhook the events that it missed in a time span.
///
/// Events of the environment and of the types that are subscribed to now, without a delivery because
/// the webhook was Inactive, did not exist yet, or was not subscribed. The oldest events go first. A
/// job sends the events, and can be watched and cancelled; with `dry_run=true` the events are only
/// counted.
#[utoipa::path(
    post, path = "/api/v1/webhooks/{id}/replay", tag = "Webhooks", request_body = ReplayEvents,
    params(
        ("id" = Uuid, Path),
        ("dry_run" = Option<bool>, Query, description = "Only count the events"),
        ("Idempotency-Key" = Option<String>, Header, description = "Starts the job once, however often the request is sent within 24 hours", min_length = 1, max_length = 255, pattern = "^[!-~]+$")
    ),
    responses(
        (status = 200, body = JobCount, description = "How many events the job would send (`dry_run`)"),
        (status = 201, body = JobBody, headers(("Location" = String, description = "The path of the job"))),
        Refusals
    )
)]
pub(crate) async fn replay_events(
    PathId(id): PathId<WebhookId>,
    request: HttpRequest,
    IdempotencyHeader(idempotency_key): IdempotencyHeader,
    body: Body<MAX_BYTES>,
    Authenticated(caller): Authenticated,
    connections: Data<Connections>,
    sealing_keys: Data<SealingKeys>,
) -> Result<HttpResponse, Problem> {
    let (replay, dry_run) = ReplayEvents::parse(&body.0, request.query_string())?;
    if dry_run == DryRun::Yes {
        let count = webhooks::count_missed(id, &replay, &connections).await?;
        return Ok(HttpResponse::Ok().json(count));
    }
    let once = CreationRequest {
        key: &idempotency_key,
        body: &body.0,
    };
    let started =
        webhooks::start_replay(id, &replay, once, &caller, &connections, &sealing_keys).await?;
    Ok(respond_created(started))
}
