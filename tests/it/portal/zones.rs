//! Times: relative in lists, exact on demand, all in the reader's time zone.

use serde_json::json;
use webhook_domain::EventType;
use webhook_tests::{Browser, Platform, Receiver};

use crate::portal::deliver;

const LOG: &str = "/admin/webhook-deliveries";

/// Moves a browser to New York: five hours behind UTC in winter, four in summer.
async fn move_to_new_york(browser: &Browser) {
    let zone = json!({"timezoneId": "America/New_York"});
    browser.tell("Emulation.setTimezoneOverride", zone).await;
}

/// A browser of a reader in New York, at `page`.
async fn in_new_york(platform: &Platform, page: &str) -> Browser {
    let browser = platform.browser().await;
    move_to_new_york(&browser).await;
    browser.open(page).await;
    browser
}

/// A platform with a succeeded delivery.
async fn with_delivery() -> Platform {
    let platform = Platform::new().await;
    let receiver = Receiver::answering(&[]).await;
    platform.webhook_to(&receiver).create().await;
    deliver(&platform, "succeeded", 1).await;
    platform
}

/// Writes a time into the field with this id, as a person in the field's zone does.
async fn set_time(browser: &Browser, id: &str, time: &str) {
    let script = "document.getElementById(arguments[0]).value = arguments[1]";
    browser.run(script, vec![json!(id), json!(time)]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn filters_are_in_the_readers_zone_in_summer_and_winter() {
    let platform = Platform::new().await;
    let browser = in_new_york(&platform, LOG).await;
    browser.press("More filters").await;

    set_time(&browser, "filter-since", "2026-01-15T23:05:02").await;
    set_time(&browser, "filter-until", "2026-07-15T08:15").await;
    browser.press("Filter").await;

    browser.see("Since: 15 Jan 2026, 23:05:02").await;
    browser.see("Until: 15 Jul 2026, 08:15:00").await;
    let filters = "since=2026-01-16T04%3A05%3A02Z&until=2026-07-15T12%3A15%3A00Z";
    browser.arrive(&format!("{LOG}?{filters}")).await;
    browser.reload().await;
    let kept = browser.property("#filter-since", "value").await;
    assert_eq!(kept.as_deref(), Some("2026-01-15T23:05:02"));
    browser.end().await;
    platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_readers_zone_is_named_on_the_page_and_at_its_fields() {
    let platform = Platform::new().await;
    let browser = in_new_york(&platform, "/admin/events").await;

    browser.see("Times in America/New_York (UTC−").await;

    let label = browser.text("[for=filter-until]").await;
    assert_eq!(label, "Until (America/New_York)");
    browser.end().await;
    platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_hour_that_comes_twice_keeps_its_instant() {
    let platform = Platform::new().await;
    let page = "/admin/events?since=2026-11-01T06:30:00Z";
    let browser = in_new_york(&platform, page).await;

    let shown = browser.property("#filter-since", "value").await;
    browser.choose("Environment", "Staging").await;

    assert_eq!(shown.as_deref(), Some("2026-11-01T01:30"));
    browser
        .arrive("/admin/events?environment=staging&since=2026-11-01T06%3A30%3A00Z")
        .await;
    browser.end().await;
    platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_scripts_times_and_filters_are_in_utc_and_say_so() {
    let platform = with_delivery().await;
    let browser = platform.plain_browser().await;
    move_to_new_york(&browser).await;

    browser
        .open(&format!("{LOG}?since=2026-01-15T23:05:02Z"))
        .await;

    browser.see("Times in UTC").await;
    browser.see("Since: 15 Jan 2026, 23:05:02 UTC").await;
    assert_eq!(browser.text("[for=filter-since]").await, "Since (UTC)");
    let time = browser.text("tbody time").await;
    assert!(time.ends_with(" UTC"), "{time}");
    browser.end().await;
    platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_says_how_long_ago_and_when_exactly_on_hover_and_focus() {
    let platform = with_delivery().await;
    platform.world.database.age(3).await;
    let browser = in_new_york(&platform, LOG).await;
    let ago = browser.text("tbody .when time").await;
    let title = browser.property("tbody .when time", "title").await;
    let title = title.unwrap_or_default();

    let focus = "document.querySelector('tbody th a').focus({focusVisible: true});
        return getComputedStyle(document.querySelector('tbody .when time'), '::after').content";
    let focused = browser.run(focus, vec![]).await;
    let focused = focused.as_str().unwrap_or_default();

    assert_eq!(ago, "3 days ago");
    assert!(title.contains(" America/New_York (UTC−"), "{title}");
    assert!(focused.contains("(UTC−"), "{focused}");
    browser.end().await;
    platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn lists_show_exact_times_when_asked_and_that_is_remembered() {
    let platform = with_delivery().await;
    let browser = in_new_york(&platform, LOG).await;
    let title = browser.property("tbody .when time", "title").await;
    let title = title.unwrap_or_default();

    browser.press("Exact times").await;
    let exact = browser.text("tbody .when time").await;
    browser.reload().await;

    assert!(title.starts_with(&exact), "{title}: {exact}");
    assert!(exact.contains(", "), "{exact}");
    assert_eq!(browser.text("tbody .when time").await, exact);
    browser.end().await;
    platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replay_begins_at_the_readers_time() {
    let platform = Platform::new().await;
    let webhook = platform.webhook("CRM").create().await;
    let browser = in_new_york(&platform, &format!("{}/replay", webhook.page)).await;
    browser.see("Received since (America/New_York)").await;

    set_time(&browser, "since", "2026-07-01T08:15").await;
    browser.fill("Events per second", "fast").await;
    browser.press("Preview").await;
    browser.see("your attention").await;
    let kept = browser.property("#since", "value").await;
    let instant = "return document.getElementById('since').dataset.instant";
    let instant = browser.run(instant, vec![]).await;

    assert_eq!(kept.as_deref(), Some("2026-07-01T08:15"));
    assert_eq!(instant, "2026-07-01T12:15:00Z");
    browser.end().await;
    platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_names_its_times_in_the_readers_zone() {
    let platform = Platform::new().await;
    let webhook = platform.webhook("CRM").create().await;
    let replay = json!({"since": "2026-07-01T12:15:00Z", "until": "2026-07-02T12:15:00Z"});
    let path = format!("{}/replay", webhook.path);
    let (status, job) = platform.post(&path, &replay).await;
    assert!(status.is_success(), "{job}");
    let browser = in_new_york(&platform, "/admin/jobs").await;

    let since = browser.property("tbody .meant time", "textContent").await;
    let job = browser.property("tbody th a", "pathname").await;
    browser.open(&job.expect("a link to a job")).await;

    browser.see("1 Jul 2026, 08:15:00").await;
    browser.see("2 Jul 2026, 08:15:00").await;
    assert_eq!(since.as_deref(), Some("1 Jul 2026, 08:15:00"));
    browser.end().await;
    platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_hover_of_a_chart_has_the_zone_of_its_axis() {
    let platform = Platform::new().await;
    let receiver = Receiver::answering(&[]).await;
    let webhook = platform.webhook_to(&receiver).create().await;
    deliver(&platform, "succeeded", 1).await;
    let browser = in_new_york(&platform, &webhook.page).await;

    let axis = browser.text(".chart-times time").await;
    let hover = browser.property("svg.bars title", "textContent").await;

    let hover = hover.unwrap_or_default();
    assert!(hover.contains(&format!(", {axis}: ")), "{hover}: {axis}");
    browser.end().await;
    platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_diagnosis_has_the_readers_zone() {
    let platform = with_delivery().await;
    let webhooks = platform.get("/api/v1/webhooks").await;
    let id = webhooks["data"][0]["id"].as_str().expect("an id");
    let browser = in_new_york(&platform, &format!("/admin/webhooks/{id}/diagnosis")).await;

    let times = browser.texts(".findings time").await;

    assert!(!times.is_empty());
    let titles = "return [...document.querySelectorAll('.findings time')].every(time => time.title.includes('America/New_York'))";
    assert_eq!(browser.run(titles, vec![]).await, json!(true));
    assert!(!browser.text(".findings").await.contains(" UTC"));
    browser.end().await;
    platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_happened_and_was_received_in_one_zone() {
    let platform = Platform::new().await;
    platform.take_in(EventType::LicenseCreated).await;
    let browser = in_new_york(&platform, "/admin/events").await;

    let zones = "return [...document.querySelectorAll('main time')].every(time => time.title.includes('America/New_York'))";

    assert_eq!(browser.count("tbody time").await, 2);
    assert_eq!(browser.run(zones, vec![]).await, json!(true));
    browser.end().await;
    platform.end().await;
}
