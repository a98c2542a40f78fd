//! The reference for receivers: every type with a verifiable example, and the guide to verifying.

use http::{HeaderMap, HeaderName, HeaderValue};
use serde_json::Value;
use standardwebhooks::Webhook;
use webhook_domain::EventType;
use webhook_tests::Platform;

/// The headers and the body of a request on the page.
fn read_request(text: &str) -> (HeaderMap, &str) {
    let (head, body) = text.split_once("\n\n").expect("a head and a body");
    let headers = head.lines().skip(1).map(|line| {
        let (name, value) = line.split_once(": ").expect("a header");
        let name: HeaderName = name.parse().expect("a header's name");
        let value = HeaderValue::from_str(value);
        (name, value.expect("a header's value"))
    });
    (headers.collect(), body)
}

#[tokio::test(flavor = "multi_thread")]
async fn every_event_type_is_shown_with_an_example_that_verifies() {
    let platform = Platform::new().await;
    let browser = platform.browser_of("viewer").await;

    browser.open("/admin/event-types#license.activated").await;

    let secret = browser.text("#secret").await;
    let verifier = Webhook::new(&secret).expect("a secret");
    for event_type in EventType::ALL {
        let css = format!("[id='{event_type}'] .sent");
        let sent = browser.property(&css, "textContent").await.expect("text");
        let (headers, body) = read_request(&sent);
        verifier
            .verify(body.as_bytes(), &headers)
            .expect("the signature holds");
        let event: Value = serde_json::from_str(body).expect("JSON");
        assert_eq!(event["type"], event_type.as_str());
        assert_eq!(headers["x-webhook-event"], event_type.as_str());
        assert!(browser.says(event_type.description()).await);
    }
    assert_eq!(browser.count(".type").await, EventType::ALL.len());
    browser.end().await;
    platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_guide_to_verifying_has_every_language_and_code_to_copy() {
    let platform = Platform::new().await;
    let browser = platform.browser().await;

    browser.open("/admin/event-types").await;
    browser.press("How to verify a request").await;
    browser.arrive("/admin/event-types/verifying").await;

    let headings = browser.texts("h2").await;
    for language in ["Python", "Node", "Go", "Rust", "PHP", "Ruby", "Java", "C#"] {
        assert!(headings.iter().any(|h| h == language), "{language}");
    }
    let broken = "return [...document.querySelectorAll('.document a[href^=\"#\"]')]
        .filter((a) => !document.getElementById(a.hash.slice(1))).length;";
    assert_eq!(browser.run(broken, vec![]).await, 0);
    let blocks = browser.count(".document pre").await;
    assert_eq!(browser.count(".document .code > .copy").await, blocks);
    assert!(blocks > 15, "{blocks}");
    browser.end().await;
    platform.end().await;
}
