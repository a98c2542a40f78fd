//! A webhook's own page, and what it missed.

use serde_json::{Value, json};
use webhook_domain::{Environment, EventType};
use webhook_tests::{Browser, Platform, Receiver, Service};

/// Makes an Active webhook of production that gives up after two attempts, and tells its id.
async fn create(platform: &Platform, url: &str) -> String {
    let webhook = json!({"name": "CRM", "url": url, "environment": "production",
        "event_types": ["license.*"], "retry_policy": {"max_attempts": 2,
        "initial_interval_ms": 10, "multiplier": 1, "max_interval_ms": 1_000, "jitter": 0}});
    let (status, created) = platform.post("/api/v1/webhooks", &webhook).await;
    assert_eq!(status, 201, "{created}");
    created["id"].as_str().expect("an id").to_owned()
}

/// The page of a webhook.
fn page_of(id: &str) -> String {
    format!("/admin/webhooks/{id}")
}

/// Publishes an event, and waits until so many deliveries are in `status`.
async fn publish(platform: &Platform, status: &str, count: usize) {
    platform
        .publish(Environment::Production, EventType::LicenseCreated)
        .await;
    let there = async || (platform.count(status).await == count).then_some(());
    platform.world.eventually(status, there).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn tiles_and_chart_tell_what_was_delivered() {
    let platform = Platform::new().await;
    let receiver = Receiver::answering(&[200, 500, 503]).await;
    let id = create(&platform, &receiver.url).await;
    publish(&platform, "succeeded", 1).await;
    publish(&platform, "failed", 1).await;
    let browser = Browser::new(&platform.api).await;
    browser.sign_in(&platform.key).await;

    browser.open(&page_of(&id)).await;

    let tiles = browser.texts(".tile").await;
    assert!(tiles[0].contains("33.33 %"), "{tiles:?}");
    assert!(tiles[0].contains("2 of 3 attempts failed"), "{tiles:?}");
    assert!(tiles[3].contains("Failing"), "{tiles:?}");
    let drawn = browser.run(
        "return document.querySelector('svg.bars').getAttribute('aria-label')",
        vec![],
    );
    let drawn = drawn.await.as_str().unwrap_or_default().to_owned();
    assert!(
        drawn.contains("1 succeeded, 1 failed, 2 of 3 attempts failed"),
        "{drawn}"
    );
    assert!(
        browser
            .text("#failures")
            .await
            .contains("The receiver broke (5xx)")
    );
    browser.press("Show as table").await;
    let hour = browser
        .texts("#figures-table tbody tr:first-child td")
        .await;
    assert_eq!(browser.count("#figures-table tbody tr").await, 24);
    assert_eq!(hour[..4], ["1", "1", "3", "2"]);
    assert_eq!(browser.count("#latest-deliveries tbody tr").await, 2);
    browser.end().await;
    platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_longer_span_is_a_link_away() {
    let platform = Platform::new().await;
    let receiver = Receiver::answering(&[]).await;
    let id = create(&platform, &receiver.url).await;
    publish(&platform, "succeeded", 1).await;
    platform.world.database.age(3).await;
    let browser = Browser::new(&platform.api).await;
    browser.sign_in(&platform.key).await;

    browser.open(&page_of(&id)).await;
    browser.see("No deliveries in this period.").await;
    browser.press("7 days").await;

    browser.see("Deliveries in the last 7 days").await;
    assert_eq!(browser.path().await, format!("{}?span=7d", page_of(&id)));
    assert_eq!(browser.count(".bars g").await, 7);
    browser.press("30 days").await;
    browser.see("Deliveries in the last 30 days").await;
    assert_eq!(browser.count(".bars g").await, 30);
    assert!(browser.text(".legend").await.contains("Succeeded 1"));
    browser.end().await;
    platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_viewer_sees_everything_and_no_button() {
    let platform = Platform::new().await;
    let id = create(&platform, "https://hooks.example.com/in").await;
    let key = Service::new_key(&platform.world, "viewer").await;
    let browser = Browser::new(&platform.api).await;
    browser.sign_in(&key).await;

    assert_eq!(browser.count("main button:not(.filters button)").await, 0);
    assert_eq!(browser.count("main input[type=checkbox]").await, 0);
    browser.open(&page_of(&id)).await;

    browser.see("https://hooks.example.com/in").await;
    assert_eq!(browser.count("main .head .buttons").await, 0);
    assert_eq!(browser.count("main button").await, 0);
    browser.open(&format!("{}/replay", page_of(&id))).await;
    browser.see("Not allowed").await;
    browser.end().await;
    platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_diagnosis_comes_by_itself_or_by_its_link() {
    let platform = Platform::new().await;
    let receiver = Receiver::answering(&[]).await;
    let id = create(&platform, &receiver.url).await;
    let found = "The webhook is Active and healthy.";
    let browser = Browser::new(&platform.api).await;
    browser.sign_in(&platform.key).await;
    let plain = Browser::without_scripts(&platform.api).await;
    plain.sign_in(&platform.key).await;

    browser.open(&page_of(&id)).await;
    plain.open(&page_of(&id)).await;

    browser.see(found).await;
    assert_eq!(browser.path().await, page_of(&id));
    assert!(!plain.says(found).await);
    plain.press("Diagnose").await;
    plain.see(found).await;
    browser.end().await;
    plain.end().await;
    platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_is_in_the_audit_trail_with_what_was_before() {
    let platform = Platform::new().await;
    let id = create(&platform, "https://hooks.example.com/in").await;
    let change = json!({"name": "CRM of the west", "timeout_ms": 5_000});
    platform
        .patch(&format!("/api/v1/webhooks/{id}"), &change)
        .await;
    let browser = Browser::new(&platform.api).await;
    browser.sign_in(&platform.key).await;

    browser.open(&page_of(&id)).await;
    let latest = browser.text(".changes > li").await;
    let latest = latest.split_whitespace().collect::<Vec<_>>().join(" ");
    let all = format!("/admin/audit?webhook_id={id}");
    browser.press("All changes of this webhook").await;
    browser.arrive(&all).await;
    browser.reload().await;
    let listed = browser.count(".changes > li").await;
    browser.choose("Change", "Webhook created").await;

    assert!(latest.starts_with("Webhook changed"), "{latest}");
    assert!(
        latest.contains("was CRM → is now CRM of the west"),
        "{latest}"
    );
    assert!(latest.contains("was none → is now 5 seconds"), "{latest}");
    assert_eq!(listed, 2);
    let filtered = format!("/admin/audit?webhook_id={id}&action=webhook.created");
    browser.arrive(&filtered).await;
    let one = async || (browser.count(".changes > li").await == 1).then_some(());
    platform.world.eventually("one change", one).await;
    browser.end().await;
    platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn it_is_switched_off_in_place_and_that_is_taken_back() {
    let platform = Platform::new().await;
    let id = create(&platform, "https://hooks.example.com/in").await;
    let browser = Browser::new(&platform.api).await;
    browser.sign_in(&platform.key).await;
    browser.open(&page_of(&id)).await;

    browser.press("Deactivate").await;
    browser.see("“CRM” is Inactive now").await;
    browser.press("Undo").await;

    browser.see("“CRM” is Active now").await;
    assert_eq!(browser.path().await, page_of(&id));
    assert_eq!(browser.text(".about .badge").await, "Active");
    browser.end().await;
    platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_missed_is_counted_before_it_is_sent() {
    let platform = Platform::new().await;
    let receiver = Receiver::answering(&[]).await;
    for _ in 0..2 {
        let event = platform.publish(Environment::Production, EventType::LicenseCreated);
        platform.taken_in(event.await).await;
    }
    let id = create(&platform, &receiver.url).await;
    let browser = Browser::new(&platform.api).await;
    browser.sign_in(&platform.key).await;
    browser.open(&page_of(&id)).await;
    browser.press("Replay missed events").await;
    browser.fill("Events per second", "many").await;
    browser.press("Preview").await;
    browser.see("Must be a whole number.").await;
    browser.fill("Events per second", "50").await;
    browser.press("Preview").await;

    browser.see("Send 2 missed events to “CRM”?").await;
    assert_eq!(receiver.count(), 0);
    browser.press("Send 2 events").await;

    let arrived = async || (receiver.count() == 2).then_some(());
    platform.world.eventually("they arrive", arrived).await;
    let jobs: Value = platform.get("/api/v1/jobs").await;
    let job = jobs["data"][0]["id"].as_str().expect("a job");
    assert_eq!(jobs["data"][0]["rate"], 50);
    browser.arrive(&format!("/admin/jobs/{job}")).await;
    browser.end().await;
    platform.end().await;
}
