//! Where one is, and how one gets elsewhere: sections, problem pages, addresses.

use reqwest::header::LOCATION;
use webhook_tests::{Platform, Visitor};

#[tokio::test(flavor = "multi_thread")]
async fn jobs_audit_log_and_api_docs_are_in_the_navigation() {
    let platform = Platform::new().await;
    let browser = platform.browser().await;

    for (section, path) in [("Jobs", "/admin/jobs"), ("Audit log", "/admin/audit")] {
        browser.press(section).await;
        browser.arrive(path).await;
        assert_eq!(browser.text("nav [aria-current=page]").await, section);
    }
    browser.press("API docs").await;

    browser.arrive("/api/docs/").await;
    browser.end().await;
    platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_page_leads_to_another_key_and_back() {
    let platform = Platform::new().await;
    let browser = platform.browser_of("viewer").await;

    browser.open("/admin/webhooks/new").await;
    browser.see("Not allowed").await;
    browser.see("has the role Viewer").await;
    browser.press("Sign in with another key").await;
    browser.fill("API key", &platform.key).await;
    browser.press("Sign in").await;

    browser.arrive("/admin/webhooks/new").await;
    browser.end().await;
    platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_that_is_not_there_leads_to_every_section() {
    let platform = Platform::new().await;
    let browser = platform.browser_at("/admin/nowhere").await;

    browser.see("Not found").await;
    browser.press("Events").await;

    browser.arrive("/admin/events").await;
    browser.end().await;
    platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn slashes_at_the_end_of_an_address_lead_to_the_page() {
    let platform = Platform::new().await;
    let visitor = Visitor::sign_in(&platform.api, &platform.key).await;

    for (asked, page) in [
        ("/admin/webhooks/", "/admin/webhooks"),
        ("/admin/webhooks/?a=b", "/admin/webhooks?a=b"),
        ("/admin/settings/api-keys//", "/admin/settings/api-keys"),
        ("/admin//", "/admin"),
    ] {
        let answer = visitor.get(asked).await;
        assert_eq!(answer.status(), 308, "{asked}");
        assert_eq!(answer.headers()[LOCATION], page);
    }
    let unknown = visitor.get("/admin/nowhere").await;
    assert_eq!(unknown.status(), 404);
    platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_sign_stands_between_the_steps_of_a_trail() {
    let platform = Platform::new().await;
    let webhook = platform.webhook("CRM").create().await;
    let browser = platform.browser().await;
    let of_webhook = ["replay", "secret", "test", "diagnosis"];
    let mut pages = of_webhook
        .map(|page| format!("{}/{page}", webhook.page))
        .to_vec();
    pages.push(format!("/admin/audit?webhook_id={}", webhook.id));

    for page in pages {
        browser.open(&page).await;
        let trail = browser.text(".trail").await;
        assert!(
            trail.contains(" / ") && !trail.contains('›'),
            "{page}: {trail}"
        );
    }
    browser.end().await;
    platform.end().await;
}
