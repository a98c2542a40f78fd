use reqwest::{Method, Response};
use scraper::{Html, Selector};
use serde_json::{Value, json};
use url::form_urlencoded::Serializer;
use webhook_tests::{Platform, Visitor, path_of};

/// A webhook with a hostile name and description, and with metadata outside ASCII.
fn odd_webhook(url: &str) -> Value {
    json!({"name": "Ä \"CRM\"", "url": url, "environment": "staging", "event_types": ["*"],
        "description": "  lines\r\n\tof \u{202e} text  ", "metadata": {"é": "ü".repeat(500)},
        "headers": {"X-Token": "a b"}})
}

/// A URL of `letters` umlauts, each of which takes six bytes in percent-encoding.
fn long_url(letters: usize) -> String {
    format!("https://example.com/{}", "ä".repeat(letters))
}

/// The umlauts of the longest URL that the API takes.
const LONGEST: usize = (2_048 - 20) / 6;

#[tokio::test(flavor = "multi_thread")]
async fn a_url_that_is_too_long_is_refused_with_its_length() {
    let platform = Platform::new().await;
    let webhook = odd_webhook(&long_url(600));

    let (refused, told) = platform.post("/api/v1/webhooks", &webhook).await;

    assert_eq!(refused, 422);
    let reason = told["errors"][0]["reason"].as_str().expect("a reason");
    assert!(reason.contains("has 3620"), "{told}");
    platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_put_takes_back_a_webhook_as_shown_by_the_api() {
    let platform = Platform::new().await;
    let webhook = odd_webhook(&long_url(LONGEST));
    let (created, made) = platform.post("/api/v1/webhooks", &webhook).await;
    assert_eq!(created, 201, "{made}");
    let path = path_of(&made);

    let read = platform.get(&path).await;
    let mut again = odd_webhook(read["url"].as_str().expect("a URL"));
    again["description"] = read["description"].clone();
    let put = platform.ask(Method::PUT, &path, Some(again.to_string()));
    let (put, answer) = put.await;

    assert_eq!(put, 200, "{answer}");
    platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_export_is_taken_back_by_an_import_into_any_environment() {
    let platform = Platform::new().await;
    let webhook = odd_webhook(&long_url(LONGEST));
    let (created, made) = platform.post("/api/v1/webhooks", &webhook).await;
    assert_eq!(created, 201, "{made}");

    let export = "/api/v1/webhooks/export?environment=staging&secrets=true";
    let export = platform.get(export).await;

    for environment in ["staging", "production"] {
        let import = format!("/api/v1/webhooks/import?environment={environment}");
        let (imported, result) = platform.post(&import, &export).await;
        assert_eq!(imported, 200, "{result}");
    }
    platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn port_0_is_refused_when_a_webhook_is_saved() {
    let platform = Platform::new().await;
    let sentence = "no server can listen on port 0. Leave the port out or use 1 to 65535";
    let webhook = |url: &str| json!({"name": "CRM", "url": url, "environment": "staging", "event_types": ["*"]});

    let wrong = webhook("https://example.com:0/");
    let (refused, told) = platform.post("/api/v1/webhooks", &wrong).await;
    let dotted = webhook("https://example.com./x");
    let (created, made) = platform.post("/api/v1/webhooks", &dotted).await;
    let path = path_of(&made);
    let change = json!({"url": "https://example.com:0/"});
    let (unchanged, _) = platform.patch(&path, &change).await;

    assert_eq!(refused, 422);
    assert_eq!(
        told["errors"],
        json!([{"field": "url", "reason": sentence}])
    );
    assert_eq!(created, 201, "{made}");
    assert_eq!(unchanged, 422);
    platform.end().await;
}

/// The path of the form for a new webhook.
const FORM: &str = "/admin/webhooks/new";

/// The values of the form's hidden fields `csrf` and `key`.
async fn hidden_fields(visitor: &Visitor) -> [String; 2] {
    let page = visitor.get(FORM).await.text().await.expect("text");
    let page = Html::parse_document(&page);
    ["csrf", "key"].map(|name| {
        let selector = format!("form[action='{FORM}'] input[name='{name}']");
        let selector = Selector::parse(&selector).expect("a selector");
        let field = page
            .select(&selector)
            .next()
            .expect("the form has the field");
        field.attr("value").expect("with a value").to_owned()
    })
}

/// Sends the form for a new webhook at `url`.
async fn send_form(visitor: &Visitor, url: &str) -> Response {
    let [csrf, key] = hidden_fields(visitor).await;
    let fields = [
        ("csrf", csrf.as_str()),
        ("key", &key),
        ("name", "CRM"),
        ("url", url),
        ("environment", "staging"),
        ("status", "active"),
        ("events", "all"),
    ];
    let body = Serializer::new(String::new()).extend_pairs(fields).finish();
    visitor.post(FORM, body).await
}

#[tokio::test(flavor = "multi_thread")]
async fn the_portals_form_says_at_its_field_that_port_0_is_refused() {
    let platform = Platform::new().await;
    let visitor = Visitor::sign_in(&platform.api, &platform.key).await;

    let refused = send_form(&visitor, "https://example.com:0/").await;

    assert_eq!(refused.status(), 422);
    let page = Html::parse_document(&refused.text().await.expect("text"));
    let at_field = Selector::parse("#url-error").expect("a selector");
    let told = page.select(&at_field).next().expect("the field is marked");
    let told: String = told.text().collect();
    let sentence = "No server can listen on port 0.";
    assert!(told.contains(sentence), "{told}");
    platform.end().await;
}
