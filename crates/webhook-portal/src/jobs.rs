//! The pages of jobs: the list, and a job's progress.

use std::collections::HashMap;

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::Data;
use askama::Template;
use chrono::TimeDelta;
use webhook_admin::jobs::{self, JobBody, ListJobs};
use webhook_admin::{Connections, Refusal};
use webhook_domain::{JobId, JobKind, JobStatus, WebhookId};
use webhook_store::webhooks::find_names;
use webhook_web::problem::refusal_status;
use webhook_web::{PathId, Problem};

use super::chips::{Chip, chips};
use super::duration_text::in_short;
use super::filters::{self, label_of};
use super::flash::Flash;
use super::form::Form;
use super::html::{page, page_with, redirect_with_flash};
use super::query::Query;
use super::visit::Visit;

mod selection;

use selection::{Fact, UNTIL, facts, log_address, webhook_of};

#[derive(Template)]
#[template(path = "jobs/list.html")]
struct JobsPage {
    visit: Visit,
    query: Query,
    jobs: Vec<ShownJob>,
    next_cursor: Option<String>,
    statuses: &'static [JobStatus],
}

#[derive(Template)]
#[template(path = "jobs/show.html")]
struct JobPage<'a> {
    visit: &'a Visit,
    shown: ShownJob,
    /// Why the job was not cancelled; `None` unless cancelling was refused.
    refused: Option<String>,
}

/// A job with the filters in words.
struct ShownJob {
    job: JobBody,
    facts: Vec<Fact>,
    /// The number of deliveries queued or skipped. At most the job's total, which was counted at the start
    /// and may be exceeded.
    processed: i64,
}

impl JobsPage {
    fn chips(&self) -> Vec<Chip> {
        chips(&self.query, &[("status", "Status")], |_, value| {
            label_of(value)
        })
    }
}

/// Shows the list of jobs.
pub(super) async fn show_jobs(
    visit: Visit,
    query: Query,
    connections: Data<Connections>,
) -> Result<HttpResponse, Problem> {
    let list = ListJobs::parse(&query.as_api())?;
    let list = jobs::list_jobs(&list, &connections).await?;
    let names = read_names(&list.data, &connections).await?;
    let shown_jobs = list.data.into_iter().map(|job| ShownJob::of(job, &names));
    let shown = JobsPage {
        visit,
        query,
        jobs: shown_jobs.collect(),
        next_cursor: list.next_cursor,
        statuses: JobStatus::ALL,
    };
    page(&shown.visit, &shown)
}

/// Shows a job with the progress so far.
pub(super) async fn show_job(
    PathId(id): PathId<JobId>,
    visit: Visit,
    connections: Data<Connections>,
) -> Result<HttpResponse, Problem> {
    let job = jobs::find_job(id, &connections).await?;
    show((StatusCode::OK, None), &visit, job, &connections).await
}

/// Cancels a job. If the job has ended already, the page of the job shows the refusal.
pub(super) async fn cancel_job(
    PathId(id): PathId<JobId>,
    _form: Form,
    visit: Visit,
    connections: Data<Connections>,
) -> Result<HttpResponse, Problem> {
    match jobs::cancel_job(id, &visit.caller, &connections).await {
        Ok(job) => {
            let flash = Flash::new("The job is cancelled. Deliveries that it queued stay queued.");
            Ok(redirect_with_flash(
                &format!("/admin/jobs/{}", job.id),
                &flash,
            ))
        }
        Err(refusal @ Refusal::Conflict(_)) => {
            let job = jobs::find_job(id, &connections).await?;
            let reason = refusal.to_string();
            let refused = (refusal_status(&refusal), Some(reason));
            show(refused, &visit, job, &connections).await
        }
        Err(refusal) => Err(refusal.into()),
    }
}

async fn show(
    (status, refused): (StatusCode, Option<String>),
    visit: &Visit,
    job: JobBody,
    connections: &Connections,
) -> Result<HttpResponse, Problem> {
    let names = read_names(std::slice::from_ref(&job), connections).await?;
    let shown = JobPage {
        visit,
        shown: ShownJob::of(job, &names),
        refused,
    };
    page_with(status, visit, &shown)
}

/// The names of the webhooks that jobs are about.
async fn read_names(
    jobs: &[JobBody],
    connections: &Connections,
) -> Result<HashMap<WebhookId, String>, Problem> {
    let ids = jobs.iter().filter_map(|job| webhook_of(&job.selection));
    let ids: Vec<WebhookId> = ids.collect();
    let mut connection = connections.acquire().await?;
    Ok(find_names(&mut connection, &ids).await?)
}

impl ShownJob {
    fn of(job: JobBody, names: &HashMap<WebhookId, String>) -> Self {
        Self {
            facts: facts(&job.selection, names),
            processed: (job.done + job.skipped).min(job.total),
            job,
        }
    }

    fn is_running(&self) -> bool {
        self.job.status == JobStatus::Running
    }

    /// The facts for the list, without the end of the selection: every selection ends at the start of the
    /// job.
    fn summary(&self) -> impl Iterator<Item = &Fact> {
        self.facts.iter().filter(|fact| fact.name != UNTIL)
    }

    fn log_address(&self) -> String {
        log_address(self.job.kind, &self.job.selection)
    }

    fn name(&self) -> &'static str {
        match self.job.kind {
            JobKind::Replay => "Replay events",
            JobKind::Retry => "Retry deliveries",
        }
    }

    /// The time to the end at the job's rate, in words.
    fn remaining_time(&self) -> String {
        let remaining = self.job.total - self.processed;
        in_short(TimeDelta::seconds(
            remaining / i64::from(self.job.rate.max(1)),
        ))
    }

    fn percent(&self) -> i64 {
        if self.job.total == 0 {
            return 100;
        }
        self.processed * 100 / self.job.total
    }
}
