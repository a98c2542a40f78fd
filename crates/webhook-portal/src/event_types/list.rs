//! The payload reference: every event type with an example request.

use actix_web::HttpResponse;
use askama::Template;
use chrono::{DateTime, Utc};
use uuid::Uuid;
use webhook_domain::{
    AssignedFields, BodyContext, BodyFormat, DeliveryId, Event, EventId, EventType, Format,
    LinkPatterns, NextAttempt, RequestHeader, SigningSecret, TraceContext, request_headers,
};

use crate::filters;
use crate::html::page;
use crate::json::pretty;
use crate::visit::Visit;
use crate::webhooks::preview::drawing::Drawing;
use webhook_web::Problem;

/// The secret of the examples' signatures. The decoded bytes are a sentence that warns of using them.
const SECRET: &[u8; 32] = b"this secret is only an example!!";

/// The example of a place in a trace, as in W3C Trace Context.
const TRACE: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

/// The ids in the examples.
const EVENT: EventId = EventId(Uuid::from_u128(0x0192_f0c1_7c1e_7b7e_8d5e_3f1a_2b3c_4d5e));
const DELIVERY: DeliveryId = DeliveryId(Uuid::from_u128(0x0192_f0c1_7c2a_7d31_a4c0_91d5_6e7f_8091));

#[derive(Template)]
#[template(path = "event_types/list.html")]
struct EventTypesPage {
    visit: Visit,
    secret: SigningSecret,
    groups: Vec<Group>,
    /// The headers of an example, for the table of headers.
    headers: Vec<(RequestHeader, String)>,
}

/// The event types of a group.
struct Group {
    name: &'static str,
    examples: Vec<Example>,
}

/// An example request of an event type.
struct Example {
    event_type: EventType,
    headers: Vec<(RequestHeader, String)>,
    body: String,
    /// The event in all other formats.
    messages: Vec<Message>,
}

/// The event of an example in another format than `json`.
struct Message {
    format: Format,
    /// The message as its service shows the message. `None`: the format is for programs.
    drawing: Option<Drawing>,
    /// The body, formatted for reading.
    lines: String,
}

impl Example {
    fn of(event_type: EventType, secret: &SigningSecret, now: DateTime<Utc>) -> Self {
        let assigned = AssignedFields {
            id: EVENT,
            timestamp: now,
        };
        let event = Event::example(event_type, assigned);
        let attempt = NextAttempt {
            event: &event,
            body: &event.body,
            format: Format::Json,
            delivery_id: DELIVERY,
            number: 1,
            at: now,
            trace: TraceContext::parse(TRACE),
        };
        Self {
            event_type,
            headers: request_headers(attempt, [secret].into_iter()),
            body: String::from_utf8_lossy(&event.body).into_owned(),
            messages: messages(&event),
        }
    }

    /// The body, formatted for reading.
    fn pretty(&self) -> String {
        pretty(&self.body).unwrap_or_default()
    }
}

/// An event in all formats but `json`.
fn messages(event: &Event) -> Vec<Message> {
    let context = BodyContext {
        event,
        webhook_name: "",
        delivery_id: DELIVERY,
        links: &LinkPatterns::default(),
        delivery_page: None,
    };
    let others = Format::ALL.iter().filter(|format| **format != Format::Json);
    // The format `custom` has no body without a template.
    let others = others.filter_map(|format| BodyFormat::new(*format, None).ok());
    let messages = others.map(|body_format| {
        let body = body_format.write(&context);
        let body = String::from_utf8_lossy(&body);
        Message {
            format: body_format.format(),
            drawing: Drawing::of(body_format.format(), &body),
            lines: pretty(&body).unwrap_or_default(),
        }
    });
    messages.collect()
}

/// Shows the reference. The examples are signed now, so that a verifier accepts the timestamps.
#[allow(clippy::unused_async, reason = "handlers are async")]
pub(crate) async fn show_event_types(visit: Visit) -> Result<HttpResponse, Problem> {
    let secret = SigningSecret::from_random(*SECRET);
    let now = Utc::now();
    let mut groups: Vec<Group> = Vec::new();
    for event_type in EventType::ALL {
        let example = Example::of(*event_type, &secret, now);
        match groups.last_mut() {
            Some(group) if group.name == event_type.group() => group.examples.push(example),
            _ => groups.push(Group {
                name: event_type.group(),
                examples: vec![example],
            }),
        }
    }
    let shown = EventTypesPage {
        visit,
        headers: Example::of(EventType::LicenseActivated, &secret, now).headers,
        secret,
        groups,
    };
    page(&shown.visit, &shown)
}

/// The meaning of a header for the receiver.
fn meaning(header: &RequestHeader) -> &'static str {
    match header {
        RequestHeader::ContentType => "The body is JSON, in UTF-8.",
        RequestHeader::UserAgent => "The sender.",
        RequestHeader::PlatformSignature => {
            "The signature in the form that Stripe’s libraries check. While an old secret is still valid, it has several v1."
        }
        RequestHeader::MessageId => {
            "The event’s id, the same on every attempt and every replay: ignore ids you have already processed."
        }
        RequestHeader::Timestamp => "When this attempt was signed, in seconds since 1970.",
        RequestHeader::StandardSignature => {
            "The signature of Standard Webhooks. While an old secret is still valid, there are several, separated by a space."
        }
        RequestHeader::EventType => "The event’s type, to route by without reading the body.",
        RequestHeader::Environment => "The event’s environment.",
        RequestHeader::Delivery => {
            "The delivery’s id: this event for this webhook. Quote it when you ask an admin."
        }
        RequestHeader::Attempt => "Which attempt this is, from 1.",
        RequestHeader::TraceParent => {
            "The place in the trace that the event’s publisher named (W3C Trace Context). Missing without a trace."
        }
    }
}
