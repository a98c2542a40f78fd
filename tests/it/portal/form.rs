//! The form of a webhook: made, refused, changed, deleted.

use serde_json::json;
use webhook_domain::{Environment, EventType, SigningSecret, sign};
use webhook_tests::{Browser, Platform, Received, Receiver};

const TAB: &str = "\u{e004}";
const SPACE: &str = " ";
const ENTER: &str = "\u{e007}";

/// The webhook that the API has under this name.
async fn stored(platform: &Platform, name: &str) -> serde_json::Value {
    let list = platform
        .get(&format!("/api/v1/webhooks?search={name}"))
        .await;
    list["data"][0].clone()
}

/// Whether a request is signed with this secret alone.
fn is_signed(request: &Received, secret: &str) -> bool {
    let secret = SigningSecret::parse(secret).expect("a secret");
    let id = request.headers["webhook-id"].parse().expect("an id");
    let at = request.headers["webhook-timestamp"]
        .parse()
        .expect("a time");
    let expected = sign([&secret].into_iter(), id, at, &request.body);
    request.headers["webhook-signature"] == expected.standard
}

#[tokio::test(flavor = "multi_thread")]
async fn an_activation_alert_is_set_up_tested_and_gets_the_real_event() {
    let platform = Platform::new().await;
    let receiver = Receiver::answering(&[]).await;
    let browser = Browser::new(&platform.api).await;
    browser.sign_in(&platform.key).await;

    browser.press("Create the first webhook").await;
    browser.fill("Name", "Activations").await;
    browser.fill("Target URL", &receiver.url).await;
    browser.fill("Find a type", "license.activated").await;
    browser.see("1 type fits.").await;
    browser.check("license.activated").await;
    browser.see("1 of 9").await;
    browser.press("Save webhook").await;
    browser.see("“Activations” is saved").await;
    browser.press("Send test event").await;
    browser.see("The receiver answered 200").await;
    let event = platform
        .publish(Environment::Production, EventType::LicenseActivated)
        .await;

    let webhook = stored(&platform, "Activations").await;
    assert_eq!(webhook["event_types"], json!(["license.activated"]));
    let arrived = async || receiver.received().into_iter().nth(1);
    let request = platform.world.eventually("it arrives", arrived).await;
    assert_eq!(request.headers["webhook-id"], event.to_string());
    let path = webhook_tests::path_of(&webhook);
    let secret = platform.get(&format!("{path}/secret")).await;
    assert!(is_signed(&request, secret["secret"].as_str().expect("one")));
    browser.end().await;
    platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_refused_is_told_at_its_field_and_nothing_typed_is_lost() {
    let platform = Platform::new().await;
    let browser = Browser::new(&platform.api).await;
    browser.sign_in(&platform.key).await;
    browser.open("/admin/webhooks/new").await;

    browser.fill("Name", "Ünsafe “name” & <b>").await;
    browser.fill("Target URL", "ftp://example.com/").await;
    browser.check("Staging").await;
    browser.see("Must start with").await;
    browser.check("Custom").await;
    browser.fill("First delay", "soon").await;
    browser.see("First delay must be a time").await;
    browser.check("Use my own").await;
    browser.fill("Your secret", "hunter2").await;
    browser.press("Save webhook").await;

    browser.see("4 fields need your attention").await;
    assert_eq!(
        browser.texts(".webhook .error:not([hidden])").await,
        [
            "Must start with https://.",
            "Choose at least one event type.",
            "Must be a time such as 500ms, 10s, 30m, 12h or 7d.",
            "Must start with whsec_.",
        ]
    );
    let typed = async |css: &str| browser.property(css, "value").await.unwrap_or_default();
    assert_eq!(typed("#name").await, "Ünsafe “name” & <b>");
    assert_eq!(typed("#url").await, "ftp://example.com/");
    assert_eq!(typed("#retry-initial_interval_ms").await, "soon");
    assert_eq!(typed("#secret").await, "hunter2");
    assert_eq!(typed("input[name=environment]:checked").await, "staging");
    browser.end().await;
    platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_schedule_of_a_policy_is_drawn_as_one_types() {
    let platform = Platform::new().await;
    let browser = Browser::new(&platform.api).await;
    browser.sign_in(&platform.key).await;
    browser.open("/admin/webhooks/new").await;

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
async fn a_change_that_came_between_is_shown_and_what_was_typed_is_kept() {
    let platform = Platform::new().await;
    let path = platform.webhook_at("https://hooks.example.com/in").await;
    let page = path.replace("/api/v1", "/admin");
    let browser = Browser::new(&platform.api).await;
    browser.sign_in(&platform.key).await;
    browser.open(&format!("{page}/edit")).await;

    browser.fill("Name", "Mine").await;
    platform.patch(&path, &json!({"name": "Theirs"})).await;
    browser.press("Save webhook").await;
    browser
        .see("Somebody changed this webhook while you were editing it")
        .await;
    assert_eq!(browser.texts(".now dd").await, ["Theirs"]);
    assert_eq!(
        browser.property("#name", "value").await.as_deref(),
        Some("Mine")
    );
    assert_eq!(platform.get(&path).await["name"], "Theirs");
    browser.press("Save anyway").await;

    browser.arrive(&page).await;
    assert_eq!(platform.get(&path).await["name"], "Mine");
    browser.end().await;
    platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_stored_is_kept_changed_and_taken_away_field_by_field() {
    let platform = Platform::new().await;
    let path = platform.webhook_at("https://hooks.example.com/in").await;
    let all = json!({"headers": {"X-Kept": "1", "X-Gone": "2"}, "metadata": {"team": "a", "old": "b"},
        "event_types": ["license.*", "contract.created"], "timeout_ms": 1_500, "ordering": "by_key"});
    platform.patch(&path, &all).await;
    let page = path.replace("/api/v1", "/admin");
    let browser = Browser::new(&platform.api).await;
    browser.sign_in(&platform.key).await;
    browser.open(&format!("{page}/edit")).await;

    browser.check("license.revoked").await;
    browser.see("8 of 9").await;
    browser.check("Remove x-gone").await;
    browser.press("Add header").await;
    browser.fill("Header 5", "X-New").await;
    browser.fill("Value of header 5", "3").await;
    browser.fill("Name 1", "renamed").await;
    browser.check("No ordering (fastest)").await;
    browser.press("Save webhook").await;
    browser.arrive(&page).await;

    let webhook = platform.get(&path).await;
    assert_eq!(webhook["header_names"], json!(["x-kept", "x-new"]));
    assert_eq!(webhook["metadata"], json!({"renamed": "b", "team": "a"}));
    assert_eq!(webhook["event_types"].as_array().map(Vec::len), Some(9));
    assert_eq!(
        (&webhook["timeout_ms"], &webhook["ordering"]),
        (&json!(1_500), &json!("none"))
    );
    browser.end().await;
    platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pair_that_is_refused_is_told_at_its_row() {
    let platform = Platform::new().await;
    let browser = Browser::new(&platform.api).await;
    browser.sign_in(&platform.key).await;
    browser.open("/admin/webhooks/new").await;

    browser
        .press("Advanced Headers, metadata, timeout, limits, order")
        .await;
    browser.fill("Header 1", "Host").await;
    browser.fill("Value of header 2", "42").await;
    browser.fill("Name 1", "team").await;
    browser.fill("Name 2", "team").await;
    browser.fill("Requests per second", "many").await;
    browser.press("Save webhook").await;
    browser.see("fields need your attention").await;

    assert_eq!(
        browser.texts(".row .error").await,
        [
            "Is set by the platform.",
            "Must have 1 to 100 letters, digits or hyphens.",
            "Appears more than once.",
            "Appears more than once.",
        ]
    );
    assert_eq!(
        browser.text("#rate_limit-error").await,
        "Must be a whole number."
    );
    browser.end().await;
    platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_clicks_make_one_webhook() {
    let platform = Platform::new().await;
    let browser = Browser::new(&platform.api).await;
    browser.sign_in(&platform.key).await;
    browser.open("/admin/webhooks/new").await;
    browser.fill("Name", "Once").await;
    browser
        .fill("Target URL", "https://hooks.example.com/in")
        .await;
    browser.check("All events").await;

    let twice = "const form = document.querySelector('form.webhook');
        const send = () => fetch(form.action, {method: 'POST', body: new URLSearchParams(new FormData(form))});
        return Promise.all([send(), send()]).then((answers) => answers.map((answer) => answer.url));";
    let led = browser.run(twice, vec![]).await;

    assert_eq!(led[0], led[1]);
    assert!(led[0].as_str().is_some_and(|url| url.ends_with("/test")));
    let list = platform.get("/api/v1/webhooks").await;
    assert_eq!(list["data"].as_array().map(Vec::len), Some(1));
    browser.end().await;
    platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_webhook_is_made_with_the_keyboard_alone() {
    let platform = Platform::new().await;
    let browser = Browser::new(&platform.api).await;
    browser.sign_in(&platform.key).await;
    browser.open("/admin/webhooks/new").await;
    let go_to = async |label: &str| {
        for _ in 0..60 {
            if browser.focused().await == label {
                return;
            }
            browser.type_keys(TAB).await;
        }
        panic!("Tab does not lead to {label}");
    };

    go_to("Name").await;
    browser.type_keys("Keys").await;
    go_to("Target URL").await;
    browser.type_keys("https://hooks.example.com/in").await;
    go_to("Telemetry Events").await;
    browser.type_keys(SPACE).await;
    browser.see("2 of 2").await;
    go_to("Save webhook").await;
    browser.type_keys(ENTER).await;

    browser.see("“Keys” is saved").await;
    let webhook = stored(&platform, "Keys").await;
    assert_eq!(webhook["event_types"], json!(["telemetry.*"]));
    browser.end().await;
    platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_webhook_is_made_and_changed_without_scripts() {
    let platform = Platform::new().await;
    let browser = Browser::without_scripts(&platform.api).await;
    browser.sign_in(&platform.key).await;
    browser.open("/admin/webhooks/new").await;

    browser.fill("Name", "Plain").await;
    browser.fill("Target URL", "http://127.0.0.1:9/").await;
    browser.check("License Events").await;
    browser.press("Save webhook").await;
    browser.see("“Plain” is saved").await;
    browser.press("Send test event").await;
    browser.see("Result").await;
    browser.see("firewall").await;
    let made = stored(&platform, "Plain").await;
    let page = format!("/admin/webhooks/{}", made["id"].as_str().expect("an id"));
    browser.open(&format!("{page}/edit")).await;
    browser.check("All events").await;
    browser.check("Inactive").await;
    browser.press("Save webhook").await;
    browser.arrive(&page).await;
    browser.open(&format!("{page}/test")).await;
    browser.press("Activate").await;
    browser.see("Send a test event").await;

    assert_eq!(made["event_types"], json!(["license.*"]));
    let changed = stored(&platform, "Plain").await;
    assert_eq!(changed["event_types"], json!(["*"]));
    assert_eq!(changed["status"], "active");
    browser.end().await;
    platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn deleting_says_what_is_cancelled_and_asks_first() {
    let platform = Platform::new().await;
    let path = platform.webhook_at("http://127.0.0.1:9/").await;
    let page = path.replace("/api/v1", "/admin");
    let event = platform
        .publish(Environment::Production, EventType::LicenseCreated)
        .await;
    platform.taken_in(event).await;
    let browser = Browser::new(&platform.api).await;
    browser.sign_in(&platform.key).await;

    browser.press("Delete Receiver").await;
    browser.see("1 pending delivery is cancelled").await;
    browser.press("Delete webhook").await;

    browser.arrive("/admin/webhooks").await;
    browser.see("“Receiver” is deleted").await;
    let cancelled = async || (platform.count("cancelled").await == 1).then_some(());
    platform
        .world
        .eventually("it is cancelled", cancelled)
        .await;
    browser.open(&format!("{page}/edit")).await;
    browser.see("Not found").await;
    browser.end().await;
    platform.end().await;
}
