//! The CPU time of the steps of a delivery without database and network, by the size of the event.
//! `./dev bench micro` runs the benchmarks.

use std::sync::Arc;

use bytes::Bytes;
use chrono::DateTime;
use divan::{Bencher, black_box};
use uuid::Uuid;
use webhook_domain::{
    BodyContext, BodyFormat, DeliveryId, Event, Format, LinkPatterns, NextAttempt, OrderingKey,
    SigningSecret, Template, request_headers, sign,
};

/// Sizes of an event, in bytes: typical, large, maximal.
const SIZES: [usize; 3] = [500, 16_384, 262_144];

fn main() {
    divan::main();
}

#[divan::bench(args = SIZES)]
fn decode_an_event(bencher: Bencher<'_, '_>, bytes: usize) {
    let body = body(bytes);
    bencher.bench(|| Event::parse(black_box(body.clone())));
}

#[divan::bench(args = SIZES)]
fn find_the_ordering_key(bencher: Bencher<'_, '_>, bytes: usize) {
    let event = event(bytes);
    bencher.bench(|| OrderingKey::of(black_box(&event), "license_id"));
}

#[divan::bench(args = SIZES)]
fn sign_an_attempt(bencher: Bencher<'_, '_>, bytes: usize) {
    let (event, secret) = (event(bytes), SigningSecret::from_random([7; 32]));
    bencher.bench(|| {
        let event = black_box(&event);
        sign([&secret].into_iter(), event.id, 1_795_000_000, &event.body)
    });
}

/// Includes signing.
#[divan::bench(args = SIZES)]
fn build_the_headers(bencher: Bencher<'_, '_>, bytes: usize) {
    let (event, secret) = (event(bytes), SigningSecret::from_random([7; 32]));
    bencher.bench(|| {
        let attempt = NextAttempt {
            event: black_box(&event),
            body: black_box(&event.body),
            format: Format::Json,
            delivery_id: DeliveryId(Uuid::from_u128(7)),
            number: 1,
            at: DateTime::UNIX_EPOCH,
            trace: None,
        };
        request_headers(attempt, [&secret].into_iter())
    });
}

/// A template with ten placeholders and five filters.
#[divan::bench(args = SIZES)]
fn render_a_template(bencher: Bencher<'_, '_>, bytes: usize) {
    let event = event(bytes);
    let template = Template::parse(TEMPLATE).expect("the template is valid");
    let (custom, links) = (BodyFormat::Custom(Arc::new(template)), links());
    bencher.bench(|| custom.write(&context(black_box(&event), &links)));
}

/// A message for Slack, with all its facts.
#[divan::bench(args = SIZES)]
fn write_a_slack_message(bencher: Bencher<'_, '_>, bytes: usize) {
    let (event, links) = (event(bytes), links());
    bencher.bench(|| BodyFormat::Slack.write(&context(black_box(&event), &links)));
}

/// A message for a chat beside a few facts.
const TEMPLATE: &str = r#"{
    "text": "{{data.license_id}} was created: {{data.field_3|upper}}, {{summary|slack}}",
    "id": "{{id}}", "at": "{{timestamp|date}}", "environment": "{{environment}}",
    "seats": "{{data.seats|default:0}}", "link": "{{link}}",
    "more": {"by": "{{webhook.name}}", "last": "{{data.field_10|truncate:80}}"}
}"#;

fn context<'a>(event: &'a Event, links: &'a LinkPatterns) -> BodyContext<'a> {
    BodyContext {
        event,
        webhook_name: "Alerts",
        delivery_id: DeliveryId(Uuid::from_u128(7)),
        links,
        delivery_page: None,
    }
}

fn links() -> LinkPatterns {
    let mut links = LinkPatterns::default();
    links
        .set("license_id", "https://platform.example/licenses/{id}")
        .expect("a pattern");
    links
}

fn event(bytes: usize) -> Event {
    Event::parse(body(bytes)).expect("it is an event")
}

/// An event with many small fields.
fn body(bytes: usize) -> Bytes {
    let mut body = r#"{"id":"0192f0c1-7c1e-7b7e-8d5e-3f1a2b3c4d5e","type":"license.created","environment":"staging","timestamp":"2026-11-23T08:15:30.123Z","data":{"license_id":"lic_42""#.to_owned();
    let mut number = 0;
    while body.len() + 30 < bytes {
        body += &format!(r#","field_{number}":"value""#);
        number += 1;
    }
    Bytes::from(body + "}}")
}
