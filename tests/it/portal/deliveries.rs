//! The list of deliveries: filtered, live, with a selection.

use serde_json::{Value, json};
use webhook_tests::{Browser, Platform, Receiver};

use crate::portal::{create_with_token, deliver};

const DELIVERIES: &str = "/admin/webhook-deliveries";

/// A platform with the webhook CRM and `failed` failed deliveries.
async fn with_failed(failed: usize) -> Platform {
    let platform = Platform::new().await;
    let receiver = Receiver::answering(&[]).await;
    let crm = create_with_token(&platform, "CRM", &receiver).await;
    platform.fail_deliveries(&crm, failed).await;
    platform
}

/// Lets the page ask for new deliveries every 50 ms.
async fn hurry(browser: &Browser) {
    let script = "document.getElementById('results').dataset.refresh = 0.05;
        document.dispatchEvent(new Event('swapped'));";
    browser.run(script, vec![]).await;
}

/// A platform with a succeeded delivery to each of two webhooks, and three failed deliveries to
/// CRM.
async fn with_five_deliveries() -> Platform {
    let platform = Platform::new().await;
    let receiver = Receiver::answering(&[]).await;
    let crm = create_with_token(&platform, "CRM", &receiver).await;
    create_with_token(&platform, "Billing", &receiver).await;
    deliver(&platform, "succeeded", 2).await;
    platform.fail_deliveries(&crm, 3).await;
    platform
}

#[tokio::test(flavor = "multi_thread")]
async fn filters_are_in_the_address_and_are_removed_one_by_one() {
    let platform = with_five_deliveries().await;
    let browser = platform.browser_at(DELIVERIES).await;

    browser.fill("Search", "crm").await;
    browser.choose("Status", "Failed").await;
    browser
        .arrive(&format!("{DELIVERIES}?search=crm&status=failed"))
        .await;
    browser.see("Webhook name: crm").await;
    assert_eq!(browser.count("tbody tr").await, 3);
    browser.press("Status: Failed ×, remove this filter").await;

    browser.arrive(&format!("{DELIVERIES}?search=crm")).await;
    browser.see("Succeeded").await;
    assert_eq!(browser.count("tbody tr").await, 4);
    browser.press("Count all").await;
    browser.see("4 deliveries in all").await;
    browser.end().await;
    platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_filter_is_explained_and_a_right_filter_applied() {
    let platform = with_five_deliveries().await;
    let browser = platform.browser_at(DELIVERIES).await;

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
    platform.webhook_to(&receiver).create().await;
    deliver(&platform, "succeeded", 1).await;
    let span = format!("{DELIVERIES}?since=2026-01-01T00:00&until=2099-11-23T08:15");
    let browser = platform.browser_at(&span).await;

    browser.see("Until: 23 Nov 2099, 08:15:00").await;
    assert_eq!(browser.count("tbody tr").await, 1);
    let future = format!("{DELIVERIES}?since=2099-11-23T08:15");
    browser.open(&future).await;

    browser.see("No deliveries match").await;
    let value = browser.property("#filter-since", "value").await;
    assert_eq!(value.as_deref(), Some("2099-11-23T08:15"));
    browser.end().await;
    platform.end().await;
}

/// Selects the first delivery, gives the focus to the box, and returns the delivery's id.
const SELECT_FIRST: &str = "const box = document.querySelector('tbody input');
    box.click(); box.focus(); window.loaded = 'once'; return box.value;";

/// The ids of the focused and of the selected delivery, and the mark of a page without reloads.
const PLACE: &str = "return [document.activeElement.value,
    document.querySelector(':checked[name=id]').value, window.loaded];";

#[tokio::test(flavor = "multi_thread")]
async fn a_new_delivery_appears_without_a_reload_and_selection_and_focus_stay() {
    let platform = with_failed(40).await;
    let browser = platform.browser_at(DELIVERIES).await;
    hurry(&browser).await;
    let selected = browser.run(SELECT_FIRST, vec![]).await;

    deliver(&platform, "succeeded", 1).await;
    browser.see("Succeeded").await;

    let place = browser.run(PLACE, vec![]).await;
    assert_eq!(place, json!([selected, selected, "once"]));
    browser.end().await;
    platform.end().await;
}

/// How far the page is scrolled, in pixels.
async fn scrolled(browser: &Browser) -> Value {
    browser.run("return scrollY", vec![]).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_scrolled_list_announces_a_new_delivery_and_shows_the_delivery_on_demand() {
    let platform = with_failed(40).await;
    let browser = platform.browser_at(DELIVERIES).await;
    hurry(&browser).await;
    browser.run("scrollTo(0, 900)", vec![]).await;

    deliver(&platform, "succeeded", 1).await;
    browser.see("1 new delivery").await;
    assert_eq!(scrolled(&browser).await, 900);
    assert_eq!(browser.count("tbody tr").await, 40);
    browser.press("1 new delivery").await;

    let shown = async || (browser.count("tbody tr").await == 41).then_some(());
    let world = &platform.world;
    world.eventually("the delivery is shown", shown).await;
    assert_eq!(scrolled(&browser).await, 0);
    browser.end().await;
    platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_list_stands_still_while_live_is_off() {
    let platform = with_failed(1).await;
    let browser = platform.browser_at(DELIVERIES).await;
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
async fn selected_deliveries_are_retried() {
    let platform = with_failed(3).await;
    let browser = platform.browser_at(DELIVERIES).await;

    browser.check("Select all on this page").await;
    browser.see("3 selected").await;
    let last = "document.querySelector('tbody tr:last-child input').click()";
    browser.run(last, vec![]).await;
    browser.see("2 selected").await;
    browser.press("Retry selected").await;

    browser.see("2 deliveries are queued for a retry.").await;
    platform.deliveries_become("succeeded", 2).await;
    assert_eq!(platform.count("failed").await, 1);
    browser.end().await;
    platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_list_is_filtered_and_deliveries_are_selected_without_scripts() {
    let platform = Platform::new().await;
    let webhook = platform.webhook("CRM").create().await;
    let browser = platform.plain_browser_at(DELIVERIES).await;
    browser.see("No deliveries yet").await;
    platform.fail_deliveries(&webhook, 1).await;

    browser.choose("Status", "Failed").await;
    browser.press("Filter").await;
    browser.see("Status: Failed").await;
    assert!(!browser.says("Retry selected").await);
    let pick = "document.querySelector('tbody input').click()";
    browser.run(pick, vec![]).await;
    browser.press("Retry selected").await;
    browser.see("1 delivery is queued for a retry.").await;

    assert!(!browser.says("Live").await);
    browser.end().await;
    platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_viewer_sees_deliveries_and_no_control_that_changes_them() {
    let platform = with_failed(1).await;
    let browser = platform.browser_of("viewer").await;

    browser.open(DELIVERIES).await;
    browser.see("CRM").await;
    assert_eq!(browser.count("main [type=checkbox]").await, 0);
    assert_eq!(browser.count("main form[method=post]").await, 0);
    let open = "document.querySelector('tbody th a').click()";
    browser.run(open, vec![]).await;

    browser.see("Next").await;
    assert_eq!(browser.count("main form").await, 0);
    browser.open(&format!("{DELIVERIES}/retry")).await;
    browser.see("The operation needs the role admin").await;
    browser.end().await;
    platform.end().await;
}
