//! The preview beside the form of a webhook: messages as the services show them, and the very bytes.

use serde_json::{Value, json};
use webhook_domain::{Environment, EventType};
use webhook_tests::{Browser, FakeSlack, Platform, Receiver};

use super::accessibility::{axe, violations};

const NEW: &str = "/admin/webhooks/new";

/// The form of a webhook with this format, whose preview shows a failed activation.
fn form_in(format: &str) -> String {
    format!("{NEW}?format={format}&preview_of=activation.failed")
}

/// The body in the preview, byte for byte.
async fn body(browser: &Browser) -> String {
    let body = browser.property("#preview-body", "textContent").await;
    body.expect("a body")
}

/// Unfolds the body, which stays unfolded when the preview changes.
async fn unfold_body(browser: &Browser) {
    browser.press("Body, byte for byte").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_preview_follows_the_format_and_the_target_url() {
    let platform = Platform::new().await;
    let browser = platform.browser_at(NEW).await;

    let at_first = body(&browser).await;
    browser.choose("Format", "Discord message").await;
    let embed = browser.text(".message.discord .title").await;
    browser.choose("Format", "Teams card").await;
    let card = browser.text(".message.teams .large").await;
    browser
        .choose("Format", "Automatic (from the Target URL)")
        .await;
    browser
        .fill("Target URL", "hooks.slack.com/services/T0/B0/x")
        .await;
    let message = browser.text(".message.slack .title").await;

    assert!(
        at_first.contains(r#""type":"license.activated""#),
        "{at_first}"
    );
    assert_eq!([embed, card, message], ["License activated"; 3]);
    browser.end().await;
    platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_example_follows_the_selected_events_and_the_environment() {
    let platform = Platform::new().await;
    let browser = platform.browser_at(&form_in("slack")).await;
    let options = "optgroup:first-child option";

    let before = browser.count(options).await;
    browser.check("Staging").await;
    browser.see("[Staging] Activation failed").await;
    browser.check("product.created").await;
    browser
        .text("#preview_of optgroup[label^=Selected] option[value='product.created']")
        .await;
    let selected = browser.count(options).await;
    browser
        .choose("Show the message of", "product.created")
        .await;
    browser.see("[Staging] Product created").await;

    assert_eq!((before, selected), (EventType::ALL.len(), 1));
    browser.end().await;
    platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_of_the_log_is_shown_by_choice_and_by_its_id() {
    let (platform, receiver) = (Platform::new().await, Receiver::answering(&[]).await);
    platform.webhook_at(&receiver.url).await;
    let [listed, typed] = [(); 2].map(|()| platform.publish_fresh());
    let (listed, typed) = (listed.await.to_string(), typed.await.to_string());
    platform.deliveries_become("succeeded", 2).await;
    let browser = platform.browser_at(NEW).await;

    unfold_body(&browser).await;
    let option = format!("#preview_of option[value='{listed}']");
    let option = browser.property(&option, "text").await.expect("an option");
    browser.choose("Show the message of", &option).await;
    browser.see(&listed).await;
    let chosen = body(&browser).await;
    browser.fill("Or an event by its id", &typed).await;
    browser.see(&format!(r#""id":"{typed}""#)).await;

    let event: Value = serde_json::from_str(&chosen).expect("JSON");
    assert_eq!(event["id"], json!(listed));
    browser.end().await;
    platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_that_is_not_in_the_log_is_told() {
    let platform = Platform::new().await;
    let browser = platform.browser_at(NEW).await;
    let field = "Or an event by its id";

    browser
        .fill(field, "00000000-0000-0000-0000-000000000000")
        .await;
    browser.see("There is no such event.").await;
    browser.fill(field, "yesterday").await;
    browser.see("The event id must be a UUID").await;

    let status = browser.text("#preview-status").await;
    assert!(status.starts_with("The event id must be"), "{status}");
    browser.end().await;
    platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_preview_shows_what_slack_receives_for_the_same_event() {
    let (platform, slack) = (Platform::new().await, FakeSlack::start().await);
    let webhook = platform.webhook("Chat").at(&slack.url());
    let webhook = webhook.with(&json!({"format": "slack"})).create().await;
    let event = platform.publish_fresh().await;
    let messages = slack.arrived(1).await;
    let form = format!("{}/edit", webhook.path.replace("/api/v1", "/admin"));
    let browser = platform.browser_at(&form).await;

    unfold_body(&browser).await;
    browser
        .fill("Or an event by its id", &event.to_string())
        .await;
    let title = messages[0]["blocks"][0]["text"]["text"].as_str();
    let sent = String::from_utf8_lossy(&slack.requests()[0].body).into_owned();
    browser.see(&sent).await;

    assert_eq!(body(&browser).await, sent);
    assert_eq!(Some(browser.text(".slack .title").await.as_str()), title);
    let fields = messages[0]["blocks"][2]["fields"].as_array().map(Vec::len);
    assert_eq!(Some(browser.count(".slack .fields p").await), fields);
    browser.end().await;
    platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_scripts_a_button_shows_the_preview_and_nothing_typed_is_lost() {
    let platform = Platform::new().await;
    let browser = platform.plain_browser_at(NEW).await;

    browser.fill("Name", "Chat of the team").await;
    browser.choose("Format", "Teams card").await;
    browser.check("activation.failed").await;
    browser
        .choose("Show the message of", "activation.failed")
        .await;
    browser.press("Preview").await;
    let card = browser.text(".message.teams .large").await;

    let name = browser.property("#name", "value").await;
    assert_eq!(card, "Activation failed");
    assert_eq!(name.as_deref(), Some("Chat of the team"));
    assert_eq!(
        browser.count("[id='type-activation.failed']:checked").await,
        1
    );
    assert_eq!(platform.get("/api/v1/webhooks").await["data"], json!([]));
    browser.end().await;
    platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_drawn_message_has_no_violation_in_either_theme() {
    let platform = Platform::new().await;
    platform
        .publish(Environment::Production, EventType::LicenseActivated)
        .await;
    let browser = platform.browser().await;

    let mut wrong = Vec::new();
    for format in ["slack", "discord", "teams", "cloudevents"] {
        browser.open(&form_in(format)).await;
        let unfold =
            "for (const fold of document.querySelectorAll('.preview details')) fold.open = true";
        browser.run(unfold, vec![]).await;
        let found = violations(&browser, axe()).await;
        wrong.extend(found.iter().map(|one| format!("{format}: {one}")));
    }

    assert_eq!(wrong, [""; 0]);
    browser.end().await;
    platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn looking_at_a_preview_is_no_change_of_the_form() {
    let platform = Platform::new().await;
    let browser = platform.browser_at(&form_in("discord")).await;

    browser
        .choose("Show the message of", "license.revoked")
        .await;
    browser.see("License revoked").await;
    browser.press("Cancel").await;

    browser.arrive("/admin/webhooks").await;
    browser.end().await;
    platform.end().await;
}
