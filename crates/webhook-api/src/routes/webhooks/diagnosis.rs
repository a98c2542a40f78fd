//! Why a webhook may not receive events: the troubleshooting guide, run by the machine.

use std::time::Duration;

use actix_web::web::{Data, Json, Path};
use chrono::{TimeDelta, Utc};
use serde::Serialize;
use tokio::time::{Instant, sleep};
use utoipa::ToSchema;
use uuid::Uuid;
use webhook_domain::{EventType, Finding, UrlReport, WebhookFacts, diagnose};
use webhook_store::rejected_messages::{self, RejectedMessageFilter};
use webhook_store::webhooks::Webhook;
use webhook_store::{activity, deliveries, events, url_checks, webhooks};

use super::read::parse_id;
use crate::refusals::Refusals;
use webhook_admin::Connections;
use webhook_admin::Refusal;
use webhook_admin::schema;
use webhook_web::Problem;

/// How long a dispatcher may take to look at the URL: a name, a connection and a handshake of 5 s
/// each, at most.
const LOOKED_AT_WITHIN: Duration = Duration::from_secs(16);

/// How often we look whether it has.
const LOOK: Duration = Duration::from_millis(50);

/// How many pending deliveries are counted.
const MAX_PENDING: i64 = 10_000;

/// What keeps, or may keep, events from a webhook.
#[derive(Serialize, ToSchema)]
pub(crate) struct Diagnosis {
    /// One for each thing that was looked at.
    pub(crate) findings: Vec<FindingBody>,
}

/// What was found.
#[derive(Serialize, ToSchema)]
#[schema(as = DiagnosisFinding)]
pub(crate) struct FindingBody {
    /// What was looked at.
    #[schema(value_type = schema::CheckName)]
    pub(crate) check: &'static str,
    /// `problem`: it keeps events away; `warning`: it may be meant so, or become one.
    #[schema(value_type = schema::SeverityName)]
    pub(crate) severity: &'static str,
    #[schema(example = "It is Active and healthy.")]
    pub(crate) message: String,
    /// What to do about it.
    pub(crate) advice: Option<String>,
}

/// Looks for what keeps events from a webhook: its status, what arrived lately of what it wants,
/// what waits, the last answers, DNS and TLS of its URL now (a dispatcher looks, without any
/// request), and messages that were rejected.
#[utoipa::path(
    get, path = "/api/v1/webhooks/{id}/diagnosis", tag = "webhooks", params(("id" = Uuid, Path)),
    responses((status = 200, body = Diagnosis), Refusals)
)]
pub(crate) async fn diagnose_webhook(
    id: Path<String>,
    connections: Data<Connections>,
) -> Result<Json<Diagnosis>, Problem> {
    read_diagnosis(&id, &connections)
        .await
        .map(Json)
        .map_err(Problem::from)
}

/// Looks for what keeps events from the webhook of an id. That takes as long as a dispatcher takes
/// to look at its URL.
pub(crate) async fn read_diagnosis(
    id: &str,
    connections: &Connections,
) -> Result<Diagnosis, Refusal> {
    let id = parse_id(id)?;
    let mut connection = connections.acquire().await?;
    let webhook = webhooks::find(&mut connection, id).await?;
    let webhook = webhook.ok_or(Refusal::NotFound("webhook"))?;
    let url = webhook.settings.url.as_str();
    let look = url_checks::request(&mut connection, id, url).await?;
    drop(connection);
    let report = watch(connections, look).await?;
    find_out(connections, &webhook, report.as_ref()).await
}

/// Waits until a dispatcher has looked.
async fn watch(connections: &Connections, look: Uuid) -> Result<Option<UrlReport>, Refusal> {
    let began = Instant::now();
    loop {
        let mut connection = connections.acquire().await?;
        let report = url_checks::find(&mut connection, look).await?;
        drop(connection);
        if report.is_some() || began.elapsed() > LOOKED_AT_WITHIN {
            return Ok(report);
        }
        sleep(LOOK).await;
    }
}

async fn find_out(
    connections: &Connections,
    webhook: &Webhook,
    url: Option<&UrlReport>,
) -> Result<Diagnosis, Refusal> {
    let now = Utc::now();
    let a_day_ago = now - TimeDelta::days(1);
    let mut connection = connections.acquire().await?;
    let types: Vec<EventType> = webhook.settings.events.types().collect();
    let latest = events::list_latest(&mut connection, &types).await?;
    let counts = activity::count_since(&mut connection, &[webhook.id], a_day_ago).await?;
    let counts = counts.get(&webhook.id).copied().unwrap_or_default();
    let lately = RejectedMessageFilter {
        since: Some(a_day_ago),
        ..RejectedMessageFilter::default()
    };
    let rejected = rejected_messages::count(&mut connection, &lately).await?;
    let last = webhook.last_attempt.as_ref();
    let status = |status: i32| u16::try_from(status).ok();
    let facts = WebhookFacts {
        settings: &webhook.settings,
        disabled_reason: webhook.disabled_reason.as_deref(),
        failing: webhook.failing,
        held_until: webhook.held_until,
        latest: &latest,
        pending: deliveries::count_pending(&mut connection, webhook.id, MAX_PENDING).await?,
        last_attempt: last.map(|last| {
            let status = last.response_status.and_then(status);
            (last.attempted_at, status, last.failure_class)
        }),
        attempts: (counts.attempts, counts.failed_attempts),
        url,
        rejected: rejected.all,
    };
    let findings = diagnose(&facts, now).into_iter().map(FindingBody::from);
    Ok(Diagnosis {
        findings: findings.collect(),
    })
}

impl From<Finding> for FindingBody {
    fn from(finding: Finding) -> Self {
        Self {
            check: finding.check.as_str(),
            severity: finding.severity.as_str(),
            message: finding.message,
            advice: finding.advice,
        }
    }
}
