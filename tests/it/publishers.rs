//! The publishers in `examples/`, one in each language, as a platform service runs them.

use std::collections::HashSet;

use futures_util::future::join_all;
use webhook_domain::{Environment, EventType, TraceContext};
use webhook_tests::{Platform, Received, Receiver, World};

mod language;
mod lossy;
mod prepared;

use language::{Language, Publication};
use lossy::LossyProxy;

/// The place in a trace that the publishers name.
const TRACEPARENT: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

/// An event that the platform knows: environment and type.
const KNOWN: [&str; 2] = ["production", "license.activated"];

/// Runs the publisher of each language, all at once, with the broker at `url`.
async fn publish_in_each(url: &str, [environment, event_type]: [&str; 2]) -> Vec<Publication> {
    let runs = Language::ALL.into_iter().map(|language| {
        let variables = [("AMQP_URL", url), ("TRACEPARENT", TRACEPARENT)];
        language.publish(variables, environment, event_type)
    });
    join_all(runs).await
}

/// Asserts that each publisher failed for a reason that holds `reason`.
fn assert_failed(publications: &[Publication], reason: &str) {
    for publication in publications {
        assert_eq!(publication.code, Some(1), "{publication:?}");
        assert!(publication.errors.contains(reason), "{publication:?}");
    }
}

/// The ids of the received events.
fn ids(requests: &[Received]) -> HashSet<String> {
    let ids = requests.iter().map(|r| r.headers["webhook-id"].clone());
    ids.collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_of_each_language_is_delivered_with_its_trace() {
    let platform = Platform::new().await;
    let receiver = Receiver::answering(&[]).await;
    platform.webhook_to(&receiver).create().await;

    let publications = publish_in_each(&platform.world.broker.url, KNOWN).await;

    let published: HashSet<String> = publications.iter().map(Publication::event_id).collect();
    let requests = receiver.arrived(Language::ALL.len()).await;
    assert_eq!(ids(&requests), published);
    let expected = TraceContext::parse(TRACEPARENT).expect("a traceparent");
    for request in &requests {
        let trace = TraceContext::parse(&request.headers["traceparent"]).expect("a traceparent");
        assert_eq!(trace.trace_id, expected.trace_id);
    }
    platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_whose_confirm_is_lost_is_published_again_and_delivered_once() {
    let platform = Platform::new().await;
    let receiver = Receiver::answering(&[]).await;
    platform.webhook_to(&receiver).create().await;

    let broker = &*platform.world.broker.url;
    let runs = Language::ALL.into_iter().map(|language| async move {
        let proxy = LossyProxy::to(broker).await;
        let variables = [("AMQP_URL", &*proxy.url), ("TRACEPARENT", "")];
        language.publish(variables, KNOWN[0], KNOWN[1]).await
    });
    let publications = join_all(runs).await;

    let mut expected: HashSet<String> = publications.iter().map(Publication::event_id).collect();
    for publication in &publications {
        let again = publication.errors.contains("publishing again");
        assert!(again, "{publication:?}");
    }
    // The dispatcher takes messages in order: after the last event no repeat is left.
    let last = platform.publish(Environment::Production, EventType::LicenseActivated);
    expected.insert(last.await.to_string());
    platform.delivered(6).await;
    let requests = receiver.received();
    assert_eq!((requests.len(), ids(&requests)), (6, expected));
    platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_publisher_tells_why_an_event_is_not_published() {
    let world = World::new().await;
    let url = &world.broker.url;

    let without_exchange = publish_in_each(url, KNOWN).await;
    world.broker.declare_events_exchange().await;
    let without_queue = publish_in_each(url, KNOWN).await;
    // Together more than 256 KiB; Linux bounds a single argument by 128 KiB.
    let half = "x".repeat(128 * 1024 - 1);
    let too_large = publish_in_each(url, [&half, &half]).await;

    assert_failed(&without_exchange, "the broker refused the event");
    assert_failed(
        &without_queue,
        "no queue takes production.license.activated",
    );
    assert_failed(&too_large, "bytes is larger than 262144");
    world.end().await;
}
