//! One window per figure, and one unit per axis.

use webhook_tests::{Answer, Browser, Platform, Receiver};

use super::{create, create_patient, publish, read};

/// Counts of the hour that is just over 24 hours ago, which no figure of 24 hours may have.
const AN_HOUR_TOO_OLD: &str = "INSERT INTO webhook_hours
    SELECT id, date_trunc('hour', now()) - interval '24 h', 9, 9, 0, 9 FROM webhooks";

/// What a screen reader says of the chart at `css`.
async fn label(browser: &Browser, css: &str) -> String {
    let script = format!("return document.querySelector('{css}').ariaLabel");
    let label = browser.run(&script, vec![]).await;
    label.as_str().unwrap_or_default().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn tile_chart_and_list_count_the_same_24_hours() {
    let platform = Platform::new().await;
    let receiver = Receiver::answering(&[200, 500]).await;
    let id = create(&platform, "CRM", &receiver.url).await;
    publish(&platform, "succeeded", 1).await;
    publish(&platform, "failed", 1).await;
    platform.world.database.execute(AN_HOUR_TOO_OLD).await;
    let browser = platform.browser().await;
    assert_eq!(label(&browser, ".spark").await, "2 attempts, 1 failed");

    browser.open(&format!("/admin/webhooks/{id}")).await;

    let tile = browser.text(".tile").await;
    assert!(tile.contains("1 of 2 attempts failed"), "{tile}");
    let attempts = label(&browser, ".bars-of-attempts").await;
    let expected = "Attempts by the hour, 24 hours: 1 accepted, 1 failed";
    assert!(attempts.starts_with(expected), "{attempts}");
    let deliveries = label(&browser, ".bars").await;
    let expected = "Deliveries by the hour, 24 hours: 1 succeeded, 1 failed";
    assert!(deliveries.starts_with(expected), "{deliveries}");
    assert_eq!(read(&platform, &id).await["last_24h"]["attempts"], 2);
    browser.end().await;
    platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_delivery_that_failed_once_is_retrying_in_list_log_and_page() {
    let platform = Platform::new().await;
    let receiver = Receiver::deciding(|_, _| Answer::Status(500)).await;
    let id = create_patient(&platform, "CRM", &receiver.url).await;
    publish(&platform, "retrying", 1).await;
    super::becomes(&platform, &id, "failing").await;
    let browser = platform.browser().await;

    let listed = browser.text("td[data-label='Last delivery'] .badge").await;
    let health = browser.texts("td[data-label='Status'] .badge").await;
    browser.open("/admin/webhook-deliveries").await;
    let logged = browser.text("td[data-label='Status'] .badge").await;
    browser.open(&format!("/admin/webhooks/{id}")).await;
    let shown = browser.text("#latest-deliveries .badge").await;

    assert_eq!(
        [&listed, &logged, &shown].map(|text| text.contains("Retrying")),
        [true; 3]
    );
    assert!(
        health.iter().any(|badge| badge.contains("Failing")),
        "{health:?}"
    );
    browser.end().await;
    platform.end().await;
}
