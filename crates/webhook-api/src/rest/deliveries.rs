//! `/api/v1/deliveries`: deliveries are listed, read, retried and cancelled.

use actix_web::web::{Data, Json};
use actix_web::{HttpRequest, HttpResponse};
use webhook_admin::Connections;
use webhook_admin::creation::CreationRequest;
use webhook_admin::deliveries::{
    self, DeliveryBody, DeliveryWithAttempts, ListDeliveries, NewRetry, RetryDeliveries,
};
use webhook_admin::jobs::{JobBody, JobCount};
use webhook_admin::lists::TotalPage;
use webhook_domain::DeliveryId;
use webhook_store::SealingKeys;
use webhook_web::body::Body;
use webhook_web::creation::{IdempotencyHeader, respond_created};
use webhook_web::{Authenticated, PathId, Problem};

use crate::refusals::Refusals;

/// The most bytes of a selection in JSON.
const MAX_BYTES: usize = 8 * 1024;

/// Lists deliveries, newest first.
#[utoipa::path(
    get, path = "/api/v1/deliveries", tag = "Deliveries", params(ListDeliveries),
    responses((status = 200, body = TotalPage<DeliveryBody>), Refusals)
)]
pub(crate) async fn list_deliveries(
    request: HttpRequest,
    connections: Data<Connections>,
) -> Result<Json<TotalPage<DeliveryBody>>, Problem> {
    let list = ListDeliveries::parse(request.query_string())?;
    Ok(Json(
        deliveries::list_deliveries(&list, &connections).await?,
    ))
}

/// Reads a delivery with all attempts.
///
/// Each attempt has its request, its response, and advice if the attempt failed.
#[utoipa::path(
    get, path = "/api/v1/deliveries/{id}", tag = "Deliveries", params(("id" = Uuid, Path)),
    responses((status = 200, body = DeliveryWithAttempts), Refusals)
)]
pub(crate) async fn find_delivery(
    PathId(id): PathId<DeliveryId>,
    connections: Data<Connections>,
) -> Result<Json<DeliveryWithAttempts>, Problem> {
    Ok(Json(deliveries::find_delivery(id, &connections).await?))
}

/// Retries a delivery now.
///
/// A failed or cancelled delivery gets all attempts of the retry policy again, a pending one is
/// attempted at once, and a succeeded one is sent again. A delivery without attempts stays unchanged,
/// because the first attempt is on the way. A delivery with a running attempt may be sent twice. If the
/// receiver sent `Retry-After`, the hold ends for all deliveries of the webhook.
#[utoipa::path(
    post, path = "/api/v1/deliveries/{id}/retry", tag = "Deliveries", params(("id" = Uuid, Path)),
    responses((status = 202, body = DeliveryWithAttempts), Refusals)
)]
pub(crate) async fn retry_delivery(
    PathId(id): PathId<DeliveryId>,
    Authenticated(caller): Authenticated,
    connections: Data<Connections>,
) -> Result<HttpResponse, Problem> {
    deliveries::retry_delivery(id, &caller, &connections).await?;
    let delivery = deliveries::find_delivery(id, &connections).await?;
    Ok(HttpResponse::Accepted().json(delivery))
}

/// Cancels a pending delivery.
///
/// No further attempt is scheduled. Attempts running or queued in a dispatcher are still made and
/// recorded, and do not change the delivery.
#[utoipa::path(
    post, path = "/api/v1/deliveries/{id}/cancel", tag = "Deliveries", params(("id" = Uuid, Path)),
    responses((status = 200, body = DeliveryBody), Refusals)
)]
pub(crate) async fn cancel_delivery(
    PathId(id): PathId<DeliveryId>,
    Authenticated(caller): Authenticated,
    connections: Data<Connections>,
) -> Result<Json<DeliveryBody>, Problem> {
    let cancelled = deliveries::cancel_delivery(id, &caller, &connections).await?;
    Ok(Json(cancelled))
}

/// Retries many deliveries, the oldest first.
///
/// A job retries the deliveries, and can be watched and cancelled. With `dry_run=true` the deliveries
/// are only counted.
#[utoipa::path(
    post, path = "/api/v1/deliveries/retry", tag = "Deliveries", request_body = RetryDeliveries,
    params(
        ("dry_run" = Option<bool>, Query, description = "Only count the deliveries"),
        ("Idempotency-Key" = Option<String>, Header, description = "Starts the job once, however often the request is sent within 24 hours", min_length = 1, max_length = 255, pattern = "^[!-~]+$")
    ),
    responses(
        (status = 200, body = JobCount, description = "The number of deliveries (`dry_run`)"),
        (status = 201, body = JobBody, headers(("Location" = String, description = "The path of the job"))),
        Refusals
    )
)]
pub(crate) async fn retry_deliveries(
    request: HttpRequest,
    IdempotencyHeader(idempotency_key): IdempotencyHeader,
    body: Body<MAX_BYTES>,
    Authenticated(caller): Authenticated,
    connections: Data<Connections>,
    sealing_keys: Data<SealingKeys>,
) -> Result<HttpResponse, Problem> {
    let retry = NewRetry::parse(&body.0, request.query_string())?;
    if retry.dry_run {
        let count = deliveries::count_deliveries(&retry, &connections).await?;
        return Ok(HttpResponse::Ok().json(count));
    }
    let once = CreationRequest {
        key: &idempotency_key,
        body: &body.0,
    };
    let started =
        deliveries::retry_deliveries(&retry, once, &caller, &connections, &sealing_keys).await?;
    Ok(respond_created(started))
}
