//! Lists with one line a row: how much fits on a screen, and the whole of what is shortened.

use serde_json::{Value, json};
use webhook_domain::EventType;
use webhook_tests::{Browser, Platform, Receiver};

use crate::portal::deliver;

/// How high the rows of a list are, in CSS pixels, and how many of them end within the screen.
const ROWS: &str = "
    const rows = [...document.querySelectorAll(arguments[0])].map(row => row.getBoundingClientRect());
    return {highest: Math.max(...rows.map(row => row.height)), seen: rows.filter(row => row.bottom <= innerHeight).length}";

/// The path of the link under a point near the right edge of an element.
const LINK_UNDER: &str = "
    const at = document.querySelector(arguments[0]).getBoundingClientRect();
    return document.elementFromPoint(at.right - 3, at.top + at.height / 2).closest('a')?.pathname";

/// A browser with a laptop's screen at `page`.
async fn laptop(platform: &Platform, page: &str) -> Browser {
    let browser = platform.browser_at(page).await;
    browser.resize(1_440, 900).await;
    browser
}

/// The height of the highest row, and the number of rows that are seen whole.
async fn rows(browser: &Browser, css: &str) -> (f64, u64) {
    let rows = browser.run(ROWS, vec![json!(css)]).await;
    let highest = rows["highest"].as_f64().expect("a list with rows");
    (highest, rows["seen"].as_u64().unwrap_or_default())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_laptops_screen_shows_thirteen_webhooks_even_beside_a_long_url() {
    let platform = Platform::new().await;
    for number in 0..16 {
        let name = format!("Receiver of the licences, region {number}");
        let url = format!("https://hooks{number}.example.com/services/licences/receive");
        platform.webhook(&name).at(&url).create().await;
    }
    let long = format!("https://hooks.example.com/{}", "x".repeat(1_900));
    platform.webhook("Long").at(&long).create().await;
    let browser = laptop(&platform, "/admin/webhooks").await;

    let (highest, seen) = rows(&browser, "tbody tr").await;

    assert!(highest <= 44.5, "{highest}");
    assert!(seen >= 13, "{seen}");
    browser.end().await;
    platform.end().await;
}

/// A platform with a row in each list.
async fn with_rows() -> Platform {
    let platform = Platform::new().await;
    let receiver = Receiver::answering(&[]).await;
    let named = platform.webhook("A receiver with quite a long name in the list");
    let webhook = named.at(&receiver.url).create().await;
    deliver(&platform, "succeeded", 1).await;
    platform.fail_deliveries(&webhook, 3).await;
    let retry = json!({"webhook_id": webhook.id});
    platform.post("/api/v1/deliveries/retry", &retry).await;
    let wrong = "wrong ".repeat(40);
    platform.world.broker.put_rejected(&wrong).await;
    platform
}

#[tokio::test(flavor = "multi_thread")]
async fn every_list_has_one_line_a_row() {
    let platform = with_rows().await;
    let browser = laptop(&platform, "/admin/webhooks").await;

    for (page, css) in [
        ("webhook-deliveries", "tbody tr"),
        ("events", "tbody tr"),
        ("jobs", "tbody tr"),
        ("rejected-messages", "tbody tr"),
        ("audit", ".lines > li"),
    ] {
        let listed = async || {
            browser.open(&format!("/admin/{page}")).await;
            browser.count(css).await > 0
        };
        platform.until(page, listed).await;
        let (highest, _) = rows(&browser, css).await;
        assert!(highest <= 45.5, "{page}: {highest}");
    }
    browser.end().await;
    platform.end().await;
}

/// The text that shows while the pointer is over the first URL.
async fn hovered(browser: &Browser) -> String {
    browser.run("document.activeElement.blur()", vec![]).await;
    let at = "const at = document.querySelector('.middle').getBoundingClientRect(); return [at.left + 5, at.top + 5]";
    let at = browser.run(at, vec![]).await;
    let pointer = json!({"type": "mouseMoved", "x": at[0], "y": at[1]});
    browser.tell("Input.dispatchMouseEvent", pointer).await;
    browser.text(".middle .tip-text").await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_url_is_cut_in_the_middle_and_whole_on_focus_and_hover() {
    let platform = Platform::new().await;
    let url = format!("https://hooks.example.com/{}/the-end", "x".repeat(300));
    platform.webhook("CRM").at(&url).create().await;
    let browser = laptop(&platform, "/admin/webhooks").await;
    let cut = "const head = document.querySelector('.head-part'); return head.scrollWidth > head.clientWidth";
    let before = browser.text(".middle .tip-text").await;

    let focus = "document.querySelector('.middle').focus()";
    browser.run(focus, vec![]).await;
    let focused = browser.text(".middle .tip-text").await;
    let hovered = hovered(&browser).await;

    assert_eq!(browser.run(cut, vec![]).await, json!(true));
    let head = browser.text(".head-part").await;
    assert!(head.starts_with("hooks.example.com/"), "{head}");
    assert_eq!(browser.text(".head-part + span").await, "/the-end");
    assert_eq!(before, "");
    assert_eq!([focused, hovered], [url.clone(), url]);
    browser.end().await;
    platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_url_is_short_on_a_phone_too() {
    let platform = Platform::new().await;
    let url = format!("https://hooks.example.com/{}", "x".repeat(1_900));
    platform.webhook("CRM").at(&url).create().await;
    let browser = platform.browser().await;
    browser.resize(360, 740).await;

    let (height, _) = rows(&browser, "tbody .url").await;

    assert!(height <= 45.0, "{height}");
    browser.end().await;
    platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_id_is_short_and_whole_on_focus_with_a_button_to_copy() {
    let platform = Platform::new().await;
    let id = platform
        .take_in(EventType::LicenseCreated)
        .await
        .to_string();
    let browser = laptop(&platform, "/admin/events").await;
    let short = browser.text(".short-id a").await;
    let focus =
        "window.copied = []; navigator.clipboard.writeText = async text => copied.push(text);
        document.querySelector('.short-id a').focus()";
    browser.run(focus, vec![]).await;

    let whole = browser.text(".short-id .tip-text code").await;
    browser.type_keys("\u{e004}").await;
    browser.type_keys("\u{e007}").await;

    browser.see("Copied").await;
    assert_eq!(short, format!("{}…{}", &id[..8], &id[32..]));
    assert_eq!(whole, id);
    let copied = browser.run("return copied", vec![]).await;
    assert_eq!(copied, json!([id]));
    browser.end().await;
    platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_whole_row_of_the_log_leads_to_its_delivery() {
    let platform = Platform::new().await;
    let receiver = Receiver::answering(&[]).await;
    let webhook = platform.webhook_to(&receiver).create().await;
    deliver(&platform, "succeeded", 1).await;
    let browser = laptop(&platform, "/admin/webhook-deliveries").await;
    let status = vec![json!("tbody [data-label=Status]")];

    let of_row = browser.run(LINK_UNDER, status).await;
    let of_webhook = browser.run(LINK_UNDER, vec![json!("tbody .webhook a")]);
    let of_webhook = of_webhook.await;
    browser.press("license.created").await;

    let path = browser.path().await;
    assert!(path.starts_with("/admin/webhook-deliveries/"), "{path}");
    assert_eq!(of_row, Value::from(path));
    assert_eq!(of_webhook, Value::from(webhook.page));
    browser.end().await;
    platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_filters_of_webhooks_are_removed_one_by_one_or_all_at_once() {
    let platform = Platform::new().await;
    platform.webhook("CRM").create().await;
    platform.webhook("Billing").create().await;
    let browser = platform.browser().await;

    browser.fill("Search", "crm").await;
    browser.choose("Environment", "Production").await;
    browser.see("Environment: Production").await;
    browser
        .press("Environment: Production ×, remove this filter")
        .await;
    browser.arrive("/admin/webhooks?search=crm").await;
    assert_eq!(browser.count("tbody tr").await, 1);
    browser.press("Clear all").await;

    browser.arrive("/admin/webhooks").await;
    assert_eq!(browser.count("tbody tr").await, 2);
    browser.end().await;
    platform.end().await;
}
