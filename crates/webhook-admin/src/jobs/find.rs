//! Finds a job.

use webhook_domain::JobId;
use webhook_store::jobs;

use super::body::JobBody;
use crate::connections::Connections;
use crate::refusal::Refusal;

/// Reads a job with the progress so far.
pub async fn find_job(id: JobId, connections: &Connections) -> Result<JobBody, Refusal> {
    let mut connection = connections.acquire().await?;
    let job = jobs::find(&mut connection, id).await?;
    Ok(job.ok_or(Refusal::NotFound("job"))?.into())
}
