//! The portal on a phone, 360 by 740 CSS pixels.

use serde_json::{Value, json};
use webhook_tests::{Browser, Platform, Receiver};

use crate::portal::deliver;

/// Controls that are smaller than 44 px; a box counts with its label, and a link in a text not at all.
const SMALL: &str = "
    const controls = document.querySelectorAll('main :is(button, .button, select, summary, input, tbody th > a, .trail a, .pager a), header :is(a, button)');
    return [...controls].filter(control => control.checkVisibility() && !control.closest('.tip-text')).map(control => {
        const box = (control.matches('[type=checkbox], [type=radio]') ? control.labels[0] ?? control : control).getBoundingClientRect();
        return [`${control.localName} ${control.id || control.textContent.trim()} ${box.width}x${box.height}`, box];
    }).filter(([, box]) => box.height < 43.9 || box.width < 24).map(([name]) => name)";

/// The sections that each page leads to.
const SECTIONS: [&str; 9] = [
    "Webhooks",
    "Webhook Deliveries",
    "Events",
    "Rejected messages",
    "Event types",
    "Jobs",
    "Audit log",
    "Settings",
    "API docs",
];

/// A platform with a webhook.
async fn with_webhook() -> Platform {
    let platform = Platform::new().await;
    platform.webhook("CRM").create().await;
    platform
}

/// Gives a browser the screen of a phone.
async fn on_phone(browser: Browser) -> Browser {
    // Not `resize`, which waits with a script.
    let size = json!({"width": 360, "height": 740, "deviceScaleFactor": 1, "mobile": false});
    browser
        .tell("Emulation.setDeviceMetricsOverride", size)
        .await;
    browser.open("/admin/webhooks").await;
    browser
}

#[tokio::test(flavor = "multi_thread")]
async fn the_first_webhook_is_seen_without_scrolling() {
    let platform = with_webhook().await;
    let browser = on_phone(platform.browser().await).await;

    let top = "return document.querySelector('tbody tr').getBoundingClientRect().top";
    let top = browser.run(top, vec![]).await.as_f64();

    assert!(top.is_some_and(|top| top < 500.0), "{top:?}");
    browser.end().await;
    platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn filters_are_folded_and_count_those_that_are_set() {
    let platform = with_webhook().await;
    let browser = on_phone(platform.browser().await).await;
    let folded = browser.property(".fold", "open").await;

    browser.press("Filters 0 set").await;
    browser.choose("Environment", "Production").await;
    browser.choose("Status", "Active").await;
    browser.see("Filters 2 set").await;
    browser.press("Filters 2 set").await;

    assert_eq!(folded.as_deref(), Some("false"));
    let folded = browser.property(".fold", "open").await;
    assert_eq!(folded.as_deref(), Some("false"));
    browser
        .arrive("/admin/webhooks?environment=production&status=active")
        .await;
    browser.end().await;
    platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn buttons_for_selected_webhooks_come_with_the_first_selection() {
    let platform = with_webhook().await;
    let browser = on_phone(platform.browser().await).await;
    let pick = "document.querySelector('tbody .pick').click()";
    let shown = async || browser.says("Deactivate selected").await;

    let before = shown().await;
    browser.run(pick, vec![]).await;
    browser.see("1 selected").await;
    let selected = shown().await;
    browser.run(pick, vec![]).await;

    assert_eq!((before, selected, shown().await), (false, true, false));
    browser.end().await;
    platform.end().await;
}

/// Opens the menu, checks that the menu has every section on one screen, and follows one of them.
async fn use_menu(browser: &Browser) {
    let hidden = browser.text("header nav").await;
    browser.press("Menu").await;
    let sections = browser.texts("header nav a").await;
    let whole =
        "return document.getElementById('menu').getBoundingClientRect().bottom <= innerHeight";

    assert_eq!(hidden, "");
    for section in SECTIONS {
        assert!(
            sections.iter().any(|name| name == section),
            "{section}: {sections:?}"
        );
    }
    assert_eq!(browser.run(whole, vec![]).await, json!(true));
    browser.press("Jobs").await;
    browser.arrive("/admin/jobs").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_menu_has_every_section() {
    let platform = Platform::new().await;
    let browser = on_phone(platform.browser().await).await;

    use_menu(&browser).await;

    browser.end().await;
    platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_menu_has_every_section_without_scripts_too() {
    let platform = Platform::new().await;
    let browser = on_phone(platform.plain_browser().await).await;

    use_menu(&browser).await;

    browser.end().await;
    platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_target_has_the_size_of_a_finger() {
    let platform = Platform::new().await;
    let receiver = Receiver::answering(&[]).await;
    let webhook = platform.webhook_to(&receiver).create().await;
    deliver(&platform, "succeeded", 1).await;
    let browser = on_phone(platform.browser().await).await;
    let lists = ["webhooks", "webhook-deliveries", "events", "jobs", "audit"];
    let mut pages: Vec<String> = lists.map(|list| format!("/admin/{list}")).to_vec();
    let of_webhook = ["", "/secret", "/test", "/delete"];
    pages.extend(of_webhook.map(|page| format!("{}{page}", webhook.page)));

    for page in pages {
        browser.open(&page).await;
        let unfold = "for (const fold of document.querySelectorAll('.fold')) fold.open = true";
        browser.run(unfold, vec![]).await;
        let small = browser.run(SMALL, vec![]).await;
        assert_eq!(small, json!([]), "{page}");
    }
    browser.end().await;
    platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn delete_is_away_from_edit_and_a_box_has_24_pixels() {
    let platform = with_webhook().await;
    let browser = on_phone(platform.browser().await).await;
    let measure = "
        const box = css => document.querySelector(css).getBoundingClientRect();
        const [edit, gone] = [box('tbody a[href*=\"/edit\"]'), box('tbody a[href*=\"/delete\"]')];
        return {apart: Math.max(gone.left - edit.right, gone.top - edit.bottom), box: box('tbody .pick input').width}";

    let measured: Value = browser.run(measure, vec![]).await;

    let at_least_24 = |name: &str| measured[name].as_f64().is_some_and(|pixels| pixels >= 24.0);
    assert!(at_least_24("apart") && at_least_24("box"), "{measured}");
    browser.end().await;
    platform.end().await;
}
