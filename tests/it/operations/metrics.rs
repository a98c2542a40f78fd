use std::collections::BTreeSet;

use webhook_domain::{Environment, EventType};
use webhook_metrics::{Entry, Metric, Service as Program, catalogue};
use webhook_tests::{Receiver, Stranger, StrangersMessage, event};

use super::{Scrape, Watched, look};

/// Events of each kind: delivered after a retry, twice, for no webhook, and no event at all.
async fn run_of_every_kind(watched: &Watched) {
    let platform = &watched.platform;
    let receiver = Receiver::answering(&[500]).await;
    platform.webhook_to(&receiver).create().await;
    let wanted = event(Environment::Production, EventType::LicenseActivated);
    platform.publish_event(&wanted).await;
    platform.delivered(1).await;
    platform.publish_event(&wanted).await;
    platform
        .publish(Environment::Staging, EventType::LicenseActivated)
        .await;
    let stranger = Stranger::connect(&platform.world).await;
    stranger.publish(&StrangersMessage::event("no event")).await;
    let refused = platform
        .client
        .get(format!("{}/api/v1/events", platform.api.url));
    let refused = refused.bearer_auth("whk_of_a_stranger").send().await;
    assert_eq!(refused.expect("an answer").status(), 401);
    let rejected = async || {
        let scrape = Scrape::of(&watched.dispatcher).await;
        scrape.value(r#"webhook_events_rejected_total{reason="not_an_event"}"#) == 1.0
            && scrape.value("webhook_events_unmatched_total") == 1.0
    };
    platform.until("the message is set aside", rejected).await;
}

/// The name of a series' metric, without the suffixes of a histogram.
fn name_of(series: &str, known: &BTreeSet<&str>) -> String {
    let name = series.split('{').next().unwrap_or_default();
    let suffixes = ["_bucket", "_sum", "_count"];
    let without = suffixes
        .iter()
        .filter_map(|suffix| name.strip_suffix(suffix));
    let base = without.into_iter().find(|base| known.contains(base));
    base.unwrap_or(name).to_owned()
}

/// Asserts that a page has exactly the metrics of the table, and no value that a label does not declare.
async fn assert_exact(address: &str, program: Program) {
    let metrics: Vec<&Metric> = catalogue::of(program).map(Entry::metric).collect();
    let known: BTreeSet<&str> = metrics.iter().map(|metric| metric.name).collect();
    let scrape = Scrape::of(address).await;

    let shown: BTreeSet<String> = scrape.0.keys().map(|key| name_of(key, &known)).collect();
    assert_eq!(shown, known.iter().map(|name| (*name).to_owned()).collect());
    assert!(scrape.0.len() <= 300, "{} series", scrape.0.len());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_run_shows_exactly_the_table_of_metrics() {
    let watched = Watched::new().await;

    run_of_every_kind(&watched).await;

    // The totals come with the first look of the dispatcher that counts.
    let counted = async || {
        let scrape = Scrape::of(&watched.dispatcher).await;
        scrape.0.get("webhook_dispatchers") == Some(&1.0)
    };
    watched
        .platform
        .until("the totals are shown", counted)
        .await;
    assert_exact(&watched.dispatcher, Program::Dispatcher).await;
    assert_exact(&watched.api, Program::Api).await;
    watched.platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn each_event_and_attempt_is_counted_once() {
    let watched = Watched::new().await;

    run_of_every_kind(&watched).await;

    let scrape = Scrape::of(&watched.dispatcher).await;
    for (series, count) in [
        ("webhook_events_taken_in_total", 2.0),
        ("webhook_events_duplicate_total", 1.0),
        ("webhook_events_unmatched_total", 1.0),
        (r#"webhook_deliveries_ended_total{status="succeeded"}"#, 1.0),
        (r#"webhook_deliveries_ended_total{status="failed"}"#, 0.0),
        (
            r#"webhook_attempts_total{outcome="accepted",response="2xx"}"#,
            1.0,
        ),
        (
            r#"webhook_attempts_total{outcome="failed",response="5xx"}"#,
            1.0,
        ),
        (
            r#"webhook_event_to_first_attempt_seconds_count{held_by="nothing"}"#,
            1.0,
        ),
        ("webhook_event_to_success_seconds_count", 1.0),
    ] {
        assert_eq!(scrape.value(series), count, "{series}");
    }
    let scrape = Scrape::of(&watched.api).await;
    let refused = scrape.value(r#"webhook_sign_in_failures_total{by="api_key"}"#);
    let published = scrape.value(r#"webhook_events_published_total{result="confirmed"}"#);
    assert_eq!((refused, published), (1.0, 3.0));
    watched.platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_public_listener_shows_no_metrics() {
    let watched = Watched::new().await;

    let public = watched.platform.api.url.trim_start_matches("http://");

    assert_eq!(look(public, "/metrics").await.0, 404);
    assert_eq!(look(&watched.api, "/metrics").await.0, 200);
    watched.platform.end().await;
}
