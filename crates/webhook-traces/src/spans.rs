//! The spans on the way of an event.

use opentelemetry::Value;
use opentelemetry::trace::SpanKind;
use webhook_domain::{DeliveryId, Event, FailureClass, WebhookId};

use crate::export::{TAKE_IN_BATCH, tracer};
use crate::span::OpenSpan;

/// Begins the span of an event's publication. The event's message carries the span's place.
pub fn publish(event: &Event) -> OpenSpan {
    let Some(tracer) = tracer() else {
        return OpenSpan::none_at(event.trace);
    };
    let mut span = OpenSpan::begin(tracer, ("publish", SpanKind::Producer), event.trace);
    describe_message(&mut span, event, "send");
    span
}

/// The spans of events that are taken in together.
pub struct TakingIn {
    /// `None`: no event is sampled.
    batch: Option<OpenSpan>,
    /// In the order of the events; empty: no spans are made.
    events: Vec<OpenSpan>,
}

impl TakingIn {
    /// Begins the spans, and moves each event to its span's place: attempts become children of that span.
    pub fn begin(events: &mut [Event]) -> Self {
        let Some(tracer) = tracer() else {
            return Self {
                batch: None,
                events: Vec::new(),
            };
        };
        let spans = events.iter_mut().map(|event| {
            let mut span = OpenSpan::begin(tracer, ("take in", SpanKind::Consumer), event.trace);
            describe_message(&mut span, event, "process");
            event.trace = span.place();
            span
        });
        let mut spans: Vec<OpenSpan> = spans.collect();
        let batch = spans.iter().any(OpenSpan::is_sampled).then(|| {
            let mut batch = OpenSpan::begin(tracer, (TAKE_IN_BATCH, SpanKind::Consumer), None);
            batch.describe(|| {
                [
                    ("messaging.system", "rabbitmq".into()),
                    ("messaging.batch.message_count", count(events.len())),
                ]
            });
            batch
        });
        for span in &mut spans {
            batch.iter().for_each(|batch| span.link_to(batch));
        }
        Self {
            batch,
            events: spans,
        }
    }

    /// Says that Postgres refused the event at a place in the batch. The reason stays here, as the reason may quote the
    /// event.
    pub fn refuse(&mut self, place: usize) {
        if let Some(span) = self.events.get_mut(place) {
            span.fail(&"refused by Postgres");
        }
    }

    /// Says that no event of the batch was committed: RabbitMQ delivers the events again.
    pub fn give_up(&mut self) {
        for span in self.events.iter_mut().chain(&mut self.batch) {
            span.fail(&"not committed");
        }
    }
}

/// Begins the span of an attempt. The receiver gets the span's place. Without an exporter the place is a new one
/// in the trace of the event, if the event has any.
pub fn attempt(
    event: &Event,
    webhook_id: WebhookId,
    delivery_id: DeliveryId,
    number: i32,
) -> OpenSpan {
    let Some(tracer) = tracer() else {
        return OpenSpan::none_at(event.trace.map(|trace| trace.child(rand::random())));
    };
    let mut span = OpenSpan::begin(tracer, ("attempt", SpanKind::Client), event.trace);
    span.describe(|| {
        [
            ("http.request.method", "POST".into()),
            ("http.request.resend_count", Value::I64((number - 1).into())),
            ("webhook.id", webhook_id.to_string().into()),
            ("webhook.delivery.id", delivery_id.to_string().into()),
            ("webhook.event.id", event.id.to_string().into()),
            ("webhook.event.type", event.event_type.to_string().into()),
        ]
    });
    span
}

impl OpenSpan {
    /// Adds an attempt's result: the status of the response, and the kind of failure.
    pub fn describe_result(&mut self, status: Option<i32>, failure: Option<FailureClass>) {
        if let Some(status) = status {
            self.describe(|| [("http.response.status_code", Value::I64(status.into()))]);
        }
        if let Some(failure) = failure {
            self.describe(|| [("error.type", failure.to_string().into())]);
            self.fail(&failure);
        }
    }
}

fn describe_message(span: &mut OpenSpan, event: &Event, operation: &'static str) {
    span.describe(|| {
        [
            ("messaging.system", "rabbitmq".into()),
            ("messaging.operation.type", operation.into()),
            ("messaging.message.id", event.id.to_string().into()),
            ("webhook.event.type", event.event_type.to_string().into()),
            ("webhook.environment", event.environment.to_string().into()),
        ]
    });
}

fn count(count: usize) -> Value {
    Value::I64(i64::try_from(count).unwrap_or(i64::MAX))
}
