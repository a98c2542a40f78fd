//! The users' guide, step by step: each name that the guide quotes is on the page where the guide says so.

use serde_json::json;
use webhook_domain::{Environment, EventType};
use webhook_tests::{Browser, FakeSlack, Platform, Receiver};

/// The names that the guide quotes, by page. `{webhook}` stands for the page of a webhook.
const NAMES: [(&str, &[&str]); 8] = [
    (
        "/admin/webhooks",
        &[
            "Webhooks",
            "Create Webhook",
            "Search",
            "Name",
            "URL",
            "Environment",
            "Events",
            "Status",
            "Actions",
            "Active",
            "Edit",
            "Delete",
            "Webhook Deliveries",
            "Settings",
        ],
    ),
    (
        "/admin/webhooks/new",
        &[
            "Name",
            "Target URL",
            "Environment",
            "Production",
            "Staging",
            "Development",
            "Webhook Secret",
            "Description",
            "Status",
            "Active",
            "Event Selection",
            "License Events",
            "Activation Events",
            "Contract Events",
            "Save",
            "outgoing IP addresses",
        ],
    ),
    (
        "{webhook}/edit",
        &[
            "Target URL",
            "Webhook Secret",
            "Generate New Secret",
            "Active",
            "Event Selection",
            "Save",
        ],
    ),
    (
        "{webhook}",
        &[
            "Active",
            "Edit",
            "Delete",
            "Event Selection",
            "Webhook Secret",
            "outgoing IP addresses",
        ],
    ),
    (
        "{webhook}/secret",
        &[
            "Webhook Secret",
            "Generate New Secret",
            "outgoing IP addresses",
            "X-Webhook-Signature",
        ],
    ),
    (
        "/admin/webhook-deliveries",
        &["Webhook Deliveries", "Response", "Retry"],
    ),
    (
        "/admin/settings/retry-policies",
        &["Settings", "default webhook retry policies"],
    ),
    (
        "/admin/event-types/verifying",
        &["X-Webhook-Signature", "whsec_"],
    ),
];

/// What a page says: text, and names for screen readers. Labels are compared without regard to the first
/// letter's case, as "Outgoing IP addresses" begins a sentence.
const SAID: &str = "
    const names = [...document.querySelectorAll('[aria-label], input[placeholder]')];
    return document.body.textContent + ' ' + names.map(e => e.ariaLabel ?? e.placeholder).join(' ')";

async fn assert_says(browser: &Browser, page: &str, name: &str) {
    let said = browser.run(SAID, vec![]).await;
    let said = said.as_str().expect("text");
    let words: Vec<&str> = said.split_whitespace().collect();
    let said = words.join(" ");
    let capital = name[..1].to_uppercase() + &name[1..];
    assert!(
        said.contains(name) || said.contains(&capital),
        "{page} does not say “{name}”"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn each_name_of_the_guide_is_on_its_page() {
    let platform = Platform::new().await;
    let webhook = platform
        .webhook("Receiver")
        .at("https://hooks.example.com/in")
        .create()
        .await;
    let browser = platform.browser().await;

    for (page, names) in NAMES {
        let page = page.replace("{webhook}", &webhook.page);
        browser.open(&page).await;
        for name in names {
            assert_says(&browser, &page, name).await;
        }
    }
    browser.end().await;
    platform.end().await;
}

/// Workflow 1 up to the real event: a webhook for two types of activation events.
#[tokio::test(flavor = "multi_thread")]
async fn an_activation_alert_is_created_as_the_guide_says() {
    let platform = Platform::new().await;
    let receiver = Receiver::answering(&[]).await;
    let browser = platform.browser().await;

    browser.press("Create Webhook").await;
    browser.fill("Name", "Activation Alerts").await;
    browser.fill("Target URL", &receiver.url).await;
    browser.check("Production").await;
    browser.check("activation.created").await;
    browser.check("activation.failed").await;
    browser.press("Save webhook").await;
    browser.see("“Activation Alerts” is saved").await;
    platform
        .publish(Environment::Production, EventType::ActivationFailed)
        .await;

    platform.deliveries_become("succeeded", 1).await;
    let list = platform.get("/api/v1/webhooks").await;
    let types = json!(["activation.created", "activation.failed"]);
    assert_eq!(list["data"][0]["event_types"], types);
    browser.end().await;
    platform.end().await;
}

/// Workflow 1 with Slack, from the empty list to the message in the channel.
#[tokio::test(flavor = "multi_thread")]
async fn an_activation_alert_arrives_in_slack() {
    let (platform, slack) = (Platform::new().await, FakeSlack::start().await);
    let browser = platform.browser().await;

    browser.press("Create Webhook").await;
    browser.fill("Name", "Activation Alerts").await;
    browser.fill("Target URL", &slack.url()).await;
    // The host of the fake is not Slack's, which the form would recognise.
    browser.choose("Format", "Slack message").await;
    browser.check("Production").await;
    browser.check("activation.created").await;
    browser.check("activation.failed").await;
    browser.press("Save webhook").await;
    browser.see("“Activation Alerts” is saved").await;
    platform
        .publish(Environment::Production, EventType::ActivationFailed)
        .await;

    let messages = slack.arrived(1).await;
    assert!(
        messages[0].to_string().contains("Activation failed"),
        "{messages:?}"
    );
    platform.deliveries_become("succeeded", 1).await;
    browser.end().await;
    platform.end().await;
}

/// A URL of Slack's own host makes the format without a choice.
#[tokio::test(flavor = "multi_thread")]
async fn a_slack_url_alone_makes_a_webhook_of_slack_messages() {
    let platform = Platform::new().await;
    let browser = platform.browser().await;

    browser.press("Create Webhook").await;
    browser.fill("Name", "Alerts").await;
    browser
        .fill("Target URL", "hooks.slack.com/services/T0/B0/secret")
        .await;
    browser.check("activation.failed").await;
    browser.see("By this URL: Slack message.").await;
    browser.press("Save webhook").await;
    browser.see("“Alerts” is saved").await;

    let list = platform.get("/api/v1/webhooks").await;
    assert_eq!(list["data"][0]["format"], "slack");
    browser.end().await;
    platform.end().await;
}

/// Workflow 2: another endpoint and another secret, in the order of the guide.
#[tokio::test(flavor = "multi_thread")]
async fn an_endpoint_is_updated_as_the_guide_says() {
    let platform = Platform::new().await;
    let webhook = platform
        .webhook("CRM")
        .at("https://old.example.com/in")
        .create()
        .await;
    let browser = platform.browser().await;

    browser.fill("Search", "CRM").await;
    browser.press("Edit CRM").await;
    browser
        .fill("Target URL", "https://new.example.com/in")
        .await;
    browser.press("Generate New Secret").await;
    browser.see("New Webhook Secret").await;
    browser.press("Save webhook").await;
    browser.see("“CRM” is saved").await;

    let secret = platform.get(&format!("{}/secret", webhook.path)).await;
    let stored = platform.get(&webhook.path).await;
    assert_eq!(stored["url"], "https://new.example.com/in");
    assert_ne!(secret["secret"], json!(webhook.secret));
    browser.end().await;
    platform.end().await;
}

/// A healthy webhook of staging, and a webhook of production whose only delivery has failed with 500.
async fn with_failing_webhook() -> Platform {
    let platform = Platform::new().await;
    let receiver = Receiver::answering(&[500]).await;
    let healthy = platform.webhook("Healthy").environment("staging");
    healthy.create().await;
    let broken = platform.webhook("Broken").at(&receiver.url).once();
    broken.create().await;
    platform
        .publish(Environment::Production, EventType::LicenseCreated)
        .await;
    platform.deliveries_become("failed", 1).await;
    platform
}

/// Troubleshooting: the failing webhook, its deliveries and their response codes.
#[tokio::test(flavor = "multi_thread")]
async fn a_failing_webhook_and_the_reason_are_found_from_the_list() {
    let platform = with_failing_webhook().await;
    let browser = platform.browser_at("/admin/webhooks?health=failing").await;

    let list = browser.see("1 webhook ").await;
    browser.press("Broken").await;
    browser.see("500").await;
    browser
        .open("/admin/webhook-deliveries?status=failed")
        .await;
    browser.see("500").await;

    assert!(list.contains("Broken"), "{list}");
    browser.end().await;
    platform.end().await;
}
