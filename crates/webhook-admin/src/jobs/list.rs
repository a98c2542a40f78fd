//! Lists jobs.

use utoipa::IntoParams;
use webhook_domain::{JobId, JobStatus};
use webhook_store::jobs;

use super::body::JobBody;
use crate::connections::Connections;
use crate::fields::Fields;
use crate::lists::{Page, PageLimit, parse_cursor};
use crate::refusal::Refusal;
use crate::request;
use crate::schema;

request! {
    /// A page of the list of jobs.
    #[derive(IntoParams)]
    #[into_params(parameter_in = Query)]
    pub struct ListJobs {
        /// The status of the jobs.
        #[param(value_type = Option<schema::JobStatusName>, inline)]
        pub status: Option<JobStatus> = optional(str::parse),
        /// `next_cursor` of the page before.
        #[param(value_type = Option<Uuid>)]
        pub cursor: Option<JobId> = optional(parse_cursor),
        /// Jobs per page, 50 when left out.
        #[param(value_type = Option<u8>, minimum = 1, maximum = 200)]
        pub limit: PageLimit = or_default(str::parse),
    }
}

impl ListJobs {
    /// Reads a URL's query.
    pub fn parse(query: &str) -> Result<Self, Refusal> {
        Fields::read_query(query, Self::take)
    }
}

/// Lists jobs, newest first.
pub async fn list_jobs(
    list: &ListJobs,
    connections: &Connections,
) -> Result<Page<JobBody>, Refusal> {
    let mut connection = connections.acquire().await?;
    let rows = jobs::list(&mut connection, list.status, list.cursor, list.limit.rows()).await?;
    Ok(Page::of_rows(rows, list.limit, |job| job.id.to_string()))
}
