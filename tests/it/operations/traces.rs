use serde_json::Value;
use webhook_domain::{Environment, EventType, TraceContext};
use webhook_tests::{Platform, Received, Receiver, Stranger, StrangersMessage, event};

/// The place in a trace that a publisher names.
const PUBLISHED: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
const TRACE_ID: &str = "4bf92f3577b34da6a3ce929d0e0e4736";

/// A platform whose dispatcher writes its log as JSON, and a receiver that fails once.
async fn failing_once() -> (Platform, Receiver) {
    let platform = Platform::with_dispatcher(&[("LOG_FORMAT", "json")]).await;
    let receiver = Receiver::answering(&[500]).await;
    platform.webhook_to(&receiver).create().await;
    (platform, receiver)
}

fn trace_of(request: &Received) -> TraceContext {
    let header = request.headers.get("traceparent").expect("a traceparent");
    TraceContext::parse(header).expect("in the form of the standard")
}

/// Asserts that all requests belong to the published trace, each as a span of its own.
fn assert_spans(requests: &[Received]) {
    let published = TraceContext::parse(PUBLISHED).expect("a traceparent");
    let mut spans: Vec<TraceContext> = requests.iter().map(trace_of).collect();
    spans.push(published);
    for (place, span) in spans.iter().enumerate() {
        assert_eq!((span.trace_id, span.flags), (published.trace_id, 1));
        assert!(!spans[..place].contains(span), "{spans:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_trace_goes_from_http_through_a_retry_to_the_receiver_and_the_log() {
    let (platform, receiver) = failing_once().await;
    let event = event(Environment::Production, EventType::LicenseActivated);
    let publish = platform.request(reqwest::Method::POST, "/api/v1/events");
    let publish = publish
        .header("traceparent", PUBLISHED)
        .header("Content-Type", "application/json")
        .body(event.body.clone());

    let published = publish.send().await.expect("the API replies");

    assert_eq!(published.status(), 202);
    platform.delivered(1).await;
    assert_spans(&receiver.arrived(2).await);
    let lines = platform.dispatcher.log();
    let lines = lines
        .iter()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let failure = lines.into_iter().find(|line| line["attempt"] == 1);
    let failure = failure.expect("a line about the failed attempt");
    assert_eq!(failure["trace_id"], TRACE_ID);
    assert_eq!(failure["event_id"], event.id.to_string());
    platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_trace_goes_from_an_amqp_header_to_the_receiver() {
    let (platform, receiver) = failing_once().await;
    let event = event(Environment::Production, EventType::LicenseActivated);
    let mut message = StrangersMessage::of(&event);
    message
        .headers
        .push(("traceparent".to_owned(), PUBLISHED.to_owned()));

    let stranger = Stranger::connect(&platform.world).await;
    stranger.publish(&message).await;

    assert_spans(&receiver.arrived(2).await);
    stranger.leave().await;
    platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_trace_or_with_a_wrong_one_there_is_no_header() {
    let (platform, receiver) = failing_once().await;
    let stranger = Stranger::connect(&platform.world).await;
    for header in [None, Some("00-no-trace-00"), Some("\u{1b}[31m")] {
        let event = event(Environment::Production, EventType::LicenseActivated);
        let mut message = StrangersMessage::of(&event);
        let header = header.map(|text| ("traceparent".to_owned(), text.to_owned()));
        message.headers.extend(header);
        stranger.publish(&message).await;
    }

    let requests = receiver.arrived(4).await;

    let with_trace = requests
        .iter()
        .filter(|one| one.headers.contains_key("traceparent"));
    assert_eq!(with_trace.count(), 0);
    stranger.leave().await;
    platform.end().await;
}
