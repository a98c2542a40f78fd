//! Confirmations that name, locate and count.

use webhook_domain::{Environment, EventType};
use webhook_tests::{Browser, Platform, Receiver};

/// The rows of a table in one line each, sorted.
async fn rows(browser: &Browser) -> Vec<String> {
    let rows = browser.texts(".names tbody tr").await;
    let mut rows: Vec<String> = rows.iter().map(|row| row.replace('\n', " ")).collect();
    rows.sort();
    rows
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deletion_of_many_names_locates_and_counts() {
    let platform = Platform::new().await;
    for (url, environment) in [("a", "production"), ("b", "staging")] {
        let url = format!("http://127.0.0.1:9/{url}");
        platform
            .create_webhook(&url, environment, "active", &["*"])
            .await;
    }
    let event = platform.publish(Environment::Production, EventType::LicenseCreated);
    platform.taken_in(event.await).await;
    let browser = platform.browser().await;

    browser.check("Select all on this page").await;
    browser.press("Delete selected").await;
    browser.see("Delete 2 webhooks?").await;

    browser.see("1 pending delivery is cancelled.").await;
    let [a, b] = ["http://127.0.0.1:9/a", "http://127.0.0.1:9/b"];
    let expected = [
        format!("Receiver {a} Production 1"),
        format!("Receiver {b} Staging 0"),
    ];
    assert_eq!(rows(&browser).await, expected);
    browser.end().await;
    platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deletion_returns_to_the_list_with_its_filter() {
    let platform = Platform::new().await;
    platform.webhook_at("https://hooks.example.com/in").await;
    let list = "/admin/webhooks?environment=production&sort=name";
    let browser = platform.browser().await;
    browser.open(list).await;

    browser.press("Delete Receiver").await;
    browser.press("Cancel").await;
    browser.arrive(list).await;
    browser.press("Delete Receiver").await;
    browser.press("Delete webhook").await;

    browser.see("“Receiver” is deleted").await;
    assert_eq!(browser.path().await, list);
    browser.end().await;
    platform.end().await;
}

/// Asserts that the first element of a CSS selector names the webhook `CRM` and not its id.
async fn names_crm(browser: &Browser, css: &str, id: &str) {
    let told = browser.text(css).await;
    assert!(told.contains("CRM") && !told.contains(id), "{told}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_retry_of_many_and_its_job_name_the_webhook() {
    let platform = Platform::new().await;
    let receiver = Receiver::answering(&[]).await;
    let webhook = platform.webhook("CRM").at(&receiver.url).create().await;
    let id = webhook.id.clone();
    platform.fail_deliveries(&webhook, 2).await;
    let list = format!("/admin/webhook-deliveries?webhook_id={id}&status=failed");
    let browser = platform.browser_at(&list).await;

    browser.press("Retry all matching…").await;
    browser.see("Retry 2 failed deliveries?").await;
    names_crm(&browser, ".in-short", &id).await;
    browser.press("Retry 2 deliveries").await;
    browser.see("The job is started.").await;
    names_crm(&browser, "#about + .in-short", &id).await;

    platform.delete(&webhook).await;
    browser.open("/admin/jobs").await;
    names_crm(&browser, "table.jobs", &id).await;
    browser.end().await;
    platform.end().await;
}
