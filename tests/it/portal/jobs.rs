//! Many deliveries sent again: asked back, watched, stopped.

use webhook_tests::{Browser, Platform, Receiver};

use crate::portal::deliveries::{create, fail};

#[tokio::test(flavor = "multi_thread")]
async fn all_that_fit_are_counted_first_and_then_watched_to_their_end() {
    let platform = Platform::new().await;
    let receiver = Receiver::answering(&[]).await;
    let webhook = create(&platform, "CRM", &receiver.url).await;
    fail(&platform, &webhook, 30).await;
    let browser = Browser::new(&platform.api).await;
    browser.sign_in(&platform.key).await;
    browser
        .open("/admin/webhook-deliveries?environment=production&status=failed")
        .await;

    browser.press("Retry all matching…").await;
    browser
        .see("Retry 30 failed deliveries of production?")
        .await;
    browser.fill("Deliveries per second", "9999").await;
    browser.press("Retry 30 deliveries").await;
    browser.see("Must be a number from 1 to 5000.").await;
    browser.fill("Deliveries per second", "20").await;
    browser.press("Retry 30 deliveries").await;

    browser.see("The job is started.").await;
    browser.see("Every delivery was processed.").await;
    browser.see("30 of 30, 100 %").await;
    assert!(!browser.says("Cancel the job").await);
    let sent = async || (receiver.count() == 30).then_some(());
    platform.world.eventually("all are sent", sent).await;
    browser.end().await;
    platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_is_found_in_the_list_and_stopped_without_scripts() {
    let platform = Platform::new().await;
    let receiver = Receiver::answering(&[]).await;
    let webhook = create(&platform, "CRM", &receiver.url).await;
    fail(&platform, &webhook, 200).await;
    let browser = Browser::without_scripts(&platform.api).await;
    browser.sign_in(&platform.key).await;
    browser.open("/admin/webhook-deliveries/retry").await;
    browser.fill("Deliveries per second", "1").await;
    browser.press("Retry 200 deliveries").await;
    browser.see("Running").await;
    browser.press("Jobs").await;
    browser.see("Retry deliveries").await;
    browser
        .open(
            &browser
                .property("tbody th a", "pathname")
                .await
                .expect("a path"),
        )
        .await;

    browser.press("Cancel the job").await;

    browser
        .see("The job is cancelled. Deliveries that it queued stay queued.")
        .await;
    browser.see("Cancelled").await;
    browser.end().await;
    platform.end().await;
}
