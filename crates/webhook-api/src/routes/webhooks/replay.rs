//! A webhook gets events that it missed.

use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use chrono::{DateTime, Utc};
use utoipa::ToSchema;
use webhook_domain::{AuditAction, JobRate, WebhookId, WebhookSettings, WebhookStatus};
use webhook_store::jobs::{Replay, Selection};
use webhook_store::{RawConnection, SealingKeys, transaction, webhooks};
use webhook_web::creation::{IdempotencyHeader, respond_created};

use crate::refusals::Refusals;
use webhook_admin::Caller;
use webhook_admin::Connections;
use webhook_admin::Refusal;
use webhook_admin::fields::Fields;
use webhook_admin::jobs::{JobBody, JobCount, NewJob, parse_rate};
use webhook_admin::values::{parse_bool, parse_time};
use webhook_web::Authenticated;
use webhook_web::body::Body;
use webhook_web::{PathId, Problem};

/// The most bytes that a replay in JSON may have.
const MAX_BYTES: usize = 8 * 1024;

/// Of which time to replay what a webhook missed.
#[derive(ToSchema)]
#[allow(
    dead_code,
    reason = "it documents what `parse_replay` reads field by field"
)]
pub(crate) struct ReplayEvents {
    /// Taken in at this time or later.
    since: DateTime<Utc>,
    /// Taken in before this time; up to now when left out.
    until: Option<DateTime<Utc>>,
    /// How many per second, so that live deliveries go on beside them; 100 when left out.
    #[schema(minimum = 1, maximum = 5_000)]
    rate: Option<u16>,
}

/// Sends a webhook the events of a span of time that it missed, as it was Inactive, not there yet,
/// or not subscribed: those of its environment and of types that it wants now, and that it was
/// never owed. The oldest go first. A job, which can be watched and cancelled; with `dry_run=true`
/// they are only counted.
#[utoipa::path(
    post, path = "/api/v1/webhooks/{id}/replay", tag = "webhooks", request_body = ReplayEvents,
    params(
        ("id" = Uuid, Path),
        ("dry_run" = Option<bool>, Query, description = "Only count them"),
        ("Idempotency-Key" = Option<String>, Header, description = "Makes the job once, however often it is sent within 24 hours", min_length = 1, max_length = 255, pattern = "^[!-~]+$")
    ),
    responses(
        (status = 200, body = JobCount, description = "How many there are (`dry_run`)"),
        (status = 201, body = JobBody, headers(("Location" = String, description = "Where the job is"))),
        Refusals
    )
)]
pub(crate) async fn replay_events(
    PathId(id): PathId<WebhookId>,
    request: HttpRequest,
    IdempotencyHeader(idempotency_key): IdempotencyHeader,
    body: Body<MAX_BYTES>,
    Authenticated(caller): Authenticated,
    connections: Data<Connections>,
    keys: Data<SealingKeys>,
) -> Result<HttpResponse, Problem> {
    let asked = parse_replay(&body.0, request.query_string())?;
    let mut connection = connections.acquire().await?;
    let missed = asked.select(&mut connection, id).await?;
    if asked.dry_run {
        let count = missed.job().count(&mut connection).await?;
        return Ok(HttpResponse::Ok().json(count));
    }
    missed.refuse_inactive()?;
    let job = missed.job();
    let request = (&idempotency_key, &*body.0);
    let started = job.start(&mut connection, &keys, &caller, request).await?;
    Ok(respond_created(started))
}

/// Counts what a replay would send.
pub(crate) async fn count_missed(
    id: WebhookId,
    body: &[u8],
    connections: &Connections,
) -> Result<i64, Refusal> {
    let asked = parse_replay(body, "")?;
    let mut connection = connections.acquire().await?;
    let missed = asked.select(&mut connection, id).await?;
    Ok(missed.selection.count(&mut connection).await?)
}

/// Starts a replay that nobody sends twice.
pub(crate) async fn start_replay(
    id: WebhookId,
    body: &[u8],
    caller: &Caller,
    connections: &Connections,
) -> Result<JobBody, Refusal> {
    let asked = parse_replay(body, "")?;
    let mut connection = connections.acquire().await?;
    let missed = asked.select(&mut connection, id).await?;
    missed.refuse_inactive()?;
    transaction(&mut connection, async |connection| {
        missed.job().insert(connection, caller).await
    })
    .await
}

struct Asked {
    since: DateTime<Utc>,
    until: Option<DateTime<Utc>>,
    rate: JobRate,
    dry_run: bool,
}

impl Asked {
    async fn select(
        &self,
        connection: &mut RawConnection,
        webhook_id: WebhookId,
    ) -> Result<Missed, Refusal> {
        let webhook = webhooks::find(connection, webhook_id).await?;
        let settings = webhook.ok_or(Refusal::NotFound("webhook"))?.settings;
        let replay = Replay {
            webhook_id,
            event_types: settings.events.types().collect(),
            since: self.since,
            until: self.until.unwrap_or_else(Utc::now),
        };
        Ok(Missed {
            settings,
            selection: Selection::Replay(replay).up_to_now(),
            rate: self.rate,
        })
    }
}

/// What a webhook missed, to be sent at some rate.
struct Missed {
    settings: WebhookSettings,
    selection: Selection,
    rate: JobRate,
}

impl Missed {
    fn job(&self) -> NewJob<'_> {
        NewJob {
            selection: &self.selection,
            rate: self.rate,
            action: AuditAction::EventsReplayed,
            subject: self.settings.name.as_str(),
        }
    }

    fn refuse_inactive(&self) -> Result<(), Refusal> {
        match self.settings.status {
            WebhookStatus::Active => Ok(()),
            WebhookStatus::Inactive => Err(Refusal::Conflict(
                "an Inactive webhook gets nothing; activate it first",
            )),
        }
    }
}

fn parse_replay(body: &[u8], query: &str) -> Result<Asked, Refusal> {
    let mut query = Fields::of_query(query);
    let dry_run = query.optional("dry_run", parse_bool).unwrap_or_default();
    let mut fields = Fields::of_body(body)?;
    let since = fields.required("since", parse_time);
    let until = fields.optional("until", parse_time);
    let rate = parse_rate(&mut fields);
    let errors = [query.finish(), fields.finish()].concat();
    match since {
        Some(since) if errors.is_empty() => Ok(Asked {
            since,
            until,
            rate,
            dry_run,
        }),
        _ => Err(Refusal::Invalid(errors)),
    }
}
