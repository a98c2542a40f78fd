//! Jobs: started after a count, watched, cancelled.

use webhook_tests::{Browser, Platform, Receiver};

const JOB_FORM: &str = "/admin/webhook-deliveries/retry";

/// A platform with failed deliveries to a webhook, and the webhook's receiver.
async fn with_failed(count: usize) -> (Platform, Receiver) {
    let platform = Platform::new().await;
    let receiver = Receiver::answering(&[]).await;
    let webhook = platform.webhook_to(&receiver).once().create().await;
    platform.fail_deliveries(&webhook, count).await;
    (platform, receiver)
}

/// A browser at the form of a job for 30 failed deliveries of production, reached from the filters
/// of the list.
async fn at_form_of_thirty(platform: &Platform) -> Browser {
    let filtered = "/admin/webhook-deliveries?environment=production&status=failed";
    let browser = platform.browser_at(filtered).await;
    browser.press("Retry all matching…").await;
    browser
        .see("Retry 30 failed deliveries of production?")
        .await;
    browser
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_without_a_possible_rate_is_refused_at_the_field() {
    let (platform, receiver) = with_failed(30).await;
    let browser = at_form_of_thirty(&platform).await;

    browser.fill("Deliveries per second", "9999").await;
    browser.press("Retry 30 deliveries").await;

    browser.see("Must be a number from 1 to 5000.").await;
    assert_eq!(receiver.count(), 0);
    browser.end().await;
    platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_page_of_a_job_follows_the_job_to_its_end() {
    let (platform, receiver) = with_failed(30).await;
    let browser = at_form_of_thirty(&platform).await;

    browser.fill("Deliveries per second", "20").await;
    browser.press("Retry 30 deliveries").await;

    browser.see("The job is started.").await;
    browser.see("Every delivery was queued or skipped.").await;
    browser.see("30 of 30, 100 %").await;
    assert!(!browser.says("Cancel the job").await);
    receiver.arrived(30).await;
    browser.end().await;
    platform.end().await;
}

/// Opens the first job of the list.
async fn open_first_job(browser: &Browser) {
    browser.press("Jobs").await;
    browser.see("Retry deliveries").await;
    let page = browser.property("tbody th a", "pathname").await;
    browser.open(&page.expect("a link to a job")).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_is_found_in_the_list_and_cancelled_without_scripts() {
    let (platform, _) = with_failed(200).await;
    let browser = platform.plain_browser_at(JOB_FORM).await;
    browser.fill("Deliveries per second", "1").await;
    browser.press("Retry 200 deliveries").await;
    browser.see("Running").await;

    open_first_job(&browser).await;
    browser.press("Cancel the job").await;

    browser
        .see("The job is cancelled. Deliveries that it queued stay queued.")
        .await;
    browser.see("Cancelled").await;
    browser.end().await;
    platform.end().await;
}
