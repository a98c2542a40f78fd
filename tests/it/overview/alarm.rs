//! The alarm on every page and in the diagnosis: no dispatcher runs, or results are not recorded.

use serde_json::Value;
use webhook_domain::{Environment, EventType};
use webhook_tests::{Browser, Platform, Receiver};

use super::create;

/// Makes Postgres refuse attempts as on a full disk (SQLSTATE 53100).
const REFUSE_ATTEMPTS: &str = "
    CREATE FUNCTION full_disk() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RAISE EXCEPTION USING ERRCODE = ''53100''; END';
    CREATE TRIGGER full_disk BEFORE INSERT ON attempts EXECUTE FUNCTION full_disk()";

/// Lets Postgres record attempts again.
const ACCEPT_ATTEMPTS: &str = "DROP TRIGGER full_disk ON attempts";

/// The pages of the browser that each show the alarm.
const PAGES: [&str; 4] = [
    "/admin/overview",
    "/admin/webhooks",
    "/admin/webhook-deliveries",
    "/admin/settings",
];

/// The finding of the diagnosis about dispatchers.
async fn diagnosed(platform: &Platform, id: &str) -> Value {
    let path = format!("/api/v1/webhooks/{id}/diagnosis");
    let findings = platform.get(&path).await["findings"].clone();
    let mut findings = findings.as_array().cloned().unwrap_or_default();
    findings.retain(|finding| finding["check"] == "dispatchers");
    findings.pop().expect("a finding")
}

/// Waits until the pages have an alarm, and reads it.
async fn alarm(platform: &Platform, browser: &Browser) -> String {
    let alarmed = async || {
        browser.open("/admin/overview").await;
        browser.count("#alarm").await == 1
    };
    platform.until("the alarm", alarmed).await;
    browser.text("#alarm").await
}

#[tokio::test(flavor = "multi_thread")]
async fn every_page_says_that_no_dispatcher_runs_when_it_was_killed() {
    let platform = Platform::new().await;
    let browser = platform.browser().await;
    let quiet = async || {
        browser.open("/admin/overview").await;
        browser.count("#alarm").await == 0
    };
    platform.until("a dispatcher shows life", quiet).await;

    platform.dispatcher.signal("KILL").await;
    // Its last sign of life grows old.
    let back = "UPDATE dispatchers SET seen_at = seen_at - interval '1 minute'";
    platform.world.database.execute(back).await;
    let said = alarm(&platform, &browser).await;

    assert!(said.contains("No dispatcher is running"), "{said}");
    assert!(said.contains("Since "), "{said}");
    for page in PAGES {
        browser.open(page).await;
        assert_eq!(browser.count("#alarm[role=alert]").await, 1, "{page}");
    }
    browser.end().await;
    platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_and_diagnosis_say_that_results_are_not_recorded_until_they_are() {
    let platform = Platform::new().await;
    let receiver = Receiver::answering(&[]).await;
    let id = create(&platform, "CRM", &receiver.url).await;
    let browser = platform.browser().await;
    platform.world.database.execute(REFUSE_ATTEMPTS).await;
    platform
        .publish(Environment::Production, EventType::LicenseCreated)
        .await;

    let said = alarm(&platform, &browser).await;
    let found = diagnosed(&platform, &id).await;

    assert!(said.contains("Results are not being recorded"), "{said}");
    assert_eq!(found["severity"], "problem");
    platform.world.database.execute(ACCEPT_ATTEMPTS).await;
    let recorded = async || diagnosed(&platform, &id).await["severity"] == "ok";
    platform.until("results are recorded", recorded).await;
    browser.end().await;
    platform.end().await;
}
