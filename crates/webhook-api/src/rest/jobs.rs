//! `/api/v1/jobs`: jobs are listed, watched and cancelled.

use actix_web::HttpRequest;
use actix_web::web::{Data, Json};
use webhook_admin::Connections;
use webhook_admin::jobs::{self, JobBody, ListJobs};
use webhook_admin::lists::Page;
use webhook_domain::JobId;
use webhook_web::{Authenticated, PathId, Problem};

use crate::refusals::Refusals;

/// Lists jobs, newest first.
#[utoipa::path(
    get, path = "/api/v1/jobs", tag = "Jobs", params(ListJobs),
    responses((status = 200, body = Page<JobBody>), Refusals)
)]
pub(crate) async fn list_jobs(
    request: HttpRequest,
    connections: Data<Connections>,
) -> Result<Json<Page<JobBody>>, Problem> {
    let list = ListJobs::parse(request.query_string())?;
    Ok(Json(jobs::list_jobs(&list, &connections).await?))
}

/// Reads a job and the progress of the job.
#[utoipa::path(
    get, path = "/api/v1/jobs/{id}", tag = "Jobs", params(("id" = Uuid, Path)),
    responses((status = 200, body = JobBody), Refusals)
)]
pub(crate) async fn find_job(
    PathId(id): PathId<JobId>,
    connections: Data<Connections>,
) -> Result<Json<JobBody>, Problem> {
    Ok(Json(jobs::find_job(id, &connections).await?))
}

/// Cancels a running job.
///
/// Queued deliveries stay queued; `done` is the exact number.
#[utoipa::path(
    post, path = "/api/v1/jobs/{id}/cancel", tag = "Jobs", params(("id" = Uuid, Path)),
    responses((status = 200, body = JobBody), Refusals)
)]
pub(crate) async fn cancel_job(
    PathId(id): PathId<JobId>,
    Authenticated(caller): Authenticated,
    connections: Data<Connections>,
) -> Result<Json<JobBody>, Problem> {
    Ok(Json(jobs::cancel_job(id, &caller, &connections).await?))
}
