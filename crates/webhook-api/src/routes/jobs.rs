//! Jobs: many deliveries sent again, or events replayed, step by step.

use actix_web::web::{Data, Json, Path};
use actix_web::{HttpRequest, HttpResponse};
use chrono::{DateTime, Utc};
use serde::Serialize;
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;
use webhook_domain::{AuditAction, JobId, JobRate};
use webhook_store::audit::{self, AuditEntry};
use webhook_store::jobs::{self, Job, Selection};
use webhook_store::{Connection, RawConnection, SealingKeys, transaction};

use crate::refusals::Refusals;
use webhook_admin::Caller;
use webhook_admin::Connections;
use webhook_admin::Refusal;
use webhook_admin::creation::{Created, Creation, IdempotencyKey, create_once};
use webhook_admin::fields::Fields;
use webhook_admin::lists::{Page, PageLimit, parse_cursor};
use webhook_admin::schema;
use webhook_web::Authenticated;
use webhook_web::Problem;

/// Many deliveries made due, step by step.
#[derive(Serialize, ToSchema)]
#[schema(as = Job)]
pub(crate) struct JobBody {
    pub(crate) id: Uuid,
    /// `retry`: deliveries are sent again; `replay`: a webhook gets events that it missed.
    #[schema(value_type = schema::JobKindName)]
    pub(crate) kind: &'static str,
    #[schema(value_type = schema::JobStatusName)]
    pub(crate) status: &'static str,
    /// What it is about.
    #[schema(value_type = schema::AnyObject, inline)]
    pub(crate) selection: Value,
    /// How many it makes due per second at most.
    pub(crate) rate: u16,
    /// How many there were when it was made.
    pub(crate) total: i64,
    /// How many it made due so far.
    pub(crate) done: i64,
    /// How many it left alone, as they could not be sent any more, or were on their way already.
    pub(crate) skipped: i64,
    /// The API key that asked for it, by name.
    pub(crate) actor_name: String,
    pub(crate) created_at: DateTime<Utc>,
    pub(crate) ended_at: Option<DateTime<Utc>>,
}

/// How many a job would be about.
#[derive(Serialize, ToSchema)]
pub(crate) struct JobCount {
    total: i64,
}

/// A job to be started.
pub(crate) struct NewJob<'a> {
    pub(crate) selection: &'a Selection,
    pub(crate) rate: JobRate,
    /// For the audit log.
    pub(crate) action: AuditAction,
    pub(crate) subject: &'a str,
}

impl NewJob<'_> {
    /// Only counts what it would be about.
    pub(crate) async fn count(&self, connection: &mut Connection) -> Result<HttpResponse, Refusal> {
        let total = self.selection.count(connection).await?;
        Ok(HttpResponse::Ok().json(JobCount { total }))
    }

    /// Starts it, once per `Idempotency-Key`, and writes down who did.
    pub(crate) async fn start(
        &self,
        connection: &mut Connection,
        keys: &SealingKeys,
        caller: &Caller,
        request: (&IdempotencyKey, &[u8]),
    ) -> Result<Creation, Refusal> {
        create_once(connection, keys, caller, request, async |connection| {
            let job = self.insert(connection, caller).await?;
            Ok(Created::of(job.id, "/api/v1/jobs", None, &job))
        })
        .await
    }

    /// Starts it in the caller's transaction.
    pub(crate) async fn insert(
        &self,
        connection: &mut RawConnection,
        caller: &Caller,
    ) -> Result<JobBody, Refusal> {
        let actor = caller.actor();
        let total = self.selection.count(connection).await?;
        let job = jobs::insert(connection, &actor, self.selection, self.rate, total).await?;
        let entry = AuditEntry {
            webhook_id: self.selection.webhook_id(),
            after: Some(serde_json::json!({
                "job_id": job.id, "selection": self.selection.write(), "total": total
            })),
            ..AuditEntry::new(self.action, self.subject)
        };
        audit::insert(connection, &actor, &entry).await?;
        Ok(job.into())
    }
}

/// Takes a job's rate out.
pub(crate) fn parse_rate(fields: &mut Fields<'_>) -> JobRate {
    let rate = fields.optional_whole("rate", JobRate::new);
    rate.unwrap_or_default()
}

/// Which jobs to list.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[allow(
    dead_code,
    reason = "it documents what `list_jobs` reads field by field"
)]
pub(crate) struct ListJobs {
    #[param(value_type = Option<schema::JobStatusName>, inline)]
    status: Option<String>,
    /// `next_cursor` of the page before.
    cursor: Option<Uuid>,
    /// Jobs per page, 50 when left out.
    #[param(minimum = 1, maximum = 200)]
    limit: Option<u8>,
}

/// Lists jobs, newest first.
#[utoipa::path(
    get, path = "/api/v1/jobs", tag = "jobs", params(ListJobs),
    responses((status = 200, body = Page<JobBody>), Refusals)
)]
pub(crate) async fn list_jobs(
    request: HttpRequest,
    connections: Data<Connections>,
) -> Result<Json<Page<JobBody>>, Problem> {
    read_list(request.query_string(), &connections)
        .await
        .map(Json)
        .map_err(Problem::from)
}

/// Reads the list that a query asks for.
pub(crate) async fn read_list(
    query: &str,
    connections: &Connections,
) -> Result<Page<JobBody>, Refusal> {
    let mut fields = Fields::of_query(query);
    let limit: PageLimit = fields.optional("limit", str::parse).unwrap_or_default();
    let status = fields.optional("status", str::parse);
    let after = fields.optional("cursor", parse_cursor);
    fields.end()?;
    let mut connection = connections.acquire().await?;
    let rows = jobs::list(&mut connection, status, after, limit.rows()).await?;
    let rows = rows.into_iter().map(JobBody::from).collect();
    Ok(Page::of(rows, limit, |row| row.id))
}

/// Reads a job, with how far it got.
#[utoipa::path(
    get, path = "/api/v1/jobs/{id}", tag = "jobs", params(("id" = Uuid, Path)),
    responses((status = 200, body = JobBody), Refusals)
)]
pub(crate) async fn find_job(
    id: Path<String>,
    connections: Data<Connections>,
) -> Result<Json<JobBody>, Problem> {
    read_job(&id, &connections)
        .await
        .map(Json)
        .map_err(Problem::from)
}

/// Reads the job that a path names.
pub(crate) async fn read_job(id: &str, connections: &Connections) -> Result<JobBody, Refusal> {
    let id = parse_id(id)?;
    let mut connection = connections.acquire().await?;
    let job = jobs::find(&mut connection, id).await?;
    Ok(job.ok_or(Refusal::NotFound("job"))?.into())
}

/// Stops a running job. What it has made due stays due; `done` tells exactly how many these are.
#[utoipa::path(
    post, path = "/api/v1/jobs/{id}/cancel", tag = "jobs", params(("id" = Uuid, Path)),
    responses((status = 200, body = JobBody), Refusals)
)]
pub(crate) async fn cancel_job(
    id: Path<String>,
    Authenticated(caller): Authenticated,
    connections: Data<Connections>,
) -> Result<Json<JobBody>, Problem> {
    cancel(&id, &caller, &connections)
        .await
        .map(Json)
        .map_err(Problem::from)
}

/// Stops the job that a path names.
pub(crate) async fn cancel(
    id: &str,
    caller: &Caller,
    connections: &Connections,
) -> Result<JobBody, Refusal> {
    let id = parse_id(id)?;
    let mut connection = connections.acquire().await?;
    let cancelled = transaction(&mut connection, async |connection| {
        let found = jobs::find(connection, id).await?;
        found.ok_or(Refusal::NotFound("job"))?;
        let cancelled = jobs::cancel(connection, id).await?;
        let job = cancelled.ok_or(Refusal::Conflict("it has ended already"))?;
        let entry = AuditEntry {
            webhook_id: job.selection.webhook_id(),
            after: Some(serde_json::json!({"job_id": job.id, "done": job.done})),
            ..AuditEntry::new(AuditAction::JobCancelled, job.kind.as_str())
        };
        audit::insert(connection, &caller.actor(), &entry).await?;
        Ok::<_, Refusal>(job)
    });
    Ok(cancelled.await?.into())
}

/// What is no id names no job.
fn parse_id(text: &str) -> Result<JobId, Refusal> {
    text.parse().map_err(|_| Refusal::NotFound("job"))
}

impl From<Job> for JobBody {
    fn from(job: Job) -> Self {
        Self {
            id: job.id.0,
            kind: job.kind.as_str(),
            status: job.status.as_str(),
            selection: job.selection.write(),
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
