//! Pages that lead on: code, the checker, copies, links of ids, the same as an API call.

use std::process::Output;

use serde_json::{Value, json};
use tokio::process::Command;
use webhook_tests::{Browser, CreatedWebhook, Platform, Receiver};

use crate::portal::deliver;

/// The question after a response 401 or 403.
const QUESTION: &str = "Does your endpoint verify the signature?";

/// The page of the only delivery.
async fn delivery_page(platform: &Platform) -> String {
    let listed = platform.get("/api/v1/deliveries").await;
    let id = listed["data"][0]["id"].as_str().expect("a delivery");
    format!("/admin/webhook-deliveries/{id}")
}

/// A platform with a delivery to a receiver that answers `status`.
async fn with_answer(status: u16, outcome: &str) -> (Platform, CreatedWebhook) {
    let platform = Platform::new().await;
    let receiver = Receiver::answering(&[status]).await;
    let webhook = platform.webhook_to(&receiver).once().create().await;
    deliver(&platform, outcome, 1).await;
    (platform, webhook)
}

/// Presses the tab of a language, and returns the shown code.
async fn choose(browser: &Browser, language: &str) -> String {
    let press = "document.querySelector(`label[for=code-${arguments[0]}]`).click()";
    browser.run(press, vec![json!(language)]).await;
    browser.text(".code-tabs").await
}

#[tokio::test(flavor = "multi_thread")]
async fn code_stands_beside_the_secret_and_its_language_is_remembered() {
    let platform = Platform::new().await;
    let webhook = platform.webhook("CRM").create().await;
    let browser = platform
        .browser_at(&format!("{}/secret", webhook.page))
        .await;
    let tabs = browser.texts(".code-tabs label").await;

    let shown = choose(&browser, "ruby").await;
    browser.reload().await;
    let again = browser.text(".code-tabs").await;

    let languages = ["Python", "Node", "Go", "Rust", "PHP", "Ruby", "Java", "C#"];
    assert_eq!(tabs, languages);
    assert!(shown.contains("StandardWebhooks::Webhook"), "{shown}");
    assert!(!shown.contains("standardwebhooks import"), "{shown}");
    assert!(again.contains("StandardWebhooks::Webhook"), "{again}");
    browser.end().await;
    platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_tabs_of_code_work_without_scripts() {
    let platform = Platform::new().await;
    let webhook = platform.webhook("CRM").create().await;
    let browser = platform
        .plain_browser_at(&format!("{}/secret", webhook.page))
        .await;

    let shown = choose(&browser, "go").await;

    assert!(
        shown.contains("standardwebhooks.NewWebhook(secret)"),
        "{shown}"
    );
    browser.press("Signature checker").await;
    browser.arrive("/admin/settings/signatures").await;
    browser.end().await;
    platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_test_that_got_401_leads_to_code_and_checker() {
    let platform = Platform::new().await;
    let receiver = Receiver::answering(&[401]).await;
    let webhook = platform.webhook_to(&receiver).once().create().await;
    let browser = platform.browser_at(&format!("{}/test", webhook.page)).await;

    browser.press("Send test event").await;
    browser.see(QUESTION).await;

    assert_eq!(browser.count(".code-tabs").await, 1);
    browser.press("Signature checker").await;
    browser.arrive("/admin/settings/signatures").await;
    browser.end().await;
    platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_delivery_that_got_403_leads_to_code_and_checker() {
    let (platform, _) = with_answer(403, "failed").await;
    let browser = platform.browser_at(&delivery_page(&platform).await).await;

    browser.see(QUESTION).await;

    assert_eq!(browser.count(".code-tabs").await, 1);
    browser.press("How to verify a request").await;
    browser.arrive("/admin/event-types/verifying").await;
    browser.end().await;
    platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_delivery_begins_with_its_payload_and_says_its_advice_once() {
    let platform = Platform::new().await;
    let receiver = Receiver::answering(&[500, 500, 500]).await;
    let webhook = platform.webhook_to(&receiver).retrying_every(1_000, 3);
    webhook.create().await;
    deliver(&platform, "failed", 1).await;
    let browser = platform.browser_at(&delivery_page(&platform).await).await;
    let advice = "The receiver failed on this event";

    let said = browser.see(advice).await;

    assert_eq!(said.matches(advice).count(), 1, "{said}");
    assert_eq!(browser.count(".attempt").await, 3);
    let top =
        "return [...arguments].map(id => document.getElementById(id).getBoundingClientRect().top)";
    let tops = browser.run(top, vec![json!("request-body"), json!("attempts")]);
    let tops = tops.await;
    assert!(tops[0].as_f64() < tops[1].as_f64(), "{tops}");
    assert_eq!(browser.count(".code-tabs").await, 0);
    browser.end().await;
    platform.end().await;
}

/// Presses buttons that copy on a page, and returns the copied texts.
async fn copied(browser: &Browser, page: &str, buttons: &[&str]) -> Value {
    browser.open(page).await;
    let catch =
        "window.copied = []; navigator.clipboard.writeText = async text => copied.push(text)";
    browser.run(catch, vec![]).await;
    for button in buttons {
        browser.press(button).await;
    }
    browser.run("return copied", vec![]).await
}

#[tokio::test(flavor = "multi_thread")]
async fn ids_urls_and_signatures_are_copied_with_one_press() {
    let (platform, webhook) = with_answer(200, "succeeded").await;
    let delivery = platform.read_deliveries().await.remove(0);
    let page = delivery_page(&platform).await;
    let shown = platform.get(&webhook.path).await;
    let browser = platform.browser().await;

    let of_webhook = ["Copy the URL", "Copy the webhook ID"];
    let of_webhook = copied(&browser, &webhook.page, &of_webhook).await;
    let of_delivery = [
        "Copy the delivery ID",
        "Copy the event ID",
        "Copy webhook-signature",
    ];
    let of_delivery = copied(&browser, &page, &of_delivery).await;

    assert_eq!(of_webhook, json!([shown["url"], webhook.id]));
    assert_eq!(of_delivery[0], delivery["id"]);
    assert_eq!(of_delivery[1], delivery["event_id"]);
    let signature = of_delivery[2].as_str().unwrap_or_default();
    assert!(signature.starts_with("v1,"), "{signature}");
    browser.end().await;
    platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_id_in_a_payload_leads_to_its_page_by_the_settings() {
    let (platform, _) = with_answer(200, "succeeded").await;
    let browser = platform.browser_at("/admin/settings").await;
    let field = "Links for ids in payloads";

    let link = "license_id https://licenses.example.com/{id}";
    browser.fill(field, link).await;
    browser.press("Save settings").await;
    browser.see("The settings are saved.").await;
    browser.open(&delivery_page(&platform).await).await;
    let of_delivery = browser.property("#request-body a", "href").await;
    browser.press("Event").await;
    let of_event = browser.property("main pre a", "href").await;

    let expected = Some("https://licenses.example.com/lic_42".to_owned());
    assert_eq!([&of_delivery, &of_event], [&expected, &expected]);
    browser.end().await;
    platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_link_for_ids_that_is_not_https_is_refused_in_place() {
    let platform = Platform::new().await;
    let browser = platform.browser_at("/admin/settings").await;
    let field = "Links for ids in payloads";

    browser
        .fill(field, "license_id http://a.example/{id}")
        .await;
    browser.press("Save settings").await;

    browser.see("License_id must be a URL with https://").await;
    let typed = browser.property("#link_patterns", "value").await;
    assert_eq!(typed.as_deref(), Some("license_id http://a.example/{id}"));
    browser.end().await;
    platform.end().await;
}

/// Runs the API call of a page with the platform's key.
async fn run_api_call(platform: &Platform, browser: &Browser) -> Output {
    let command = browser.property("#api-command", "textContent").await;
    let command = command.expect("a command");
    assert!(!command.contains("whk_"), "{command}");
    let mut shell = Command::new("sh");
    shell
        .args(["-c", &command])
        .env("WEBHOOKS_API_KEY", &platform.key);
    shell.output().await.expect("a shell runs")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_filtered_list_is_an_api_call_with_the_same_filters() {
    let platform = Platform::new().await;
    let webhook = platform.webhook("CRM").create().await;
    platform.fail_deliveries(&webhook, 2).await;
    let page = "/admin/webhook-deliveries?status=failed&response=5xx";
    let browser = platform.browser_at(page).await;

    let ran = run_api_call(&platform, &browser).await;

    let listed: Value = serde_json::from_slice(&ran.stdout).expect("JSON");
    let rows = listed["data"].as_array().map(Vec::len);
    assert_eq!(rows, Some(browser.count("tbody tr").await));
    browser.end().await;
    platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_api_calls_of_a_delivery_read_and_retry_it() {
    let platform = Platform::new().await;
    let receiver = Receiver::answering(&[]).await;
    let webhook = platform.webhook_to(&receiver).create().await;
    platform.fail_deliveries(&webhook, 1).await;
    let browser = platform.browser_at(&delivery_page(&platform).await).await;

    let ran = run_api_call(&platform, &browser).await;

    assert!(ran.status.success(), "{ran:?}");
    platform.deliveries_become("succeeded", 1).await;
    browser.end().await;
    platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn outgoing_addresses_are_one_link_away() {
    let platform = Platform::new().await;
    let webhook = platform.webhook("CRM").create().await;
    let browser = platform.browser().await;
    let of_webhook = ["", "/secret", "/edit"];
    let mut pages = of_webhook
        .map(|page| format!("{}{page}", webhook.page))
        .to_vec();
    pages.push("/admin/webhooks/new".to_owned());

    for page in pages {
        browser.open(&page).await;
        let links = browser.count("main a[href='/admin/settings#outgoing']");
        assert!(links.await >= 1, "{page}");
    }
    browser.open("/admin/settings").await;
    assert_eq!(browser.text("#outgoing").await, "Outgoing IP addresses");
    browser.end().await;
    platform.end().await;
}
