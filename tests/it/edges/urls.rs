use reqwest::Method;
use scraper::{Html, Selector};
use serde_json::json;
use url::form_urlencoded::Serializer;
use webhook_tests::{Platform, Visitor};

#[tokio::test(flavor = "multi_thread")]
async fn what_the_api_gave_out_it_takes_back() {
    let platform = Platform::new().await;
    let long = |path: &str| format!("https://example.com/{path}");
    let too_long = long(&"ä".repeat(600));
    let longest = long(&"ä".repeat((2_048 - 20) / 6));

    let webhook = |url: &str| {
        json!({"name": "Ä \"CRM\"", "url": url, "environment": "staging", "event_types": ["*"],
            "description": "  lines\r\n\tof \u{202e} text  ", "metadata": {"é": "ü".repeat(500)},
            "headers": {"X-Token": "a b"}})
    };
    let (refused, told) = platform.post("/api/v1/webhooks", &webhook(&too_long)).await;
    let (created, made) = platform.post("/api/v1/webhooks", &webhook(&longest)).await;

    assert_eq!(refused, 422);
    assert!(
        told["errors"][0]["reason"]
            .as_str()
            .is_some_and(|r| r.contains("has 3620")),
        "{told}"
    );
    assert_eq!(created, 201, "{made}");
    let path = format!("/api/v1/webhooks/{}", made["id"].as_str().expect("an id"));
    let read = platform.get(&path).await;
    let mut again = webhook(read["url"].as_str().expect("a URL"));
    again["description"] = read["description"].clone();
    let (put, answer) = platform
        .ask(Method::PUT, &path, Some(again.to_string()))
        .await;
    assert_eq!(put, 200, "{answer}");
    let export = platform
        .get("/api/v1/webhooks/export?environment=staging&secrets=true")
        .await;
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
    let sentence =
        "must not name port 0, where no server can listen: leave the port out or name 1 to 65535";
    let webhook = |url: &str| json!({"name": "CRM", "url": url, "environment": "staging", "event_types": ["*"]});

    let wrong = webhook("https://example.com:0/");
    let (refused, told) = platform.post("/api/v1/webhooks", &wrong).await;
    let dotted = webhook("https://example.com./x");
    let (created, made) = platform.post("/api/v1/webhooks", &dotted).await;
    let path = format!("/api/v1/webhooks/{}", made["id"].as_str().expect("an id"));
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

#[tokio::test(flavor = "multi_thread")]
async fn the_portals_form_says_at_its_field_that_port_0_is_refused() {
    let platform = Platform::new().await;
    let visitor = Visitor::sign_in(&platform.api, &platform.key).await;
    let form = visitor.get("/admin/webhooks/new").await;
    let form = Html::parse_document(&form.text().await.expect("text"));
    let hidden = |name: &str| {
        let selector = format!("form[action='/admin/webhooks/new'] input[name='{name}']");
        let field = Selector::parse(&selector).expect("a selector");
        let field = form.select(&field).next().expect("the form has it");
        field.attr("value").expect("with a value").to_owned()
    };
    let fields = [
        ("csrf", hidden("csrf")),
        ("key", hidden("key")),
        ("name", "CRM".to_owned()),
        ("url", "https://example.com:0/".to_owned()),
        ("environment", "staging".to_owned()),
        ("status", "active".to_owned()),
        ("events", "all".to_owned()),
    ];

    let body = Serializer::new(String::new()).extend_pairs(fields).finish();
    let refused = visitor.post("/admin/webhooks/new", body).await;

    assert_eq!(refused.status(), 422);
    let page = Html::parse_document(&refused.text().await.expect("text"));
    let at_field = Selector::parse("#url-error").expect("a selector");
    let told = page.select(&at_field).next().expect("the field is marked");
    let told: String = told.text().collect();
    assert!(
        told.contains("Must not name port 0, where no server can listen"),
        "{told}"
    );
    platform.end().await;
}
