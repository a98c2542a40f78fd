//! A delivery is read, with all that was said.

use actix_web::web::{Data, Json, Path};
use chrono::{DateTime, TimeDelta, Utc};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;
use webhook_domain::{BodyEnd, DeliveryStatus, FailureClass, FailureDetail, advice};
use webhook_store::attempts::{self, Attempt, Said};
use webhook_store::deliveries::{self, DeliveryRow, Resend};
use webhook_store::{RawConnection, events, retry_policies};

use super::{DeliveryBody, parse_id};
use crate::refusals::Refusals;
use webhook_admin::Connections;
use webhook_admin::Refusal;
use webhook_admin::decoding::DecodedBody;
use webhook_admin::schema;
use webhook_web::Problem;

/// A delivery with all that was said.
#[derive(Serialize, ToSchema)]
pub(crate) struct DeliveryWithAttempts {
    #[serde(flatten)]
    pub(crate) delivery: DeliveryBody,
    /// What every request's body is, byte for byte; `null`: the event is not kept any more.
    pub(crate) request_body: Option<String>,
    /// In order.
    pub(crate) attempts: Vec<AttemptBody>,
    /// When it was asked for again, in order.
    pub(crate) resends: Vec<ResendBody>,
    /// The times of the attempts that are left while they fail, the next one included, without
    /// jitter. Empty when it is not pending, or waits for its turn.
    pub(crate) schedule: Vec<DateTime<Utc>>,
}

/// One HTTP request made for a delivery.
#[derive(Serialize, ToSchema)]
#[schema(as = Attempt)]
pub(crate) struct AttemptBody {
    /// From 1. A number comes twice when two workers made the attempt.
    pub(crate) number: i32,
    pub(crate) started_at: DateTime<Utc>,
    pub(crate) duration_ms: i32,
    /// To look the name up; `null`: a connection was there, or the URL has an address.
    pub(crate) dns_ms: Option<i32>,
    /// To connect, TLS included; `null`: a connection was there.
    pub(crate) connect_ms: Option<i32>,
    /// From the start to the head of the answer; `null`: it did not come.
    pub(crate) first_byte_ms: Option<i32>,
    /// Whether the log has the request and the answer: `kept`; `expired`: it is older than what is
    /// kept; `unreadable`: it is there and could not be read.
    #[schema(pattern = "^(kept|expired|unreadable)$")]
    pub(crate) log: &'static str,
    /// Where the request went; `null` unless the log is `kept`.
    pub(crate) request_url: Option<String>,
    pub(crate) request_headers: Vec<RequestHeaderBody>,
    /// `null` when there was no answer.
    pub(crate) response_status: Option<i32>,
    pub(crate) response_headers: Vec<HeaderBody>,
    /// The response's body as text: its first 16 KiB as they were received, decoded by the headers
    /// `content-encoding` and `content-type` up to 64 KiB. Bytes that are no text are replaced.
    /// `null`: the body is not kept any more.
    pub(crate) response_body: Option<String>,
    /// How many bytes of the body are kept, as they were received; `null`: there was no response, or
    /// the body is not kept any more.
    pub(crate) response_body_bytes: Option<usize>,
    /// How the body ended: `complete`; `cut`: it is longer than the 16 KiB that are kept;
    /// `broken_off`: the connection broke or the body was malformed after the head; `unfinished`: it
    /// was not at its end when the time to read it was over. `null`: there was no response, or the
    /// body is not kept any more.
    #[schema(value_type = Option<schema::BodyEndName>)]
    pub(crate) response_body_end: Option<BodyEnd>,
    /// Whether `response_body` is not the complete body: the body is not `complete`, or its decoding
    /// stopped before its end.
    pub(crate) response_body_truncated: bool,
    /// What the text of `response_body` was decoded from, in the order of decoding; `null`: the body
    /// is shown as it was received.
    #[schema(example = "gzip, iso-8859-1")]
    pub(crate) response_body_decoded_from: Option<String>,
    /// Why the request was sent a second time within this attempt, on a fresh connection; `null`: it
    /// was sent once.
    #[schema(example = "the receiver closed the connection that was kept")]
    pub(crate) repeated: Option<String>,
    /// Why it failed, when it did.
    #[schema(value_type = Option<schema::FailureClassName>)]
    pub(crate) failure_class: Option<&'static str>,
    pub(crate) failure_detail: Option<String>,
    /// What to do about it.
    #[schema(example = "Give the webhook a rate limit that the receiver can bear.")]
    pub(crate) advice: Option<&'static str>,
}

/// A header of a request.
#[derive(Serialize, ToSchema)]
#[schema(as = RequestHeader)]
pub(crate) struct RequestHeaderBody {
    pub(crate) name: String,
    /// `null`: the value is secret.
    pub(crate) value: Option<String>,
}

/// A header of an answer.
#[derive(Serialize, ToSchema)]
#[schema(as = Header)]
pub(crate) struct HeaderBody {
    pub(crate) name: String,
    pub(crate) value: String,
}

/// When a delivery was asked for again.
#[derive(Serialize, ToSchema)]
#[schema(as = Resend)]
pub(crate) struct ResendBody {
    pub(crate) requested_at: DateTime<Utc>,
    /// After how many attempts.
    pub(crate) after_attempt: i32,
    /// `resend`: it had succeeded; `retry`: it had not; `replay`: its webhook had missed the event.
    #[schema(pattern = "^(resend|retry|replay)$")]
    pub(crate) kind: &'static str,
    /// The API key that asked for it, by name.
    pub(crate) actor_name: String,
    /// The job that did it, if one did.
    pub(crate) job_id: Option<Uuid>,
}

/// Reads a delivery with its attempts.
#[utoipa::path(
    get, path = "/api/v1/deliveries/{id}", tag = "deliveries", params(("id" = Uuid, Path)),
    responses((status = 200, body = DeliveryWithAttempts), Refusals)
)]
pub(crate) async fn find_delivery(
    id: Path<String>,
    connections: Data<Connections>,
) -> Result<Json<DeliveryWithAttempts>, Problem> {
    read_delivery(&id, &connections)
        .await
        .map(Json)
        .map_err(Problem::from)
}

/// Reads the delivery that a path names.
pub(crate) async fn read_delivery(
    id: &str,
    connections: &Connections,
) -> Result<DeliveryWithAttempts, Refusal> {
    let id = parse_id(id)?;
    let mut connection = connections.acquire().await?;
    let delivery = deliveries::find(&mut connection, id).await?;
    let delivery = delivery.ok_or(Refusal::NotFound("delivery"))?;
    DeliveryWithAttempts::read(&mut connection, delivery).await
}

impl DeliveryWithAttempts {
    /// Reads all that belongs to a delivery.
    pub(crate) async fn read(
        connection: &mut RawConnection,
        delivery: DeliveryRow,
    ) -> Result<Self, Refusal> {
        let attempts = attempts::list(connection, delivery.id).await?;
        let resends = deliveries::list_resends(connection, delivery.id).await?;
        let body = events::find_body(connection, delivery.event_id).await?;
        Ok(Self {
            request_body: body.map(|body| String::from_utf8_lossy(&body).into_owned()),
            attempts: attempts.into_iter().map(AttemptBody::of).collect(),
            resends: resends.into_iter().map(ResendBody::from).collect(),
            schedule: schedule(connection, &delivery).await?,
            delivery: delivery.into(),
        })
    }
}

async fn schedule(
    connection: &mut RawConnection,
    delivery: &DeliveryRow,
) -> Result<Vec<DateTime<Utc>>, Refusal> {
    let Some(next) = delivery.next_attempt_at else {
        return Ok(Vec::new());
    };
    if delivery.status != DeliveryStatus::Pending {
        return Ok(Vec::new());
    }
    let policy =
        retry_policies::find_for(connection, delivery.webhook_id, delivery.environment).await?;
    let made = (delivery.attempts - delivery.schedule_from).unsigned_abs();
    // The delay before the next one is behind `next` already.
    let later = policy.schedule_after(made).scan(next, |time, delay| {
        *time += TimeDelta::from_std(delay).unwrap_or(TimeDelta::MAX);
        Some(*time)
    });
    // A test is tried once.
    let later = later.take(if delivery.test { 0 } else { usize::MAX });
    Ok(std::iter::once(next).chain(later).collect())
}

impl AttemptBody {
    fn of((attempt, said): (Attempt, Said)) -> Self {
        let status = attempt.status();
        let (log, said) = match said {
            Said::Kept(said) => ("kept", Some(said)),
            Said::Gone => ("expired", None),
            Said::Unreadable => ("unreadable", None),
        };
        let kept = said.is_some();
        let said = said.unwrap_or_default();
        let answered = kept && attempt.response_status.is_some();
        let body = DecodedBody::of(
            &said.response_body,
            said.response_body_end,
            &said.response_headers,
        );
        let request_headers = said.request_headers.into_iter();
        let response_headers = said.response_headers.into_iter();
        Self {
            number: attempt.number,
            started_at: attempt.started_at,
            duration_ms: attempt.timing.duration_ms,
            dns_ms: attempt.timing.dns_ms,
            connect_ms: attempt.timing.connect_ms,
            first_byte_ms: attempt.timing.first_byte_ms,
            log,
            request_url: kept.then_some(said.request_url),
            request_headers: request_headers
                .map(|(name, value)| RequestHeaderBody {
                    name: name.into_owned(),
                    value,
                })
                .collect(),
            response_status: attempt.response_status,
            response_headers: response_headers
                .map(|(name, value)| HeaderBody {
                    name: name.into_owned(),
                    value: value.into_string(),
                })
                .collect(),
            response_body: kept.then_some(body.text),
            response_body_bytes: answered.then_some(said.response_body.len()),
            response_body_end: answered.then_some(said.response_body_end),
            response_body_truncated: !body.is_whole,
            response_body_decoded_from: body.decoded_from,
            repeated: said.repeated.map(FailureDetail::into_string),
            failure_class: attempt.failure_class.map(FailureClass::as_str),
            failure_detail: attempt.failure_detail.map(FailureDetail::into_string),
            advice: attempt.failure_class.map(|class| advice(class, status)),
        }
    }
}

impl From<Resend> for ResendBody {
    fn from(resend: Resend) -> Self {
        Self {
            requested_at: resend.requested_at,
            after_attempt: resend.after_attempt,
            kind: match resend.status_before.as_str() {
                "succeeded" => "resend",
                "missed" => "replay",
                _ => "retry",
            },
            actor_name: resend.actor_name,
            job_id: resend.job_id.map(|id| id.0),
        }
    }
}
