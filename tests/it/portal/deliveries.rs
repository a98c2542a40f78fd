//! The list of deliveries: filtered, live, picked from.

use serde_json::json;
use webhook_domain::{Environment, EventType};
use webhook_tests::{Browser, Platform, Receiver, Service};

/// Makes an Active webhook of production that tries once, and tells its id.
pub(crate) async fn create(platform: &Platform, name: &str, url: &str) -> String {
    let webhook = json!({"name": name, "url": url, "environment": "production", "event_types": ["*"],
        "headers": {"X-Token": "very-secret"}, "retry_policy": {"max_attempts": 1}});
    let (status, created) = platform.post("/api/v1/webhooks", &webhook).await;
    assert_eq!(status, 201, "{created}");
    created["id"].as_str().expect("an id").to_owned()
}

/// So many deliveries to a webhook that failed a minute ago, with their events.
pub(crate) async fn fail(platform: &Platform, webhook: &str, count: usize) {
    platform
        .world
        .database
        .fail_deliveries(webhook, count)
        .await;
}

/// Publishes an event, and waits until so many deliveries are in `status`.
pub(crate) async fn deliver(platform: &Platform, status: &str, count: usize) {
    let created = EventType::LicenseCreated;
    platform.publish(Environment::Production, created).await;
    let there = async || (platform.count(status).await == count).then_some(());
    platform.world.eventually(status, there).await;
}

/// Lets the page look for what is new all the time, so that no test waits for it.
async fn hurry(browser: &Browser) {
    let script = "document.getElementById('results').dataset.refresh = 0.05;
        document.dispatchEvent(new Event('swapped'));";
    browser.run(script, vec![]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn filters_are_in_the_address_and_are_taken_away_one_by_one() {
    let platform = Platform::new().await;
    let receiver = Receiver::answering(&[]).await;
    let crm = create(&platform, "CRM", &receiver.url).await;
    create(&platform, "Billing", &receiver.url).await;
    deliver(&platform, "succeeded", 2).await;
    fail(&platform, &crm, 3).await;
    let browser = Browser::new(&platform.api).await;
    browser.sign_in(&platform.key).await;
    browser.open("/admin/webhook-deliveries").await;

    browser.fill("Search", "crm").await;
    browser.choose("Status", "Failed").await;
    browser
        .arrive("/admin/webhook-deliveries?search=crm&status=failed")
        .await;
    browser.see("Webhook name: crm").await;
    assert_eq!(browser.count("tbody tr").await, 3);
    browser.press("Status: Failed ×, remove this filter").await;
    browser.arrive("/admin/webhook-deliveries?search=crm").await;
    browser.see("Succeeded").await;
    assert_eq!(browser.count("tbody tr").await, 4);
    browser.press("Count all").await;
    browser.see("4 deliveries in all").await;

    browser.press("More filters").await;
    browser.fill("Response", "fine").await;
    browser.see("Response must be a status (503)").await;
    browser.fill("Response", "5xx").await;
    browser.see("Response: 5xx").await;
    assert_eq!(browser.count("tbody tr").await, 3);
    browser.end().await;
    platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_time_is_given_in_utc() {
    let platform = Platform::new().await;
    let receiver = Receiver::answering(&[]).await;
    create(&platform, "CRM", &receiver.url).await;
    deliver(&platform, "succeeded", 1).await;
    let browser = Browser::new(&platform.api).await;
    browser.sign_in(&platform.key).await;

    browser
        .open("/admin/webhook-deliveries?since=2026-01-01T00:00&until=2099-11-23T08:15")
        .await;

    browser.see("Until: 23 Nov 2099, 08:15:00 UTC").await;
    assert_eq!(browser.count("tbody tr").await, 1);
    browser
        .open("/admin/webhook-deliveries?since=2099-11-23T08:15")
        .await;
    browser.see("No deliveries match").await;
    let value = browser.property("#filter-since", "value").await;
    assert_eq!(value.as_deref(), Some("2099-11-23T08:15"));
    browser.end().await;
    platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_delivery_comes_by_itself_and_nobody_loses_their_place() {
    let platform = Platform::new().await;
    let receiver = Receiver::answering(&[]).await;
    let crm = create(&platform, "CRM", &receiver.url).await;
    fail(&platform, &crm, 40).await;
    let browser = Browser::new(&platform.api).await;
    browser.sign_in(&platform.key).await;
    browser.open("/admin/webhook-deliveries").await;
    hurry(&browser).await;
    let pick = "const box = document.querySelector('tbody input'); box.click(); box.focus(); window.loaded = 'once'; return box.value;";
    let picked = browser.run(pick, vec![]).await;

    deliver(&platform, "succeeded", 1).await;
    browser.see("Succeeded").await;
    let place = "return [document.activeElement.value, document.querySelector(':checked[name=id]').value, window.loaded];";
    assert_eq!(
        browser.run(place, vec![]).await,
        json!([picked, picked, "once"])
    );

    browser.run("scrollTo(0, 900)", vec![]).await;
    deliver(&platform, "succeeded", 2).await;
    browser.see("1 new delivery").await;
    assert_eq!(browser.run("return scrollY", vec![]).await, json!(900));
    assert_eq!(browser.count("tbody tr").await, 41);
    browser.press("1 new delivery").await;
    let shown = async || (browser.count("tbody tr").await == 42).then_some(());
    platform.world.eventually("it is shown", shown).await;
    assert_eq!(browser.run("return scrollY", vec![]).await, json!(0));
    browser.end().await;
    platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_list_stands_still_while_it_is_not_live() {
    let platform = Platform::new().await;
    let receiver = Receiver::answering(&[]).await;
    let crm = create(&platform, "CRM", &receiver.url).await;
    fail(&platform, &crm, 1).await;
    let browser = Browser::new(&platform.api).await;
    browser.sign_in(&platform.key).await;
    browser.open("/admin/webhook-deliveries").await;
    hurry(&browser).await;

    browser.press("Live").await;
    deliver(&platform, "succeeded", 1).await;
    assert_eq!(browser.count("tbody tr").await, 1);
    let checked = "return document.getElementById('live').ariaChecked";
    assert_eq!(browser.run(checked, vec![]).await, json!("false"));
    browser.press("Live").await;

    browser.see("Succeeded").await;
    browser.end().await;
    platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn those_that_are_picked_are_sent_again() {
    let platform = Platform::new().await;
    let receiver = Receiver::answering(&[]).await;
    let crm = create(&platform, "CRM", &receiver.url).await;
    fail(&platform, &crm, 3).await;
    let browser = Browser::new(&platform.api).await;
    browser.sign_in(&platform.key).await;
    browser.open("/admin/webhook-deliveries").await;

    browser.check("Select all on this page").await;
    browser.see("3 selected").await;
    let last = "document.querySelector('tbody tr:last-child input').click()";
    browser.run(last, vec![]).await;
    browser.see("2 selected").await;
    browser.press("Retry selected").await;

    browser.see("2 deliveries are queued for a retry.").await;
    let sent = async || (platform.count("succeeded").await == 2).then_some(());
    platform.world.eventually("they are sent", sent).await;
    assert_eq!(platform.count("failed").await, 1);
    browser.end().await;
    platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_list_is_filtered_and_picked_from_without_scripts() {
    let platform = Platform::new().await;
    let receiver = Receiver::answering(&[]).await;
    let crm = create(&platform, "CRM", &receiver.url).await;
    let browser = Browser::without_scripts(&platform.api).await;
    browser.sign_in(&platform.key).await;
    browser.open("/admin/webhook-deliveries").await;
    browser.see("No deliveries yet").await;
    fail(&platform, &crm, 1).await;

    browser.choose("Status", "Failed").await;
    browser.press("Filter").await;
    browser.see("Status: Failed").await;
    browser.press("Retry selected").await;
    browser.see("Nothing was selected").await;

    assert!(!browser.says("Live").await);
    browser.end().await;
    platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_viewer_looks_and_changes_nothing() {
    let platform = Platform::new().await;
    let receiver = Receiver::answering(&[]).await;
    let crm = create(&platform, "CRM", &receiver.url).await;
    fail(&platform, &crm, 1).await;
    let viewer = Service::new_key(&platform.world, "viewer").await;
    let browser = Browser::new(&platform.api).await;
    browser.sign_in(&viewer).await;

    browser.open("/admin/webhook-deliveries").await;
    browser.see("CRM").await;
    assert_eq!(browser.count("main [type=checkbox]").await, 0);
    assert_eq!(browser.count("main form[method=post]").await, 0);
    let open = "document.querySelector('tbody th a').click()";
    browser.run(open, vec![]).await;

    browser.see("Next").await;
    assert_eq!(browser.count("main form").await, 0);
    browser.open("/admin/webhook-deliveries/retry").await;
    browser.see("This needs the role admin").await;
    browser.end().await;
    platform.end().await;
}
