//! The pages of jobs.

use actix_web::HttpResponse;
use actix_web::web::{Data, Path};
use askama::Template;
use chrono::TimeDelta;
use webhook_domain::JobStatus;

use super::filters;
use super::form::Form;
use super::html::{go_on, page, page_with};
use super::notice::Notice;
use super::query::Query;
use super::span::in_short;
use super::visit::Visit;
use crate::routes::jobs::{JobBody, cancel, read_job, read_list};
use webhook_admin::Connections;
use webhook_admin::Refusal;
use webhook_web::Problem;
use webhook_web::problem::refusal_status;

mod selection;

use selection::{Fact, facts};

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
    /// Why what was asked for was not done.
    refused: Option<String>,
}

/// A job, and what it is about in words.
struct ShownJob {
    job: JobBody,
    facts: Vec<Fact>,
    /// How many it has looked at; of more than there were, all.
    looked_at: i64,
}

/// Lists jobs.
pub(super) async fn show_jobs(
    visit: Visit,
    query: Query,
    connections: Data<Connections>,
) -> Result<HttpResponse, Problem> {
    let list = read_list(&query.as_api(), &connections).await?;
    let shown = JobsPage {
        visit,
        query,
        jobs: list.data.into_iter().map(ShownJob::of).collect(),
        next_cursor: list.next_cursor,
        statuses: JobStatus::ALL,
    };
    page(&shown.visit, &shown)
}

/// Shows a job, and how far it got.
pub(super) async fn show_job(
    id: Path<String>,
    visit: Visit,
    connections: Data<Connections>,
) -> Result<HttpResponse, Problem> {
    let shown = JobPage {
        visit: &visit,
        shown: ShownJob::of(read_job(&id, &connections).await?),
        refused: None,
    };
    page(&visit, &shown)
}

/// Stops a job.
pub(super) async fn cancel_job(
    id: Path<String>,
    _form: Form,
    visit: Visit,
    connections: Data<Connections>,
) -> Result<HttpResponse, Problem> {
    match cancel(&id, &visit.caller, &connections).await {
        Ok(job) => {
            let notice = Notice::new("The job is cancelled. What it made due stays due.");
            Ok(go_on(&format!("/admin/jobs/{}", job.id), &notice))
        }
        Err(problem @ Refusal::Conflict(_)) => {
            let shown = JobPage {
                visit: &visit,
                shown: ShownJob::of(read_job(&id, &connections).await?),
                refused: Some(problem.to_string()),
            };
            page_with(refusal_status(&problem), &visit, &shown)
        }
        Err(refusal) => Err(refusal.into()),
    }
}

impl ShownJob {
    fn of(job: JobBody) -> Self {
        Self {
            facts: facts(&job.selection),
            looked_at: (job.done + job.skipped).min(job.total),
            job,
        }
    }

    fn is_running(&self) -> bool {
        self.job.status == JobStatus::Running.as_str()
    }

    /// What it does, in a few words.
    fn name(&self) -> &'static str {
        match self.job.kind {
            "replay" => "Replay events",
            _ => "Retry deliveries",
        }
    }

    /// How long it takes to the end at its rate.
    fn left(&self) -> String {
        let left = self.job.total - self.looked_at;
        in_short(TimeDelta::seconds(left / i64::from(self.job.rate.max(1))))
    }

    fn percent(&self) -> i64 {
        if self.job.total == 0 {
            return 100;
        }
        self.looked_at * 100 / self.job.total
    }
}
