//! Publishes a batch of events.

use bytes::Bytes;
use serde::Serialize;
use utoipa::ToSchema;
use webhook_broker::{PublishError, Publisher};
use webhook_domain::{Event, EventError, EventId, FieldError, TraceContext};

use super::publish::{PublishEvent, PublishStatus, parse_event};
use crate::fields::Fields;
use crate::refusal::{FieldProblem, Refusal};

/// The most bytes of a batch.
pub const MAX_BATCH_BYTES: usize = 16 * 1024 * 1024;

/// The most events of a batch. A larger batch is refused as a whole.
const MAX_BATCH_EVENTS: usize = 1_000;

/// Up to 1,000 events, at most 16 MiB.
///
/// Only the schema of a request: a batch is cut into events without copying bytes.
#[derive(ToSchema)]
#[schema(description = "Up to 1,000 events, at most 16 MiB.")]
pub struct PublishEvents {
    /// Events as for `/api/v1/events`; a wrong event is refused alone.
    #[schema(value_type = Vec<serde_json::Value>, min_items = 1, max_items = 1000)]
    pub events: Vec<PublishEvent>,
}

/// The results of the events of a batch.
#[derive(Serialize, ToSchema)]
pub struct BatchResults {
    /// The results, in the order of the events.
    pub results: Vec<BatchResult>,
}

/// The result of an event of a batch.
#[derive(Serialize, ToSchema)]
pub struct BatchResult {
    /// The event's place in the batch, from 0.
    pub index: usize,
    /// `accepted`; `refused`: the event is wrong; `unavailable`: send the event again.
    #[schema(value_type = String)]
    pub status: PublishStatus,
    /// The event's id, when the event was accepted.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Uuid>)]
    pub id: Option<EventId>,
    /// The faults of the event, when the event was refused.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<FieldProblem>,
}

/// Publishes up to 1,000 events, all at the same place in a trace. A wrong event does not hold up the others.
pub async fn publish_events(
    body: &Bytes,
    trace: Option<TraceContext>,
    publisher: &Publisher,
) -> Result<BatchResults, Refusal> {
    let parsed = parse_batch(body)?;
    // A clone of an event shares its bytes.
    let good = parsed.iter().flatten().cloned();
    let good: Vec<Event> = good.map(|event| event.in_trace(trace)).collect();
    let published = unless_all_failed(publisher.publish_all(&good).await)?;
    let results = join_results(parsed, published);
    Ok(BatchResults { results })
}

/// Cuts a batch into events, which share the bytes of `body`.
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

/// Refuses the whole batch with the broker's error when the broker confirmed no event: the publisher
/// then sends the same batch again.
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

/// The result of each event of the batch. `published` has the broker's answers for the sound events, in
/// order.
fn join_results(
    parsed: Vec<Result<Event, EventError>>,
    published: Vec<Result<(), PublishError>>,
) -> Vec<BatchResult> {
    let mut published = published.into_iter();
    let results = parsed.into_iter().enumerate().map(|(index, parsed)| {
        let (status, id, errors) = match parsed {
            Err(error) => (PublishStatus::Refused, None, event_errors(error)),
            Ok(event) => match published.next() {
                Some(Ok(())) => (PublishStatus::Accepted, Some(event.id), Vec::new()),
                Some(Err(_)) | None => (PublishStatus::Unavailable, None, Vec::new()),
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

/// The faults of an event. A fault of the event as a whole has the name `event`.
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

        let results = join_results(parsed, vec![Ok(()), Err(PublishError::TimedOut)]);

        let statuses: Vec<PublishStatus> = results.iter().map(|result| result.status).collect();
        assert_eq!(
            serde_json::json!(statuses),
            serde_json::json!(["accepted", "refused", "refused", "unavailable"])
        );
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
