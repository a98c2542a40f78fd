use reqwest::Method;
use serde_json::json;
use webhook_tests::Platform;

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
