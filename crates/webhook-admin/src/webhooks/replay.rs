//! Replays missed events of a webhook.

use chrono::{DateTime, Utc};
use utoipa::ToSchema;
use webhook_domain::{AuditAction, JobRate, WebhookId, WebhookName, WebhookSettings};
use webhook_store::SealingKeys;
use webhook_store::jobs::{JobScope, Replay};

use super::find::find_stored;
use super::status::require_active;
use crate::caller::Caller;
use crate::connections::Connections;
use crate::creation::{Creation, CreationRequest};
use crate::fields::Fields;
use crate::jobs::{JobCount, NewJob};
use crate::refusal::Refusal;
use crate::request;
use crate::values::{parse_bool, parse_time};

request! {
    /// The time span of the events to replay.
    #[derive(ToSchema)]
    pub struct ReplayEvents {
        /// Events received at `since` or later.
        pub since: DateTime<Utc> = required(parse_time),
        /// Events received before `until`; up to now when left out.
        pub until: Option<DateTime<Utc>> = optional(parse_time),
        /// Events per second, which leaves room for live deliveries; 100 when left out.
        #[schema(value_type = Option<u16>, minimum = 1, maximum = 5_000)]
        pub rate: Option<JobRate> = whole(JobRate::new),
    }
}

impl ReplayEvents {
    /// Reads the document, and from the query whether the events are only to be counted.
    pub fn parse(body: &[u8], query: &str) -> Result<(Self, DryRun), Refusal> {
        let mut query = Fields::of_query(query);
        let dry_run = query.optional("dry_run", parse_bool).unwrap_or_default();
        let mut fields = Fields::of_body(body)?;
        let replay = Self::take(&mut fields);
        let replay = query.and(fields).end_with(replay)?;
        let dry_run = if dry_run { DryRun::Yes } else { DryRun::No };
        Ok((replay, dry_run))
    }
}

/// Whether a request is only tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DryRun {
    /// No change is made.
    Yes,
    /// The request is carried out.
    No,
}

/// Counts the events of a replay: of the webhook's environment and subscribed types, without a delivery
/// to the webhook.
pub async fn count_missed(
    id: WebhookId,
    replay: &ReplayEvents,
    connections: &Connections,
) -> Result<JobCount, Refusal> {
    let mut connection = connections.acquire().await?;
    let webhook = find_stored(&mut connection, id).await?;
    let missed = Missed::of(id, replay, &webhook.settings);
    missed.job().count(&mut connection).await
}

/// Starts a job that sends missed events to an Active webhook, the oldest first, once per idempotency
/// key.
pub async fn start_replay(
    id: WebhookId,
    replay: &ReplayEvents,
    request: CreationRequest<'_>,
    caller: &Caller,
    connections: &Connections,
    sealing_keys: &SealingKeys,
) -> Result<Creation, Refusal> {
    let mut connection = connections.acquire().await?;
    let webhook = find_stored(&mut connection, id).await?;
    require_active(&webhook.settings)?;
    let missed = Missed::of(id, replay, &webhook.settings);
    let job = missed.job();
    job.start(&mut connection, sealing_keys, caller, request)
        .await
}

/// The missed events of a webhook, and the rate to send at.
struct Missed<'a> {
    name: &'a WebhookName,
    scope: JobScope,
    rate: JobRate,
}

impl<'a> Missed<'a> {
    fn of(id: WebhookId, replay: &ReplayEvents, settings: &'a WebhookSettings) -> Self {
        let events = Replay {
            webhook_id: id,
            event_types: settings.events.types().collect(),
            since: replay.since,
            until: replay.until.unwrap_or_else(Utc::now),
        };
        Self {
            name: &settings.name,
            scope: JobScope::Replay(events).up_to_now(),
            rate: replay.rate.unwrap_or_default(),
        }
    }

    fn job(&self) -> NewJob<'_> {
        NewJob {
            scope: &self.scope,
            rate: self.rate,
            action: AuditAction::EventsReplayed,
            subject: self.name.as_str(),
        }
    }
}
