//! Starts a job, or only counts its deliveries or events.

use serde::Serialize;
use utoipa::ToSchema;
use webhook_domain::{AuditAction, JobRate};
use webhook_store::audit::{self, AuditEntry};
use webhook_store::jobs::{self, JobScope};
use webhook_store::{Connection, RawConnection, SealingKeys};

use super::body::JobBody;
use crate::caller::Caller;
use crate::creation::{Created, Creation, CreationRequest, create_once};
use crate::fields::Fields;
use crate::refusal::Refusal;

/// The size of a job before the start.
#[derive(Serialize, ToSchema)]
pub struct JobCount {
    /// The number of deliveries or events.
    pub total: i64,
}

/// A job to be started.
pub struct NewJob<'a> {
    /// The deliveries to be retried, or the events to be replayed.
    pub scope: &'a JobScope,
    /// The most deliveries made due per second.
    pub rate: JobRate,
    /// The action in the audit log.
    pub action: AuditAction,
    /// The subject in the audit log, such as the webhook's name.
    pub subject: &'a str,
}

impl NewJob<'_> {
    /// Counts the deliveries or events of the scope.
    pub async fn count(&self, connection: &mut RawConnection) -> Result<JobCount, Refusal> {
        let total = self.scope.count(connection).await?;
        Ok(JobCount { total })
    }

    /// Starts the job, once per `Idempotency-Key`, and records the start in the audit log.
    pub async fn start(
        &self,
        connection: &mut Connection,
        sealing_keys: &SealingKeys,
        caller: &Caller,
        request: CreationRequest<'_>,
    ) -> Result<Creation, Refusal> {
        create_once(
            connection,
            sealing_keys,
            caller,
            request,
            async |connection| {
                let job = self.insert(connection, caller).await?;
                Ok(Created::of(job.id.0, "/api/v1/jobs", None, &job))
            },
        )
        .await
    }

    /// Starts the job in the caller's transaction, and records the start in the audit log.
    pub async fn insert(
        &self,
        connection: &mut RawConnection,
        caller: &Caller,
    ) -> Result<JobBody, Refusal> {
        let actor = caller.actor();
        let total = self.scope.count(connection).await?;
        let job = jobs::insert(connection, &actor, self.scope, self.rate, total).await?;
        let entry = AuditEntry {
            webhook_id: self.scope.webhook_id(),
            after: Some(serde_json::json!({
                "job_id": job.id, "selection": self.scope.write(), "total": total
            })),
            ..AuditEntry::new(self.action, self.subject)
        };
        audit::insert(connection, &actor, &entry).await?;
        Ok(job.into())
    }
}

/// Takes the field `rate` out: deliveries per second, 100 when left out.
pub fn parse_rate(fields: &mut Fields<'_>) -> JobRate {
    let rate = fields.optional_whole("rate", JobRate::new);
    rate.unwrap_or_default()
}
