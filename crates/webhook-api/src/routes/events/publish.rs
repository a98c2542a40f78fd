//! Events over HTTP: accepted when the broker has them, and not before.

use actix_web::HttpResponse;
use actix_web::web::{Data, Json};
use bytes::Bytes;
use chrono::Utc;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;
use webhook_broker::{PublishError, Publisher};
use webhook_domain::{AssignedFields, Event, EventError, EventId, FieldError, MAX_EVENT_BYTES};

use crate::refusals::Refusals;
use webhook_admin::Refusal;
use webhook_admin::fields::Fields;
use webhook_admin::refusal::FieldProblem;
use webhook_admin::schema;
use webhook_web::Problem;
use webhook_web::body::Body;

/// The most bytes that a batch may have.
const MAX_BATCH_BYTES: usize = 16 * 1024 * 1024;

/// The most events that a batch may have.
const MAX_BATCH_EVENTS: usize = 1_000;

/// An event to be published, at most 256 KiB.
#[derive(ToSchema)]
#[allow(
    dead_code,
    reason = "it documents what the domain reads from the bytes"
)]
pub(crate) struct PublishEvent {
    /// Identifies the event for ever: send the same id again to repeat safely. Upper and lower case are
    /// the same id, and receivers get it in lower case as `webhook-id`. Assigned when left out.
    #[schema(nullable = false)]
    id: Option<Uuid>,
    #[schema(value_type = schema::EventTypeName, inline)]
    r#type: String,
    #[schema(value_type = schema::EnvironmentName, inline)]
    environment: String,
    /// When it happened (RFC 3339, with a year of 0000 to 9999 in UTC; `t`, `z`, a space for `T` and a
    /// leap second are taken); now when left out. It is carried through as it was written.
    #[schema(nullable = false)]
    timestamp: Option<chrono::DateTime<Utc>>,
    // Whatever belongs to it, carried through untouched.
    #[schema(value_type = schema::AnyObject, inline, example = json!({"license_id": "lic_42", "seats": 5}))]
    data: serde_json::Value,
}

/// Up to 1,000 events, at most 16 MiB.
#[derive(ToSchema)]
#[allow(dead_code, reason = "it documents what is read item by item")]
pub(crate) struct PublishEvents {
    /// Each as for `/api/v1/events`; what is none is refused for itself.
    #[schema(value_type = Vec<serde_json::Value>, min_items = 1, max_items = 1000)]
    events: Vec<PublishEvent>,
}

/// An event that the broker has.
#[derive(Serialize, ToSchema)]
pub(crate) struct AcceptedEvent {
    id: Uuid,
    /// `accepted`
    status: &'static str,
}

/// What became of each event of a batch.
#[derive(Serialize, ToSchema)]
pub(crate) struct BatchResults {
    /// In the order of the events.
    results: Vec<BatchResult>,
}

/// What became of one event of a batch.
#[derive(Serialize, ToSchema)]
pub(crate) struct BatchResult {
    /// Its place in the batch, from 0.
    index: usize,
    /// `accepted`; `refused`: it is wrong; `unavailable`: send it again.
    status: &'static str,
    /// The event's id, when it was accepted.
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<Uuid>,
    /// What is wrong, when it was refused.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    errors: Vec<FieldProblem>,
}

/// Publishes an event. 202 means that it will not be lost.
#[utoipa::path(
    post, path = "/api/v1/events", tag = "events", request_body = PublishEvent,
    responses((status = 202, body = AcceptedEvent), Refusals)
)]
pub(crate) async fn publish_event(
    body: Body<MAX_EVENT_BYTES>,
    publisher: Data<Publisher>,
) -> Result<HttpResponse, Problem> {
    let event = parse_event(body.0).map_err(Refusal::from)?;
    publisher.publish(&event).await.map_err(Refusal::from)?;
    Ok(HttpResponse::Accepted().json(AcceptedEvent {
        id: event.id.0,
        status: "accepted",
    }))
}

/// Publishes up to 1,000 events, each for itself: a wrong one does not hold up the others.
#[utoipa::path(
    post, path = "/api/v1/events/batch", tag = "events", request_body = PublishEvents,
    responses((status = 200, body = BatchResults), Refusals)
)]
pub(crate) async fn publish_events(
    body: Body<MAX_BATCH_BYTES>,
    publisher: Data<Publisher>,
) -> Result<Json<BatchResults>, Problem> {
    let parsed = parse_batch(&body.0)?;
    let good: Vec<Event> = parsed.iter().flatten().cloned().collect();
    let published = unless_all_failed(publisher.publish_all(&good).await).map_err(Refusal::from)?;
    let results = tell_results(parsed, published);
    Ok(Json(BatchResults { results }))
}

fn parse_event(body: Bytes) -> Result<Event, EventError> {
    let assigned = AssignedFields {
        id: EventId(Uuid::now_v7()),
        timestamp: Utc::now(),
    };
    Event::parse_assigning(body, assigned)
}

/// Cuts a batch into its events without copying them.
fn parse_batch(body: &Bytes) -> Result<Vec<Result<Event, EventError>>, Refusal> {
    let mut fields = Fields::of_body(body)?;
    let items = fields.required_items("events").unwrap_or_default();
    if items.len() > MAX_BATCH_EVENTS {
        let reason = format!(
            "must have at most {MAX_BATCH_EVENTS} items, has {}",
            items.len()
        );
        fields.refuse("events", reason);
    }
    fields.end()?;
    let events = items
        .iter()
        .map(|raw| parse_event(body.slice_ref(raw.get().as_bytes())));
    Ok(events.collect())
}

/// When the broker took none, the whole batch is to be sent again.
fn unless_all_failed(
    mut published: Vec<Result<(), PublishError>>,
) -> Result<Vec<Result<(), PublishError>>, PublishError> {
    if published.iter().any(Result::is_ok) {
        return Ok(published);
    }
    match published.pop() {
        Some(Err(error)) => Err(error),
        Some(Ok(())) | None => Ok(published),
    }
}

/// Puts the broker's answers to the events that it was asked to take.
fn tell_results(
    parsed: Vec<Result<Event, EventError>>,
    published: Vec<Result<(), PublishError>>,
) -> Vec<BatchResult> {
    let mut published = published.into_iter();
    let results = parsed.into_iter().enumerate().map(|(index, parsed)| {
        let (status, id, errors) = match parsed {
            Err(error) => ("refused", None, event_errors(error)),
            Ok(event) => match published.next() {
                Some(Ok(())) => ("accepted", Some(event.id.0), Vec::new()),
                Some(Err(_)) | None => ("unavailable", None, Vec::new()),
            },
        };
        let errors = errors.iter().map(FieldProblem::from).collect();
        BatchResult {
            index,
            status,
            id,
            errors,
        }
    });
    results.collect()
}

/// What is wrong with the event as a whole stands under the name `event`.
fn event_errors(error: EventError) -> Vec<FieldError> {
    match error {
        EventError::Fields(errors) => errors.into_vec(),
        whole @ (EventError::TooLarge { .. } | EventError::NotAnObject(_)) => {
            vec![FieldError::new("event", whole)]
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = r#"{"id":"0192f0c1-7c1e-7b7e-8d5e-3f1a2b3c4d5e","type":"license.created","environment":"staging","timestamp":"2026-11-23T08:15:30.123Z","data":{ "n": 1e400 }}"#;

    fn batch(items: &[&str]) -> Bytes {
        Bytes::from(format!("{{\"events\":[ {} ]}}", items.join(" , ")))
    }

    #[test]
    fn a_batch_is_judged_item_by_item_and_keeps_the_bytes() {
        let parsed = parse_batch(&batch(&[GOOD, "5", "{}", GOOD])).expect("a batch");
        assert_eq!(
            parsed[0].as_ref().map(|e| e.body.as_ref()),
            Ok(GOOD.as_bytes())
        );

        let results = tell_results(parsed, vec![Ok(()), Err(PublishError::TimedOut)]);

        let statuses: Vec<&str> = results.iter().map(|result| result.status).collect();
        assert_eq!(statuses, ["accepted", "refused", "refused", "unavailable"]);
        assert!(!results[1].errors.is_empty() && !results[2].errors.is_empty());
    }

    #[test]
    fn a_batch_that_the_broker_took_nothing_of_failed() {
        let away = || Err(PublishError::TimedOut);

        assert!(unless_all_failed(vec![away(), away()]).is_err());
        assert!(unless_all_failed(vec![away(), Ok(())]).is_ok());
        assert!(unless_all_failed(Vec::new()).is_ok(), "nothing was tried");
    }

    #[test]
    fn a_batch_has_1_to_1000_events_and_nothing_else() {
        let too_many = vec!["5"; MAX_BATCH_EVENTS + 1];

        for wrong in [
            batch(&too_many),
            batch(&[]),
            Bytes::from("{}"),
            Bytes::from("{\"events\":{}}"),
            Bytes::from("{\"events\":[5],\"more\":1}"),
        ] {
            assert!(matches!(parse_batch(&wrong), Err(Refusal::Invalid(_))));
        }
        assert!(parse_batch(&batch(&too_many[1..])).is_ok());
    }
}
