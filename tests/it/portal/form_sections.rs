//! The form of a webhook: needed fields first, the rest folded, and refusals that lead to their fields.

use serde_json::{Value, json};
use webhook_tests::{Browser, Platform};

const NEW: &str = "/admin/webhooks/new";
const TAB: &str = "\u{e004}";
const ENTER: &str = "\u{e007}";

/// The summary of the section that is folded.
pub(super) const ADVANCED: &str =
    "Advanced settings Retries, limits, ordering, headers, metadata (optional)";

/// Opens a page of the portal with an owner's session.
async fn open(platform: &Platform, path: &str) -> Browser {
    let browser = platform.browser().await;
    browser.open(path).await;
    browser
}

/// Whether the whole button that saves is on the screen, wherever the page is scrolled to.
async fn is_save_in_reach(browser: &Browser) -> bool {
    let script = "const box = document.querySelector('.save-bar button').getBoundingClientRect();
        return box.top >= 0 && box.bottom <= innerHeight";
    browser.run(script, vec![]).await == json!(true)
}

/// Whether the folded section is open.
async fn is_unfolded(browser: &Browser) -> bool {
    browser.count("details.advanced[open]").await == 1
}

#[tokio::test(flavor = "multi_thread")]
async fn needed_fields_come_first_and_save_is_in_reach_on_every_screen() {
    let platform = Platform::new().await;
    let browser = open(&platform, NEW).await;

    let focused = browser.focused().await;
    let headings = browser.texts(".webhook h2").await;
    let mut reached = Vec::new();
    for (width, height) in [(1440, 900), (1280, 720), (360, 740)] {
        browser.resize(width, height).await;
        reached.push(is_save_in_reach(&browser).await);
    }

    assert_eq!(focused, "Name");
    let expected = [
        "Destination",
        "Event Selection",
        "Preview",
        "Webhook Secret",
        "Advanced settings",
    ];
    assert_eq!(headings, expected);
    assert_eq!(reached, [true; 3]);
    assert!(!is_unfolded(&browser).await);
    assert!(!browser.says("Timeout of an attempt").await);
    browser.see("Description (optional)").await;
    browser.end().await;
    platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_differs_from_the_default_unfolds_its_section() {
    let platform = Platform::new().await;
    let path = platform.webhook_at("https://hooks.example.com/in").await;
    let form = format!("{}/edit", path.replace("/api/v1", "/admin"));
    let browser = open(&platform, &form).await;

    let at_first = is_unfolded(&browser).await;
    let mut unfolded = Vec::new();
    for change in [
        json!({"timeout_ms": 5_000}),
        json!({"timeout_ms": null, "retry_policy": {"max_attempts": 3}}),
        json!({"retry_policy": null, "headers": {"X-Team": "a"}}),
    ] {
        platform.patch(&path, &change).await;
        browser.open(&form).await;
        unfolded.push(is_unfolded(&browser).await);
    }

    assert!(!at_first);
    assert_eq!(unfolded, [true; 3]);
    browser.end().await;
    platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_links_to_its_fields_and_unfolds_them() {
    let platform = Platform::new().await;
    let browser = open(&platform, NEW).await;

    browser.fill("Target URL", "https://10.0.0.1/in").await;
    browser.press(ADVANCED).await;
    browser.fill("Rate limit", "many").await;
    browser.press("Save webhook").await;
    browser.see("4 fields need your attention").await;
    let told = browser.texts(".refused-fields li").await;
    browser.press("Rate limit").await;

    assert_eq!(
        told,
        [
            "Name: Enter a name.",
            "Target URL: 10.0.0.1 is a private address. Use one that is reachable from the internet.",
            "Event Selection: Choose at least one event type.",
            "Rate limit: Must be a whole number.",
        ]
    );
    assert_eq!(browser.focused().await, "Rate limit");
    assert!(is_unfolded(&browser).await);
    browser.end().await;
    platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn https_is_put_in_when_the_field_is_left() {
    let platform = Platform::new().await;
    let browser = open(&platform, NEW).await;

    browser
        .fill("Target URL", "hooks.slack.com/services/T0")
        .await;
    browser.type_keys(TAB).await;

    browser.see("https:// was put in.").await;
    let url = browser.property("#url", "value").await;
    assert_eq!(url.as_deref(), Some("https://hooks.slack.com/services/T0"));
    assert_eq!(browser.count("#url[aria-invalid]").await, 0);
    browser.end().await;
    platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn https_is_put_in_on_saving_without_scripts_and_that_is_told() {
    let platform = Platform::new().await;
    let browser = platform.plain_browser().await;
    browser.open(NEW).await;

    browser.fill("Name", "Slack").await;
    browser.fill("Target URL", "hooks.example.com/in").await;
    browser.check("All events").await;
    browser.press("Save webhook").await;

    browser
        .see("The Target URL now begins with https://.")
        .await;
    let list: Value = platform.get("/api/v1/webhooks").await;
    assert_eq!(list["data"][0]["url"], "https://hooks.example.com/in");
    browser.end().await;
    platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn fields_that_keep_the_schedule_from_being_drawn_are_marked() {
    let platform = Platform::new().await;
    let browser = open(&platform, NEW).await;

    browser.press(ADVANCED).await;
    browser.check("Custom").await;
    browser.fill("Attempts", "abc").await;
    browser
        .see("Fix the marked fields to see the schedule.")
        .await;
    let marked = browser
        .count("#retry-max_attempts[aria-invalid=true]")
        .await;
    let told = browser.text("#retry-max_attempts-error").await;
    browser.fill("Attempts", "3").await;
    browser.see("3 attempts over").await;

    assert_eq!((marked, told.as_str()), (1, "Must be a whole number."));
    assert_eq!(browser.count(".policy [aria-invalid]").await, 0);
    browser.end().await;
    platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn enter_in_a_field_saves() {
    let platform = Platform::new().await;
    let path = platform.webhook_at("https://hooks.example.com/in").await;
    let page = path.replace("/api/v1", "/admin");
    let browser = open(&platform, &format!("{page}/edit")).await;

    browser.fill("Name", "Renamed").await;
    browser.type_keys(ENTER).await;

    browser.arrive(&page).await;
    assert_eq!(platform.get(&path).await["name"], "Renamed");
    let secret = platform.get(&format!("{path}/secret")).await;
    assert_eq!(secret["previous"], json!([]));
    browser.end().await;
    platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_webhook_with_the_name_is_told_and_not_refused() {
    let platform = Platform::new().await;
    platform.webhook_at("https://hooks.example.com/in").await;
    let browser = open(&platform, NEW).await;
    let note = "Another webhook in Production has the same name.";

    browser.fill("Name", "Receiver").await;
    browser
        .fill("Target URL", "https://hooks.example.com/other")
        .await;
    browser.see(note).await;
    browser.check("Staging").await;
    let is_gone = async || browser.text("#name-note").await.is_empty().then_some(());
    platform
        .world
        .eventually("no such name in Staging", is_gone)
        .await;
    browser.check("Production").await;
    browser.check("All events").await;
    browser.press("Save webhook").await;

    browser.see(&format!("“Receiver” is saved. {note}")).await;
    browser.end().await;
    platform.end().await;
}
