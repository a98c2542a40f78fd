//! Diagnoses a webhook: the checks of the troubleshooting guide, done by the machine.

use std::time::Duration;

use chrono::Utc;
use serde::Serialize;
use tokio::time::{Instant, sleep};
use utoipa::ToSchema;
use uuid::Uuid;
use webhook_domain::{
    Check, EventType, Finding, Severity, UrlReport, UrlSetting, WebhookFacts, WebhookId, diagnose,
};
use webhook_store::rejected_messages::{self, RejectedMessageFilter};
use webhook_store::webhooks::{self, Webhook};
use webhook_store::{RawConnection, SealingKeys, activity, deliveries, events, url_checks};

use super::find::find_stored;
use crate::connections::Connections;
use crate::dispatchers::find_trouble;
use crate::refusal::Refusal;
use crate::schema;

/// How long a dispatcher may take to check the URL: at most 5 s each for the name, the connection and
/// the handshake, and a second for the row to be found. Later reports are ignored.
const URL_CHECK_TIMEOUT: Duration = Duration::from_secs(16);

/// How often the report of a URL check is looked for.
const URL_CHECK_POLL_INTERVAL: Duration = Duration::from_millis(50);

/// The most pending deliveries to count. A diagnosis of more says "10,000 or more".
const MAX_PENDING: i64 = 10_000;

/// The findings about a webhook.
#[derive(Serialize, ToSchema)]
pub struct Diagnosis {
    /// One finding per check.
    pub findings: Vec<FindingBody>,
}

/// The result of one check.
#[derive(Serialize, ToSchema)]
#[schema(as = DiagnosisFinding)]
pub struct FindingBody {
    /// The check.
    #[schema(value_type = schema::CheckName)]
    pub check: Check,
    /// `problem`: events are kept away; `warning`: may be intended, or become a problem.
    #[schema(value_type = schema::SeverityName)]
    pub severity: Severity,
    /// The finding, in a sentence.
    #[schema(example = "The webhook is Active and healthy.")]
    pub message: String,
    /// How to solve the problem.
    pub advice: Option<String>,
}

/// Diagnoses a webhook. A dispatcher checks the URL meanwhile, which takes 16 s at most.
pub async fn diagnose_webhook(
    id: WebhookId,
    connections: &Connections,
    sealing_keys: &SealingKeys,
) -> Result<Diagnosis, Refusal> {
    let mut connection = connections.acquire().await?;
    let mut webhook = find_stored(&mut connection, id).await?;
    let url = webhook.settings.url.to_check();
    let check = url_checks::request(&mut connection, id, &url).await?;
    // The path tells whether the receiver takes the format; no finding repeats the path.
    match webhooks::find_url(&mut connection, sealing_keys, id).await {
        Ok(whole) => webhook.settings.url = whole.map_or(webhook.settings.url, UrlSetting::Known),
        Err(error) => log::warn!(webhook_id:% = id; "cannot open the URL of webhook {id}: {error}"),
    }
    // The connection goes back to the pool while a dispatcher checks the URL.
    drop(connection);
    let report = wait_for_report(connections, check).await?;
    let mut connection = connections.acquire().await?;
    let findings = list_findings(&mut connection, &webhook, report.as_ref()).await?;
    Ok(Diagnosis { findings })
}

/// Waits for a dispatcher's report. `None`: no dispatcher has reported in time.
async fn wait_for_report(
    connections: &Connections,
    check: Uuid,
) -> Result<Option<UrlReport>, Refusal> {
    let began = Instant::now();
    loop {
        let mut connection = connections.acquire().await?;
        let report = url_checks::find(&mut connection, check).await?;
        drop(connection);
        if report.is_some() || began.elapsed() > URL_CHECK_TIMEOUT {
            return Ok(report);
        }
        sleep(URL_CHECK_POLL_INTERVAL).await;
    }
}

async fn list_findings(
    connection: &mut RawConnection,
    webhook: &Webhook,
    url: Option<&UrlReport>,
) -> Result<Vec<FindingBody>, Refusal> {
    let now = Utc::now();
    let a_day_ago = activity::last_day(now);
    let types: Vec<EventType> = webhook.settings.events.types().collect();
    let latest = events::list_latest(connection, &types).await?;
    let counts = activity::count_since(connection, &[webhook.id], a_day_ago).await?;
    let counts = counts.get(&webhook.id).copied().unwrap_or_default();
    let last_day = RejectedMessageFilter {
        since: Some(a_day_ago),
        ..RejectedMessageFilter::default()
    };
    let rejected = rejected_messages::count(connection, &last_day).await?;
    let last_attempt = webhook.last_attempt.as_ref().map(|last| {
        let status = last.response_status.and_then(|s| u16::try_from(s).ok());
        (last.attempted_at, status, last.failure_class)
    });
    let facts = WebhookFacts {
        settings: &webhook.settings,
        disabled_reason: webhook.disabled_reason.as_deref(),
        health: webhook.health(now),
        failing: webhook.failing,
        held_until: webhook.held_until,
        latest: &latest,
        pending: deliveries::count_pending(connection, webhook.id, MAX_PENDING).await?,
        last_attempt,
        attempts: (counts.attempts, counts.failed_attempts),
        url,
        rejected: rejected.all,
        dispatchers: find_trouble(connection).await?,
    };
    let findings = diagnose(&facts, now).into_iter().map(FindingBody::from);
    Ok(findings.collect())
}

impl FindingBody {
    /// Whether the URL was checked.
    pub fn is_of_url(&self) -> bool {
        self.check == Check::Url
    }
}

impl From<Finding> for FindingBody {
    fn from(finding: Finding) -> Self {
        Self {
            check: finding.check,
            severity: finding.severity,
            message: finding.message,
            advice: finding.advice,
        }
    }
}
