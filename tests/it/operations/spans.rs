//! The spans of an event, at a collector that reads OTLP.

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::trace::v1::Span;
use prost::Message;
use webhook_domain::{Environment, EventType, TraceContext};
use webhook_tests::{Answer, Platform, Receiver, Service, event};

/// The place in a trace that a publisher names.
const SAMPLED: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
const NOT_SAMPLED: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00";

/// A platform of which both programs send spans to `collector` every 50 ms.
async fn traced(collector: &Receiver, share: &str) -> Platform {
    let endpoint = collector.url.trim_end_matches("/hook");
    let variables = [
        ("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint),
        ("OTEL_EXPORTER_OTLP_HEADERS", "api-key=hunter2"),
        ("OTEL_TRACES_SAMPLER_ARG", share),
        ("OTEL_BSP_SCHEDULE_DELAY", "50"),
    ];
    let mut platform = Platform::with_dispatcher(&variables).await;
    platform.api = Service::api_with(&platform.world, &variables).await;
    platform
}

async fn publish(platform: &Platform, traceparent: Option<&str>) {
    let event = event(Environment::Production, EventType::LicenseActivated);
    let mut request = platform.request(reqwest::Method::POST, "/api/v1/events");
    if let Some(traceparent) = traceparent {
        request = request.header("traceparent", traceparent);
    }
    let request = request.header("Content-Type", "application/json");
    let published = request.body(event.body.clone()).send().await;
    assert_eq!(published.expect("the API replies").status(), 202);
}

/// The spans that have arrived, by the name of the service.
fn spans(collector: &Receiver) -> Vec<(String, Span)> {
    let mut spans = Vec::new();
    for request in collector.received() {
        assert_eq!(request.target, "/v1/traces");
        assert_eq!(request.headers["api-key"], "hunter2");
        let decoded = ExportTraceServiceRequest::decode(request.body.as_slice()).expect("OTLP");
        for resource in decoded.resource_spans {
            let described = resource.resource.unwrap_or_default();
            let name = described
                .attributes
                .iter()
                .find(|one| one.key == "service.name");
            let name = name.and_then(|one| one.value.clone()?.value);
            let Some(Value::StringValue(service)) = name else {
                panic!("no service: {described:?}");
            };
            let found = resource
                .scope_spans
                .into_iter()
                .flat_map(|scope| scope.spans);
            spans.extend(found.map(|span| (service.clone(), span)));
        }
    }
    spans
}

/// Waits for a number of spans with a name, and returns the spans in the order of time.
async fn named(
    platform: &Platform,
    collector: &Receiver,
    name: &str,
    count: usize,
) -> Vec<(String, Span)> {
    let there = async || {
        let mut found = spans(collector);
        found.retain(|(_, span)| span.name == name);
        found.sort_by_key(|(_, span)| span.start_time_unix_nano);
        (found.len() == count).then_some(found)
    };
    platform.world.eventually(name, there).await
}

fn attribute(span: &Span, key: &str) -> Option<Value> {
    let attribute = span.attributes.iter().find(|one| one.key == key)?;
    attribute.value.clone()?.value
}

/// The bytes of a span in OTLP.
fn id(trace: TraceContext) -> Vec<u8> {
    trace.span_id.get().to_be_bytes().to_vec()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_is_one_trace_from_its_publication_to_each_attempt() {
    let collector = Receiver::answering(&[]).await;
    let platform = traced(&collector, "1").await;
    let receiver = Receiver::answering(&[503]).await;
    platform.webhook_to(&receiver).create().await;
    let published = TraceContext::parse(SAMPLED).expect("a traceparent");

    publish(&platform, Some(SAMPLED)).await;

    let attempts = named(&platform, &collector, "attempt", 2).await;
    let [(api, publish)] = &named(&platform, &collector, "publish", 1).await[..] else {
        panic!("one span");
    };
    let [(_, batch)] = &named(&platform, &collector, "take in batch", 1).await[..] else {
        panic!("one span");
    };
    let [(dispatcher, take_in)] = &named(&platform, &collector, "take in", 1).await[..] else {
        panic!("one span");
    };
    assert_eq!(
        (api.as_str(), dispatcher.as_str()),
        ("webhook-api", "webhook-dispatcher")
    );
    assert_eq!(publish.parent_span_id, id(published));
    assert_eq!(take_in.parent_span_id, publish.span_id);
    assert_eq!(take_in.links[0].span_id, batch.span_id);
    assert_eq!(take_in.links[0].trace_id, batch.trace_id);
    let requests = receiver.arrived(2).await;
    for ((_, attempt), request) in attempts.iter().zip(&requests) {
        let sent = TraceContext::parse(&request.headers["traceparent"]).expect("a traceparent");
        assert_eq!(sent.trace_id, published.trace_id);
        assert_eq!(
            (attempt.span_id.clone(), attempt.parent_span_id.clone()),
            (id(sent), take_in.span_id.clone())
        );
    }
    let status = |place: usize| attribute(&attempts[place].1, "http.response.status_code");
    assert_eq!(
        (status(0), status(1)),
        (Some(Value::IntValue(503)), Some(Value::IntValue(200)))
    );
    assert_eq!(
        attempts[0].1.status.as_ref().map(|status| status.code),
        Some(2)
    );
    assert_eq!(attribute(&attempts[1].1, "error.type"), None);
    platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_outside_of_a_trace_begins_one() {
    let collector = Receiver::answering(&[]).await;
    let platform = traced(&collector, "1").await;
    let receiver = Receiver::answering(&[]).await;
    platform.webhook_to(&receiver).create().await;

    platform.publish_fresh().await;

    let (_, take_in) = named(&platform, &collector, "take in", 1).await.remove(0);
    let (_, attempt) = named(&platform, &collector, "attempt", 1).await.remove(0);
    assert_eq!(attempt.trace_id, take_in.trace_id);
    assert_eq!(attempt.parent_span_id, take_in.span_id);
    let request = receiver.arrived(1).await.remove(0);
    let sent = TraceContext::parse(&request.headers["traceparent"]).expect("a traceparent");
    assert_eq!((id(sent), sent.flags), (attempt.span_id, 1));
    platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn no_span_tells_a_url_a_secret_or_a_body() {
    let collector = Receiver::answering(&[]).await;
    let platform = traced(&collector, "1").await;
    let receiver = Receiver::deciding(|_, _| Answer::Status(404)).await;
    let url = format!("{}/sesame-url", receiver.url);
    let webhook = platform.webhook_at(&url).await;
    let read = platform.get(&format!("{webhook}/secret")).await;
    let secret = read["secret"].as_str().expect("a secret").to_owned();

    publish(&platform, None).await;
    named(&platform, &collector, "attempt", 1).await;

    for request in collector.received() {
        let text = String::from_utf8_lossy(&request.body).into_owned();
        for hidden in [
            "sesame-url",
            secret.trim_start_matches("whsec_"),
            "whsec_",
            "license_id",
        ] {
            assert!(!text.contains(hidden), "{hidden} in {text}");
        }
    }
    platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_that_is_not_sampled_has_no_span_and_keeps_its_trace() {
    let collector = Receiver::answering(&[]).await;
    let platform = traced(&collector, "0").await;
    let receiver = Receiver::answering(&[]).await;
    platform.webhook_to(&receiver).create().await;

    publish(&platform, Some(NOT_SAMPLED)).await;
    publish(&platform, None).await;
    let requests = receiver.arrived(2).await;
    publish(&platform, Some(SAMPLED)).await;

    let traces: Vec<&str> = requests
        .iter()
        .map(|one| one.headers["traceparent"].as_str())
        .collect();
    assert!(
        traces.iter().all(|trace| trace.ends_with("-00")),
        "{traces:?}"
    );
    assert!(
        traces
            .iter()
            .any(|trace| trace.starts_with(&NOT_SAMPLED[..36])),
        "{traces:?}"
    );
    // The spans of the sampled event are the only ones.
    named(&platform, &collector, "attempt", 1).await;
    named(&platform, &collector, "take in batch", 1).await;
    named(&platform, &collector, "publish", 1).await;
    platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_collector_that_hangs_or_refuses_holds_up_no_delivery() {
    for answer in [Answer::Hang, Answer::Status(500)] {
        let collector = Receiver::deciding(move |_, _| answer.clone()).await;
        let platform = traced(&collector, "1").await;
        let receiver = Receiver::answering(&[]).await;
        platform.webhook_to(&receiver).create().await;

        for _ in 0..20 {
            publish(&platform, Some(SAMPLED)).await;
        }

        receiver.arrived(20).await;
        platform.delivered(20).await;
        platform.end().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_collector_that_is_away_is_one_line_in_the_log() {
    let collector = Receiver::deciding(|_, _| Answer::Reset).await;
    let platform = traced(&collector, "1").await;
    let receiver = Receiver::answering(&[]).await;
    platform.webhook_to(&receiver).create().await;
    let lines = || {
        let log = platform.dispatcher.log();
        log.iter()
            .filter(|line| line.contains("cannot export spans"))
            .count()
    };

    for count in 1..=3 {
        publish(&platform, Some(SAMPLED)).await;
        receiver.arrived(count).await;
        let tried = collector.count();
        platform
            .until("another export", async || collector.count() > tried)
            .await;
    }

    platform.until("a line", async || lines() == 1).await;
    platform.end().await;
}
