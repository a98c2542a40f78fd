//! The pages of jobs: the list, and a job's progress.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::Data;
use askama::Template;
use chrono::TimeDelta;
use webhook_admin::jobs::{self, JobBody, ListJobs};
use webhook_admin::{Connections, Refusal};
use webhook_domain::{JobId, JobKind, JobStatus};
use webhook_web::problem::refusal_status;
use webhook_web::{PathId, Problem};

use super::filters;
use super::form::Form;
use super::html::{go_on, page, page_with};
use super::notice::Notice;
use super::query::Query;
use super::span::in_short;
use super::visit::Visit;

mod selection;

use selection::{Fact, UNTIL, facts};

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

/// Shows the list of jobs.
pub(super) async fn show_jobs(
    visit: Visit,
    query: Query,
    connections: Data<Connections>,
) -> Result<HttpResponse, Problem> {
    let list = ListJobs::parse(&query.as_api())?;
    let list = jobs::list_jobs(&list, &connections).await?;
    let shown = JobsPage {
        visit,
        query,
        jobs: list.data.into_iter().map(ShownJob::of).collect(),
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
    show(StatusCode::OK, &visit, job, None)
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
            let notice =
                Notice::new("The job is cancelled. Deliveries that it queued stay queued.");
            Ok(go_on(&format!("/admin/jobs/{}", job.id), &notice))
        }
        Err(refusal @ Refusal::Conflict(_)) => {
            let job = jobs::find_job(id, &connections).await?;
            let reason = refusal.to_string();
            show(refusal_status(&refusal), &visit, job, Some(reason))
        }
        Err(refusal) => Err(refusal.into()),
    }
}

fn show(
    status: StatusCode,
    visit: &Visit,
    job: JobBody,
    refused: Option<String>,
) -> Result<HttpResponse, Problem> {
    let shown = JobPage {
        visit,
        shown: ShownJob::of(job),
        refused,
    };
    page_with(status, visit, &shown)
}

impl ShownJob {
    fn of(job: JobBody) -> Self {
        Self {
            facts: facts(&job.selection),
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
