//! The form of a webhook: creation, refusals, changes, deletion.

use serde_json::{Value, json};
use webhook_domain::EventType;
use webhook_tests::rows::URL;
use webhook_tests::{
    Browser, CreatedWebhook, NOBODY, Platform, Receiver, assert_fields, length_of, path_of,
};

use crate::portal::form_sections::ADVANCED;

const FORM: &str = "/admin/webhooks/new";
const TAB: &str = "\u{e004}";
const SPACE: &str = " ";
const ENTER: &str = "\u{e007}";

/// The webhook of a name, read from the API.
async fn stored(platform: &Platform, name: &str) -> Value {
    let path = format!("/api/v1/webhooks?search={name}");
    platform.get(&path).await["data"][0].clone()
}

/// The text in the field of a CSS selector.
async fn typed(browser: &Browser, css: &str) -> String {
    let value = browser.property(css, "value").await;
    value.unwrap_or_default()
}

/// A browser at the form of an existing webhook.
async fn edit(platform: &Platform, webhook: &CreatedWebhook) -> Browser {
    platform.browser_at(&format!("{}/edit", webhook.page)).await
}

/// Presses the button of the form, and waits for the number of refused fields.
async fn save_refused(browser: &Browser, fields: usize) {
    browser.press("Save webhook").await;
    let summary = format!("{fields} fields need your attention");
    browser.see(&summary).await;
}

/// Creates a webhook of `license.activated` through the form, with a search for the type.
async fn create_alert(browser: &Browser, name: &str, receiver: &Receiver) {
    browser.press("Create the first webhook").await;
    browser.fill("Name", name).await;
    browser.fill("Target URL", &receiver.url).await;
    browser.fill("Find a type", "license.activated").await;
    browser.see("1 type fits.").await;
    browser.check("license.activated").await;
    browser.see("1 of 9").await;
    browser.press("Save webhook").await;
    browser.see(&format!("“{name}” is saved")).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_activation_alert_is_created_tested_and_gets_the_real_event() {
    let platform = Platform::new().await;
    let receiver = Receiver::answering(&[]).await;
    let browser = platform.browser().await;

    create_alert(&browser, "Activations", &receiver).await;
    browser.press("Send test event").await;
    browser.see("The receiver answered 200").await;
    let event = platform.take_in(EventType::LicenseActivated).await;
    let requests = receiver.arrived(2).await;

    let webhook = stored(&platform, "Activations").await;
    assert_eq!(webhook["event_types"], json!(["license.activated"]));
    assert_eq!(requests[1].headers["webhook-id"], event.to_string());
    let path = format!("{}/secret", path_of(&webhook));
    let secret = platform.get(&path).await["secret"].clone();
    assert!(requests[1].is_signed_by(&[secret.as_str().expect("a secret")]));
    browser.end().await;
    platform.end().await;
}

/// Fills in the form with four wrong values: the URL, no event type, the first delay, the secret.
async fn fill_in_wrong_values(browser: &Browser) {
    browser.fill("Name", "Ünsafe “name” & <b>").await;
    browser.fill("Target URL", "ftp://example.com/").await;
    browser.check("Staging").await;
    browser.see("Must start with").await;
    browser.press(ADVANCED).await;
    browser.check("Custom").await;
    browser.fill("First delay", "soon").await;
    browser.see("First delay must be a time").await;
    browser.check("Use my own").await;
    browser.fill("Your secret", "hunter2").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn each_refused_value_is_reported_at_its_field() {
    let platform = Platform::new().await;
    let browser = platform.browser_at(FORM).await;

    fill_in_wrong_values(&browser).await;
    save_refused(&browser, 4).await;

    assert_eq!(
        browser.texts(".webhook .error:not([hidden])").await,
        [
            "Must start with https://.",
            "Choose at least one event type.",
            "Must start with whsec_.",
            "Must be a time such as 500ms, 10s, 30m, 12h or 7d.",
        ]
    );
    browser.end().await;
    platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_form_keeps_every_typed_value() {
    let platform = Platform::new().await;
    let browser = platform.browser_at(FORM).await;

    fill_in_wrong_values(&browser).await;
    save_refused(&browser, 4).await;

    for (field, value) in [
        ("#name", "Ünsafe “name” & <b>"),
        ("#url", "ftp://example.com/"),
        ("#retry-initial_interval_ms", "soon"),
        ("#secret", "hunter2"),
        ("input[name=environment]:checked", "staging"),
    ] {
        assert_eq!(typed(&browser, field).await, value, "{field}");
    }
    browser.end().await;
    platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_schedule_of_a_policy_is_drawn_while_an_admin_types() {
    let platform = Platform::new().await;
    let browser = platform.browser_at(FORM).await;

    browser.press(ADVANCED).await;
    browser.check("Custom").await;
    browser.see("12 attempts over 2 days 15 hours").await;
    browser.fill("Attempts", "3").await;
    browser.see("3 attempts over 50 seconds").await;
    browser.fill("Multiplier", "1").await;

    browser.see("3 attempts over 20 seconds").await;
    assert_eq!(browser.count("#retry-schedule circle").await, 3);
    browser.end().await;
    platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_by_another_admin_is_shown_and_typed_values_are_kept() {
    let platform = Platform::new().await;
    let webhook = platform.webhook("CRM").at(URL).create().await;
    let browser = edit(&platform, &webhook).await;

    browser.fill("Name", "Mine").await;
    platform.change(&webhook, &json!({"name": "Theirs"})).await;
    browser.press("Save webhook").await;
    browser
        .see("Somebody changed this webhook while you were editing it")
        .await;
    assert_eq!(browser.texts(".now dd").await, ["Theirs"]);
    assert_eq!(typed(&browser, "#name").await, "Mine");
    assert_eq!(platform.get(&webhook.path).await["name"], "Theirs");
    browser.press("Save anyway").await;

    browser.arrive(&webhook.page).await;
    assert_eq!(platform.get(&webhook.path).await["name"], "Mine");
    browser.end().await;
    platform.end().await;
}

/// Creates a webhook with values for every list of the form.
async fn create_with_lists(platform: &Platform) -> CreatedWebhook {
    let lists = json!({"headers": {"X-Kept": "1", "X-Gone": "2"},
        "metadata": {"team": "a", "old": "b"}, "event_types": ["license.*", "contract.created"],
        "timeout_ms": 1_500, "ordering": "by_key"});
    platform.webhook("CRM").at(URL).with(&lists).create().await
}

#[tokio::test(flavor = "multi_thread")]
async fn stored_values_are_kept_changed_and_removed_field_by_field() {
    let platform = Platform::new().await;
    let webhook = create_with_lists(&platform).await;
    let browser = edit(&platform, &webhook).await;

    browser.check("license.revoked").await;
    browser.see("8 of 9").await;
    browser.check("Remove x-gone").await;
    browser.press("Add header").await;
    browser.fill("Header 5", "X-New").await;
    browser.fill("Value of header 5", "3").await;
    browser.fill("Name 1", "renamed").await;
    browser.check("No ordering (fastest)").await;
    browser.press("Save webhook").await;
    browser.arrive(&webhook.page).await;

    let saved = platform.get(&webhook.path).await;
    assert_fields(
        &saved,
        &json!({"header_names": ["x-kept", "x-new"], "timeout_ms": 1_500, "ordering": "none",
            "metadata": {"renamed": "b", "team": "a"}}),
    );
    assert_eq!(saved["event_types"].as_array().map(Vec::len), Some(9));
    browser.end().await;
    platform.end().await;
}

/// Fills in headers and metadata with a wrong name, without a name and with the same name twice,
/// and a limit without a number.
async fn fill_in_wrong_pairs(browser: &Browser) {
    browser.press(ADVANCED).await;
    browser.fill("Header 1", "Host").await;
    browser.fill("Value of header 2", "42").await;
    browser.fill("Name 1", "team").await;
    browser.fill("Name 2", "team").await;
    browser.fill("Rate limit", "many").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_header_or_metadata_pair_is_reported_at_its_row() {
    let platform = Platform::new().await;
    let browser = platform.browser_at(FORM).await;

    fill_in_wrong_pairs(&browser).await;
    browser.press("Save webhook").await;
    browser.see("fields need your attention").await;

    assert_eq!(
        browser.texts(".row .error").await,
        [
            "Is set by the platform. Use another name.",
            "Must have 1 to 100 letters, digits or hyphens.",
            "Appears more than once.",
            "Appears more than once.",
        ]
    );
    let rate_limit = browser.text("#rate_limit-error").await;
    assert_eq!(rate_limit, "Must be a whole number.");
    browser.end().await;
    platform.end().await;
}

/// Sends the form twice at once, and returns the addresses of both answers.
const SEND_TWICE: &str = "const form = document.querySelector('form.webhook');
    const body = () => new URLSearchParams(new FormData(form));
    const send = () => fetch(form.action, {method: 'POST', body: body()});
    return Promise.all([send(), send()]).then((answers) => answers.map((answer) => answer.url));";

#[tokio::test(flavor = "multi_thread")]
async fn two_clicks_create_one_webhook() {
    let platform = Platform::new().await;
    let browser = platform.browser_at(FORM).await;
    browser.fill("Name", "Once").await;
    browser.fill("Target URL", URL).await;
    browser.check("All events").await;

    let led = browser.run(SEND_TWICE, vec![]).await;

    assert_eq!(led[0], led[1]);
    assert!(led[0].as_str().is_some_and(|url| url.ends_with("/test")));
    let list = platform.get("/api/v1/webhooks").await;
    assert_eq!(length_of(&list), 1);
    browser.end().await;
    platform.end().await;
}

/// Presses Tab until the focus is at the element of an accessible name.
async fn tab_to(browser: &Browser, label: &str) {
    for _ in 0..60 {
        if browser.focused().await == label {
            return;
        }
        browser.type_keys(TAB).await;
    }
    panic!("Tab does not lead to {label}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_webhook_is_created_with_the_keyboard_alone() {
    let platform = Platform::new().await;
    let browser = platform.browser_at(FORM).await;

    tab_to(&browser, "Name").await;
    browser.type_keys("Keys").await;
    tab_to(&browser, "Target URL").await;
    browser.type_keys(URL).await;
    tab_to(&browser, "Telemetry Events").await;
    browser.type_keys(SPACE).await;
    browser.see("2 of 2").await;
    tab_to(&browser, "Save webhook").await;
    browser.type_keys(ENTER).await;

    browser.see("“Keys” is saved").await;
    let webhook = stored(&platform, "Keys").await;
    assert_eq!(webhook["event_types"], json!(["telemetry.*"]));
    browser.end().await;
    platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_webhook_is_created_and_tested_without_scripts() {
    let platform = Platform::new().await;
    let browser = platform.plain_browser_at(FORM).await;

    browser.fill("Name", "Plain").await;
    browser.fill("Target URL", NOBODY).await;
    browser.check("License Events").await;
    browser.press("Save webhook").await;
    browser.see("“Plain” is saved").await;
    browser.press("Send test event").await;

    browser.see("Result").await;
    browser.see("firewall").await;
    let created = stored(&platform, "Plain").await;
    assert_eq!(created["event_types"], json!(["license.*"]));
    browser.end().await;
    platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_webhook_is_changed_and_activated_without_scripts() {
    let platform = Platform::new().await;
    let webhook = platform.webhook("Plain").types(&["license.*"]);
    let webhook = webhook.create().await;
    let browser = platform.plain_browser().await;

    browser.open(&format!("{}/edit", webhook.page)).await;
    browser.check("All events").await;
    browser.check("Active").await;
    browser.press("Save webhook").await;
    browser.arrive(&webhook.page).await;
    let inactive = platform.get(&webhook.path).await;
    browser.open(&format!("{}/test", webhook.page)).await;
    browser.press("Activate").await;
    browser.see("Send a test event").await;

    let saved = json!({"event_types": ["*"], "status": "inactive"});
    assert_fields(&inactive, &saved);
    assert_eq!(platform.get(&webhook.path).await["status"], "active");
    browser.end().await;
    platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deletion_is_confirmed_with_the_number_of_cancelled_deliveries() {
    let platform = Platform::new().await;
    let webhook = platform.webhook("CRM").create().await;
    platform.take_in(EventType::LicenseCreated).await;
    let browser = platform.browser().await;

    browser.press("Delete CRM").await;
    browser.see("1 pending delivery is cancelled").await;
    browser.press("Delete webhook").await;

    browser.arrive("/admin/webhooks").await;
    browser.see("“CRM” is deleted").await;
    platform.deliveries_become("cancelled", 1).await;
    browser.open(&format!("{}/edit", webhook.page)).await;
    browser.see("Not found").await;
    browser.end().await;
    platform.end().await;
}
