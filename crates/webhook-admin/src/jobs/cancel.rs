//! Cancels a job.

use webhook_domain::{AuditAction, JobId};
use webhook_store::audit::{self, AuditEntry};
use webhook_store::{jobs, transaction};

use super::body::JobBody;
use crate::caller::Caller;
use crate::connections::Connections;
use crate::refusal::Refusal;

/// Cancels a running job, and returns the job with the final number of deliveries made due. These
/// deliveries stay due.
pub async fn cancel_job(
    id: JobId,
    caller: &Caller,
    connections: &Connections,
) -> Result<JobBody, Refusal> {
    let mut connection = connections.acquire().await?;
    let cancelled = transaction(&mut connection, async |connection| {
        let found = jobs::find(connection, id).await?;
        found.ok_or(Refusal::NotFound("job"))?;
        // Waits for the row lock of a running step, so `done` counts the deliveries of the last step, too.
        let cancelled = jobs::cancel(connection, id).await?;
        let job = cancelled.ok_or(Refusal::Conflict("the job has ended already"))?;
        let entry = AuditEntry {
            webhook_id: job.scope.webhook_id(),
            after: Some(serde_json::json!({"job_id": job.id, "done": job.done})),
            ..AuditEntry::new(AuditAction::JobCancelled, job.kind.as_str())
        };
        audit::insert(connection, &caller.actor(), &entry).await?;
        Ok::<_, Refusal>(job)
    });
    Ok(cancelled.await?.into())
}
