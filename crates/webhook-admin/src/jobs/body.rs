//! A job as the API shows it.

use chrono::{DateTime, Utc};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;
use webhook_domain::{JobId, JobKind, JobStatus};
use webhook_store::jobs::Job;

use crate::schema;

/// A job: many deliveries, made due step by step.
#[derive(Serialize, ToSchema)]
#[schema(as = Job)]
pub struct JobBody {
    /// The job's id.
    #[schema(value_type = Uuid)]
    pub id: JobId,
    /// `retry`: deliveries are attempted again; `replay`: a webhook gets missed events.
    #[schema(value_type = schema::JobKindName)]
    pub kind: JobKind,
    /// Whether the job runs, has finished, or was cancelled.
    #[schema(value_type = schema::JobStatusName)]
    pub status: JobStatus,
    /// The filters of the deliveries or events.
    #[schema(value_type = schema::AnyObject, inline)]
    pub selection: Value,
    /// The most deliveries made due per second.
    pub rate: u16,
    /// The number of deliveries or events at the start of the job.
    pub total: i64,
    /// The number of deliveries made due so far.
    pub done: i64,
    /// The number of deliveries skipped so far, because they can no longer be sent or were in progress
    /// already.
    pub skipped: i64,
    /// The name of the API key of the admin who started the job.
    pub actor_name: String,
    /// When the job was started.
    pub created_at: DateTime<Utc>,
    /// When the job finished or was cancelled; `null` for a running job.
    pub ended_at: Option<DateTime<Utc>>,
}

impl From<Job> for JobBody {
    fn from(job: Job) -> Self {
        Self {
            id: job.id,
            kind: job.kind,
            status: job.status,
            selection: job.scope.write(),
            rate: job.rate.get(),
            total: job.total,
            done: job.done,
            skipped: job.skipped,
            actor_name: job.actor_name,
            created_at: job.created_at,
            ended_at: job.ended_at,
        }
    }
}
