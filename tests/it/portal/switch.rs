//! The switch that sets a webhook Active or Inactive: in the list, on the page and in the form.

use serde_json::json;
use webhook_tests::{Browser, Platform};

const SPACE: &str = " ";

/// Waits until a switch says `is_on` to a screen reader.
async fn is_switched(platform: &Platform, browser: &Browser, is_on: bool) {
    let css = format!("button[role=switch][aria-checked={is_on}]");
    let switched = async || (browser.count(&css).await == 1).then_some(());
    platform.world.eventually("it is switched", switched).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_switch_of_the_list_is_pressed_with_the_keyboard_and_taken_back() {
    let platform = Platform::new().await;
    platform.webhook_at("https://hooks.example.com/in").await;
    let browser = platform.browser().await;

    is_switched(&platform, &browser, true).await;
    browser
        .run("document.querySelector('[role=switch]').focus()", vec![])
        .await;
    let name = browser.focused().await;
    browser.type_keys(SPACE).await;
    browser.see("“Receiver” is Inactive now").await;
    is_switched(&platform, &browser, false).await;
    let kept = browser
        .run("return document.activeElement.role", vec![])
        .await;
    browser.press("Undo").await;

    is_switched(&platform, &browser, true).await;
    assert_eq!(name, "Active Receiver");
    assert_eq!(kept, "switch");
    browser.end().await;
    platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_switch_sends_its_form_without_scripts() {
    let platform = Platform::new().await;
    let path = platform.webhook_at("https://hooks.example.com/in").await;
    let browser = platform.plain_browser().await;

    browser.press("Active Receiver").await;
    browser.see("“Receiver” is Inactive now").await;
    let after_list = platform.get(&path).await["status"].clone();
    browser.open(&path.replace("/api/v1", "/admin")).await;
    browser.press("Active").await;
    browser.see("“Receiver” is Active now").await;

    assert_eq!(after_list, "inactive");
    assert_eq!(platform.get(&path).await["status"], "active");
    browser.end().await;
    platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_switch_of_the_form_is_saved_with_it() {
    let platform = Platform::new().await;
    let path = platform.webhook_at("https://hooks.example.com/in").await;
    let page = path.replace("/api/v1", "/admin");
    let browser = platform.browser().await;
    browser.open(&format!("{page}/edit")).await;

    let role = browser
        .run("return document.getElementById('status').role", vec![])
        .await;
    browser.check("Active").await;
    let unsaved = platform.get(&path).await["status"].clone();
    browser.press("Save webhook").await;
    browser.arrive(&page).await;

    assert_eq!((role, unsaved), (json!("switch"), json!("active")));
    assert_eq!(platform.get(&path).await["status"], "inactive");
    browser.end().await;
    platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_switch_is_large_and_delete_stands_apart_from_edit() {
    let platform = Platform::new().await;
    let path = platform.webhook_at("https://hooks.example.com/in").await;
    let browser = platform.browser().await;
    let measure = "const box = (css) => document.querySelector(`main ${css}`).getBoundingClientRect();
        const [on, edit, risky] = [box('button.switch'), box('[href$=\"/edit\"]'), box('[href*=\"/delete\"]')];
        return [on.width >= 44 && on.height >= 36, risky.left - edit.right >= 16]";

    let mut measured = Vec::new();
    for page in [
        "/admin/webhooks".to_owned(),
        path.replace("/api/v1", "/admin"),
    ] {
        browser.open(&page).await;
        browser.resize(1280, 900).await;
        measured.push(browser.run(measure, vec![]).await);
    }
    let icons = browser.count("main a svg.icon").await;

    assert_eq!(measured[0], json!([true, true]));
    assert_eq!(measured[1][0], json!(true));
    assert_eq!(icons, 2);
    browser.end().await;
    platform.end().await;
}
