//! Webhooks selected in the list and changed together, and the order of the list.

use serde_json::json;
use webhook_tests::{Browser, Platform};

/// A platform with webhooks of several names.
async fn with_webhooks(names: &[&str]) -> Platform {
    let platform = Platform::new().await;
    for name in names {
        platform.webhook(name).create().await;
    }
    platform
}

/// Checks the box of a row.
async fn select(browser: &Browser, name: &str) {
    let script = "document.querySelector(`[aria-label='Select ${arguments[0]}']`).click()";
    browser.run(script, vec![json!(name)]).await;
}

/// The names in the list, in the list's order.
async fn names(browser: &Browser) -> Vec<String> {
    browser.texts("tbody th").await
}

/// How many rows say `status`.
async fn statuses(browser: &Browser) -> Vec<String> {
    browser
        .texts("tbody .badge.active, tbody .badge.inactive")
        .await
}

#[tokio::test(flavor = "multi_thread")]
async fn selected_webhooks_are_set_inactive_together_and_active_again_by_undo() {
    let platform = with_webhooks(&["A", "B", "C"]).await;
    let browser = platform.browser().await;

    assert_eq!(browser.count("#bulk button:enabled").await, 0);
    select(&browser, "A").await;
    select(&browser, "B").await;
    browser.see("2 selected").await;
    browser.press("Deactivate selected").await;

    browser.see("2 webhooks are Inactive now").await;
    assert_eq!(statuses(&browser).await, ["Active", "Inactive", "Inactive"]);
    browser.press("Undo").await;
    browser.see("2 webhooks are Active now").await;
    assert_eq!(statuses(&browser).await, ["Active"; 3]);
    browser.end().await;
    platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deletion_of_many_webhooks_is_confirmed_with_their_names() {
    let platform = with_webhooks(&["A", "B", "C"]).await;
    let browser = platform.browser().await;

    browser.check("Select all on this page").await;
    select(&browser, "C").await;
    browser.see("2 selected").await;
    browser.press("Delete selected").await;

    browser.see("Delete 2 webhooks?").await;
    assert_eq!(browser.texts(".names tbody th").await, ["A", "B"]);
    browser.press("Cancel").await;
    browser.see("3 webhooks").await;
    browser.check("Select all on this page").await;
    browser.press("Delete selected").await;
    browser.press("Delete 3 webhooks").await;
    browser.see("3 webhooks are deleted.").await;
    browser.see("No webhooks yet").await;
    browser.end().await;
    platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_head_of_a_column_sorts_the_list() {
    let platform = with_webhooks(&["B", "A", "C"]).await;
    let browser = platform.browser().await;
    assert_eq!(names(&browser).await, ["C", "A", "B"]);

    browser.press("Name").await;
    browser.arrive("/admin/webhooks?sort=name").await;
    let ascending = names(&browser).await;
    let told = browser.text("[aria-sort=ascending]").await;
    browser.press("Name").await;
    browser.arrive("/admin/webhooks?sort=-name").await;

    assert_eq!(ascending, ["A", "B", "C"]);
    assert!(told.starts_with("Name"), "{told}");
    assert_eq!(names(&browser).await, ["C", "B", "A"]);
    // The scripts of the filters and of the selection run on the new page too.
    browser.see("Select all on this page").await;
    browser.choose("Sort by", "Oldest first").await;
    browser.arrive("/admin/webhooks?sort=created_at").await;
    browser.see("3 webhooks").await;
    browser.end().await;
    platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn selected_webhooks_are_changed_without_scripts_too() {
    let platform = with_webhooks(&["A"]).await;
    let browser = platform.plain_browser().await;

    assert!(!browser.says("Deactivate selected").await);
    select(&browser, "A").await;
    browser.press("Deactivate selected").await;

    browser.see("1 webhook is Inactive now").await;
    browser.press("Undo").await;
    browser.see("1 webhook is Active now").await;
    browser.end().await;
    platform.end().await;
}
