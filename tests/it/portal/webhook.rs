//! The page of a webhook, and replays of missed events.

use serde_json::{Value, json};
use webhook_domain::EventType;
use webhook_tests::rows::URL;
use webhook_tests::{Browser, CreatedWebhook, Platform, Receiver};

use crate::portal::deliver;

/// Creates the webhook CRM of `license.*`, with two attempts per delivery.
async fn create(platform: &Platform, url: &str) -> CreatedWebhook {
    let webhook = platform.webhook("CRM").at(url).types(&["license.*"]);
    webhook.retrying_every(10, 2).create().await
}

/// A platform with a succeeded delivery and a failed delivery of two attempts, and a browser at the
/// webhook's page.
async fn at_page_with_deliveries() -> (Platform, Browser) {
    let platform = Platform::new().await;
    let receiver = Receiver::answering(&[200, 500, 503]).await;
    let webhook = create(&platform, &receiver.url).await;
    deliver(&platform, "succeeded", 1).await;
    deliver(&platform, "failed", 1).await;
    let browser = platform.browser_at(&webhook.page).await;
    (platform, browser)
}

#[tokio::test(flavor = "multi_thread")]
async fn tiles_tell_the_success_rate_and_the_state_of_the_circuit() {
    let (platform, browser) = at_page_with_deliveries().await;

    let tiles = browser.texts(".tile").await;

    assert!(tiles[0].contains("33.33 %"), "{tiles:?}");
    assert!(tiles[0].contains("2 of 3 attempts failed"), "{tiles:?}");
    assert!(tiles[3].contains("Failing"), "{tiles:?}");
    let failures = browser.text("#failures").await;
    assert!(failures.contains("The receiver broke (5xx)"), "{failures}");
    assert_eq!(browser.count("#latest-deliveries tbody tr").await, 2);
    browser.end().await;
    platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_chart_tells_its_figures_in_words_and_as_a_table() {
    let (platform, browser) = at_page_with_deliveries().await;

    let label = "return document.querySelector('svg.bars').getAttribute('aria-label')";
    let label = browser.run(label, vec![]).await;
    browser.press("Show as table").await;
    let hours = "#figures-table tbody tr";
    let latest = browser.texts(&format!("{hours}:first-child td")).await;

    let label = label.as_str().unwrap_or_default();
    let figures = "Deliveries by the hour, 24 hours: 1 succeeded, 1 failed";
    assert!(label.contains(figures), "{label}");
    assert_eq!(browser.count(hours).await, 24);
    assert_eq!(latest[..4], ["1", "1", "3", "2"]);
    browser.end().await;
    platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_link_leads_to_the_figures_of_a_longer_span() {
    let platform = Platform::new().await;
    let receiver = Receiver::answering(&[]).await;
    let webhook = create(&platform, &receiver.url).await;
    deliver(&platform, "succeeded", 1).await;
    platform.world.database.age(3).await;
    let browser = platform.browser().await;

    browser.open(&webhook.page).await;
    browser.see("No deliveries in this period.").await;
    browser.press("7 days").await;

    browser.see("Deliveries in the last 7 days").await;
    assert_eq!(browser.path().await, format!("{}?span=7d", webhook.page));
    assert_eq!(browser.count(".bars g").await, 7);
    browser.press("30 days").await;
    browser.see("Deliveries in the last 30 days").await;
    assert_eq!(browser.count(".bars g").await, 30);
    assert!(browser.text(".legend").await.contains("Succeeded 1"));
    browser.end().await;
    platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_viewer_sees_a_webhook_and_no_button() {
    let platform = Platform::new().await;
    let webhook = create(&platform, URL).await;
    let browser = platform.browser_of("viewer").await;

    assert_eq!(
        browser
            .count("main button:not(.filters button, [data-copy])")
            .await,
        0
    );
    assert_eq!(browser.count("main input[type=checkbox]").await, 0);
    browser.open(&webhook.page).await;

    browser.see("https://hooks.example.com/in").await;
    assert_eq!(browser.count("main .head .buttons").await, 0);
    assert_eq!(browser.count("main button:not([data-copy])").await, 0);
    browser.open(&format!("{}/replay", webhook.page)).await;
    browser.see("Not allowed").await;
    browser.end().await;
    platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_diagnosis_appears_on_the_page_and_without_scripts_by_a_link() {
    let platform = Platform::new().await;
    let receiver = Receiver::answering(&[]).await;
    let webhook = create(&platform, &receiver.url).await;
    let found = "Dispatchers run and record results.";

    let browser = platform.browser_at(&webhook.page).await;
    let plain = platform.plain_browser_at(&webhook.page).await;

    browser.see(found).await;
    assert_eq!(browser.path().await, webhook.page);
    assert!(!plain.says(found).await);
    plain.press("Diagnose").await;
    plain.see(found).await;
    browser.end().await;
    plain.end().await;
    platform.end().await;
}

/// A platform with a changed webhook.
async fn with_changed_webhook() -> (Platform, CreatedWebhook) {
    let platform = Platform::new().await;
    let webhook = create(&platform, URL).await;
    let change = json!({"name": "CRM of the west", "timeout_ms": 5_000});
    platform.change(&webhook, &change).await;
    (platform, webhook)
}

#[tokio::test(flavor = "multi_thread")]
async fn the_latest_change_is_shown_with_values_before_and_after() {
    let (platform, webhook) = with_changed_webhook().await;
    let browser = platform.browser_at(&webhook.page).await;

    let latest = browser.text(".changes > li").await;

    let latest = latest.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(latest.starts_with("Webhook changed"), "{latest}");
    let name = "was CRM → is now CRM of the west";
    assert!(latest.contains(name), "{latest}");
    assert!(latest.contains("was none → is now 5 seconds"), "{latest}");
    browser.end().await;
    platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn all_changes_of_a_webhook_are_a_link_away_and_filtered() {
    let (platform, webhook) = with_changed_webhook().await;
    let browser = platform.browser_at(&webhook.page).await;

    browser.press("All changes of this webhook").await;
    let all = format!("/admin/audit?webhook_id={}", webhook.id);
    browser.arrive(&all).await;
    browser.reload().await;
    assert_eq!(browser.count(".changes > li").await, 2);
    browser.choose("Change", "Webhook created").await;

    browser
        .arrive(&format!("{all}&action=webhook.created"))
        .await;
    let filtered = async || (browser.count(".changes > li").await == 1).then_some(());
    let world = &platform.world;
    world.eventually("a single change", filtered).await;
    browser.end().await;
    platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_webhook_is_set_inactive_on_its_page_and_active_again_by_undo() {
    let platform = Platform::new().await;
    let webhook = create(&platform, URL).await;
    let browser = platform.browser_at(&webhook.page).await;

    browser.press("Active").await;
    browser.see("“CRM” is Inactive now").await;
    browser.press("Undo").await;

    browser.see("“CRM” is Active now").await;
    assert_eq!(browser.path().await, webhook.page);
    assert_eq!(browser.text(".about .badge").await, "Active");
    browser.end().await;
    platform.end().await;
}

/// A platform with two missed events of a webhook, the webhook's receiver, and a browser at the
/// form of a replay.
async fn at_replay_of_two() -> (Platform, Receiver, Browser) {
    let platform = Platform::new().await;
    let receiver = Receiver::answering(&[]).await;
    platform.take_in(EventType::LicenseCreated).await;
    platform.take_in(EventType::LicenseCreated).await;
    let webhook = create(&platform, &receiver.url).await;
    let browser = platform.browser_at(&webhook.page).await;
    browser.press("Replay missed events").await;
    (platform, receiver, browser)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replay_without_a_possible_rate_is_refused_at_the_field() {
    let (platform, _, browser) = at_replay_of_two().await;

    browser.fill("Events per second", "many").await;
    browser.press("Preview").await;

    browser.see("Must be a whole number.").await;
    browser.end().await;
    platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn missed_events_are_counted_before_a_replay_sends_them() {
    let (platform, receiver, browser) = at_replay_of_two().await;

    browser.fill("Events per second", "50").await;
    browser.press("Preview").await;
    browser.see("Send 2 missed events to “CRM”?").await;
    assert_eq!(receiver.count(), 0);
    browser.press("Send 2 events").await;

    receiver.arrived(2).await;
    let jobs: Value = platform.get("/api/v1/jobs").await;
    assert_eq!(jobs["data"][0]["rate"], 50);
    let job = jobs["data"][0]["id"].as_str().expect("a job has an id");
    browser.arrive(&format!("/admin/jobs/{job}")).await;
    browser.end().await;
    platform.end().await;
}
