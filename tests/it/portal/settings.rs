//! The settings of the whole platform, shown and changed.

use serde_json::json;
use webhook_tests::Platform;

const SETTINGS: &str = "/admin/settings";
const POLICIES: &str = "/admin/settings/retry-policies";

#[tokio::test(flavor = "multi_thread")]
async fn an_owner_confirms_a_shorter_retention_that_deletes_rows() {
    let platform = Platform::new().await;
    let browser = platform.browser_at(SETTINGS).await;

    browser.fill("Requests and responses", "2d").await;
    browser.fill("Outgoing IP addresses", "203.0.113.7").await;
    browser.press("Save settings").await;
    browser.see("more than 2 days ago").await;
    let before = platform.get("/api/v1/settings").await;
    browser.press("Back to the settings").await;
    browser.fill("Grace period", "12h").await;
    browser.press("Save settings").await;
    browser.press("Save and delete").await;
    browser.see("The settings are saved.").await;

    let after = platform.get("/api/v1/settings").await;
    assert_eq!(before["retention"]["bodies"], "7d");
    assert_eq!(after["retention"]["bodies"], "2d");
    assert_eq!(after["default_grace_period"], "12h");
    assert_eq!(after["egress_addresses"], json!(["203.0.113.7"]));
    browser.end().await;
    platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn each_wrong_value_is_reported_at_its_field_and_typed_values_stay() {
    let platform = Platform::new().await;
    let browser = platform.browser_at(SETTINGS).await;

    browser.fill("Events", "soon").await;
    browser.fill("Grace period", "8d").await;
    browser
        .fill("Outgoing IP addresses", "10.0.0.0/8\nmoon")
        .await;
    browser.press("Save settings").await;

    browser.see("3 fields need your attention").await;
    assert!(browser.focused().await.contains("need your attention"));
    let events = browser.text("[id='retention.events-error']").await;
    assert!(events.starts_with("Must be a time such as"), "{events}");
    let grace = browser.text("#default_grace_period-error").await;
    assert_eq!(grace, "Must be 0 to 7d.");
    let addresses = browser.text("#egress_addresses-error").await;
    assert!(addresses.starts_with("“moon” must be an IP address"));
    let typed = browser.property("#egress_addresses", "value").await;
    assert_eq!(typed.as_deref(), Some("10.0.0.0/8\nmoon"));
    browser.end().await;
    platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_by_another_owner_is_shown_and_not_overwritten() {
    let platform = Platform::new().await;
    let browser = platform.browser_at(SETTINGS).await;
    let theirs = json!({"disable_after": "3d"});
    assert_eq!(platform.patch("/api/v1/settings", &theirs).await.0, 200);

    browser.fill("Set Inactive after", "10d").await;
    browser.press("Save settings").await;

    browser.see("Saved now: 3d").await;
    let settings = platform.get("/api/v1/settings").await;
    assert_eq!(settings["disable_after"], "3d");
    browser.press("Save settings").await;
    browser.see("The settings are saved.").await;
    let settings = platform.get("/api/v1/settings").await;
    assert_eq!(settings["disable_after"], "10d");
    browser.end().await;
    platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_admin_sees_the_settings_and_no_button_that_would_be_refused() {
    let platform = Platform::new().await;
    let browser = platform.browser_of("admin").await;

    browser.open(SETTINGS).await;
    browser.see("Audit log 365 days").await;
    assert!(!browser.says("Save settings").await);
    assert!(!browser.says("API keys").await);
    browser.press("Retry policies").await;
    browser.see("12 attempts over").await;
    assert!(!browser.says("Edit").await);
    browser.open("/admin/settings/api-keys").await;

    browser.see("Not allowed").await;
    browser.end().await;
    platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_retry_policy_is_drawn_while_an_owner_types_and_then_saved() {
    let platform = Platform::new().await;
    let browser = platform.browser_at(POLICIES).await;

    browser.press("Edit the policy of staging").await;
    browser.fill("Attempts", "4").await;
    browser.fill("First delay", "later").await;
    browser.see("First delay must be a time").await;
    browser.fill("First delay", "1m").await;
    browser.see("4 attempts over 21 minutes").await;
    browser.press("Save policy").await;

    browser.see("The retry policy of staging is saved.").await;
    browser.arrive(POLICIES).await;
    let policies = platform.get("/api/v1/retry-policies").await;
    let staging = policies["data"].as_array().into_iter().flatten();
    let mut staging = staging.filter(|policy| policy["environment"] == "staging");
    let staging = staging.next().map(|policy| &policy["schedule_ms"]);
    assert_eq!(staging, Some(&json!([60_000, 240_000, 960_000])));
    browser.end().await;
    platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn settings_are_changed_without_scripts() {
    let platform = Platform::new().await;
    let browser = platform.plain_browser_at(SETTINGS).await;

    browser.fill("Audit log", "10d").await;
    browser.press("Save settings").await;
    browser.press("Save and delete").await;
    browser.see("The settings are saved.").await;
    browser
        .open("/admin/settings/retry-policies/production")
        .await;
    browser.fill("Jitter", "2").await;
    browser.press("Save policy").await;

    browser.see("Must be 0 to 1.").await;
    let settings = platform.get("/api/v1/settings").await;
    assert_eq!(settings["retention"]["audit"], "10d");
    browser.end().await;
    platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_address_of_the_portal_is_saved_refused_in_place_and_taken_away() {
    let platform = Platform::new().await;
    let browser = platform.browser_at(SETTINGS).await;
    let address = "Address of this portal";

    browser.fill(address, "https://a.example/admin").await;
    browser.press("Save settings").await;
    browser.see("nothing after the host").await;
    let typed = browser.property("#portal_url", "value").await;
    browser.fill(address, "https://a.example").await;
    browser.press("Save settings").await;
    browser.see("The settings are saved.").await;
    let saved = platform.get("/api/v1/settings").await;
    browser.fill(address, "").await;
    browser.press("Save settings").await;
    browser.see("The settings are saved.").await;
    let cleared = platform.get("/api/v1/settings").await;

    assert_eq!(typed.as_deref(), Some("https://a.example/admin"));
    assert_eq!(saved["portal_url"], "https://a.example");
    assert_eq!(cleared["portal_url"], json!(null));
    browser.end().await;
    platform.end().await;
}
