//! Templates: bodies that an admin describes, saved in versions, checked, rendered and logged.

use super::*;

/// A template with a text, a number that stays a number, and the id of the delivery.
fn template() -> Value {
    json!({"text": "{{data.device|default:'?'}}: {{summary}}", "seats": "{{data.seats}}", "key": "{{delivery.id}}",
        "from": "{{webhook.name}}"})
}

/// The fields of a webhook with a template.
fn custom(template: &Value) -> Value {
    json!({"format": "custom", "template": template})
}

async fn webhook_with(platform: &Platform, url: &str, template: &Value) -> CreatedWebhook {
    let webhook = platform.webhook("Pager").at(url).with(&custom(template));
    webhook.create().await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_webhook_gets_the_body_of_its_template_and_the_log_names_the_version() {
    let (platform, receiver) = (Platform::new().await, Receiver::answering(&[]).await);
    let webhook = webhook_with(&platform, &receiver.url, &template()).await;

    let request = platform.next_request(&receiver).await;

    let delivery = delivery_with_status(&platform, "succeeded").await;
    let body: Value = serde_json::from_slice(&request.body).expect("JSON");
    let text = body["text"].as_str().unwrap_or_default();
    assert!(text.starts_with("?: License "), "{body}");
    assert_eq!(
        (&body["key"], &body["from"]),
        (&delivery["id"], &json!("Pager"))
    );
    assert_eq!(request.headers["content-type"], "application/json");
    assert!(request.is_signed_by(&[&webhook.secret]));
    let attempt = &delivery["attempts"][0];
    assert_eq!(attempt["template_version"], 1);
    assert_eq!(
        attempt["request_body"].as_str().map(str::as_bytes),
        Some(&request.body[..])
    );
    platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_retry_uses_the_template_of_today() {
    let receiver = Receiver::answering(&[500]).await;
    let platform = Platform::new().await;
    let webhook = platform.webhook("Pager").at(&receiver.url);
    let webhook = webhook
        .retrying_every(60_000, 3)
        .with(&custom(&json!({"v": "one"})));
    let webhook = webhook.create().await;
    let first = platform.next_request(&receiver).await;
    let database = &platform.world.database;
    platform
        .until("an attempt", async || database.attempted().await == 1)
        .await;

    platform
        .change(&webhook, &json!({"template": {"v": "two"}}))
        .await;
    let waiting = &platform.read_deliveries().await[0]["id"];
    let retry = format!(
        "/api/v1/deliveries/{}/retry",
        waiting.as_str().expect("an id")
    );
    platform.post(&retry, &json!({})).await;
    let second = receiver.arrived(2).await.remove(1);

    assert_eq!(
        (&first.body[..], &second.body[..]),
        (&br#"{"v":"one"}"#[..], &br#"{"v":"two"}"#[..])
    );
    let delivery = delivery_with_status(&platform, "succeeded").await;
    let versions = delivery["attempts"].as_array().expect("attempts").iter();
    let versions: Vec<&Value> = versions
        .map(|attempt| &attempt["template_version"])
        .collect();
    assert_eq!(versions, [1, 2]);
    platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn versions_are_listed_and_a_template_goes_with_its_format() {
    let platform = Platform::new().await;
    // A template without a format asks for `custom`.
    let webhook = platform
        .webhook("Pager")
        .with(&json!({"template": {"n": 1}}));
    let webhook = webhook.create().await;
    platform
        .change(&webhook, &json!({"template": {"n": 1.0}}))
        .await;
    let unchanged = platform
        .change(&webhook, &json!({"template": {"n": 1.0}}))
        .await;
    let versions = platform.get(&format!("{}/templates", webhook.path)).await;
    let built_in = platform.change(&webhook, &json!({"format": "slack"})).await;

    let data = versions["data"].as_array().expect("versions").iter();
    let listed: Vec<_> = data
        .map(|one| (&one["version"], &one["in_use"], one["template"].to_string()))
        .collect();
    // Byte for byte as written: 1.0 is not 1.
    assert_eq!(
        listed,
        [
            (&json!(2), &json!(true), "{\"n\":1.0}".to_owned()),
            (&json!(1), &json!(false), "{\"n\":1}".to_owned())
        ]
    );
    assert_eq!(unchanged["version"], 2);
    assert_eq!(
        (&built_in["template"], &built_in["template_version"]),
        (&Value::Null, &Value::Null)
    );
    platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_template_is_exported_imported_and_audited() {
    let platform = Platform::new().await;
    let webhook = webhook_with(&platform, "https://a.example.com/in", &template()).await;
    platform
        .change(&webhook, &json!({"template": {"text": "{{id}}"}}))
        .await;

    let exported = platform
        .get("/api/v1/webhooks/export?environment=production")
        .await;
    let import = "/api/v1/webhooks/import?environment=staging";
    let (status, imported) = platform.post(import, &exported).await;
    let copies = platform.get("/api/v1/webhooks?environment=staging").await;
    let audit = platform.get("/api/v1/audit?action=webhook.updated").await;

    assert_eq!(status, 200, "{imported}");
    let copy = &copies["data"][0];
    assert_eq!(
        (&copy["format"], &copy["template"]),
        (&json!("custom"), &json!({"text": "{{id}}"}))
    );
    assert_eq!(audit["data"][0]["before"]["template"], template());
    assert_eq!(
        audit["data"][0]["after"]["template"],
        json!({"text": "{{id}}"})
    );
    platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_fault_of_a_template_is_refused_with_its_place() {
    let platform = Platform::new().await;
    for (fields, reason) in [
        (
            custom(&json!({"text": "{{data.x|uper}}"})),
            "/text: unknown filter `uper`; did you mean `upper`?",
        ),
        (
            custom(&json!({"{{id}}": 1})),
            "/{{id}}: a placeholder cannot stand in the name of a field; only values may change",
        ),
        (
            custom(&json!({"a": ["{{license_id}}"]})),
            "/a/0: unknown path `license_id`",
        ),
        (
            custom(&json!({"a": ["x\u{0}"]})),
            "/a/0: the character U+0000 cannot be stored",
        ),
        (
            json!({"format": "custom"}),
            "is required with the format custom",
        ),
        (
            json!({"format": "slack", "template": {}}),
            "belongs to the format custom",
        ),
    ] {
        let (status, refused) = platform.webhook("Pager").with(&fields).ask().await;

        assert_eq!(status, 422, "{refused}");
        assert_eq!(
            refused["errors"].as_array().map(Vec::len),
            Some(1),
            "{refused}"
        );
        let error = &refused["errors"][0];
        assert_eq!(error["field"], "template", "{refused}");
        let told = error["reason"].as_str().unwrap_or_default();
        assert!(told.starts_with(reason), "{told}");
    }
    platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_path_that_no_recent_event_has_is_a_warning_with_the_nearest_path() {
    let platform = Platform::new().await;
    let event = json!({"type": "activation.failed", "environment": "production",
        "data": {"hostname": "build-1", "reason": "no_seat_left"}});
    let (_, published) = platform.post("/api/v1/events", &event).await;
    platform
        .taken_in(
            published["id"]
                .as_str()
                .expect("an id")
                .parse()
                .expect("an id"),
        )
        .await;
    let misspelt = json!({"text": "{{data.hostnme}} {{data.hostname}}"});

    let created = platform
        .webhook("Pager")
        .types(&["activation.failed"])
        .with(&custom(&misspelt));
    let (_, created) = created.ask().await;
    let preview =
        json!({"format": "custom", "template": misspelt, "event_type": "activation.failed"});
    let (status, preview) = platform.post("/api/v1/webhooks/preview", &preview).await;

    let expected = "/text: `data.hostnme` is in neither the example nor the last `activation.failed`; did you mean `data.hostname`?";
    assert_eq!(created["warnings"], json!([expected]), "{created}");
    assert_eq!(status, 200, "{preview}");
    assert_eq!(preview["warnings"], json!([expected]));
    platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_template_of_a_later_version_holds_up_no_other_webhook_and_can_be_mended() {
    let (platform, receiver) = (Platform::new().await, Receiver::answering(&[]).await);
    let later = webhook_with(&platform, "http://127.0.0.1:9/in", &json!({"a": 1})).await;
    platform.webhook("CRM").at(&receiver.url).create().await;
    let unknown = r#"UPDATE templates SET template = '{"a": "{{id|of_a_later_version}}"}'"#;
    platform.world.database.execute(unknown).await;

    let request = platform.next_request(&receiver).await;

    assert!(request.headers.contains_key("webhook-id"));
    let listed = platform.get("/api/v1/webhooks").await;
    let shown = listed["data"][1]["template"].to_string();
    assert!(shown.contains("of_a_later_version"), "{listed}");
    let mended = platform
        .change(&later, &json!({"template": {"a": 2}}))
        .await;
    assert_eq!(mended["template_version"], 2);
    platform.delete(&later).await;
    platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn json_that_no_receiver_reads_is_no_template() {
    let platform = Platform::new().await;
    for (template, reason) in [
        (
            r#"{"a": 1e400}"#,
            "line 1, column 11: not JSON: number out of range",
        ),
        (
            r#"{"a": "\ud800"}"#,
            "line 1, column 14: not JSON: unexpected end of hex escape",
        ),
    ] {
        let body = format!(
            r#"{{"name":"Pager","url":"https://a.example.com/in","environment":"production","event_types":["*"],"template":{template}}}"#
        );
        let request = platform.request(reqwest::Method::POST, "/api/v1/webhooks");
        let request = request
            .header("content-type", "application/json")
            .body(body);
        let refused = request.send().await.expect("an answer");

        assert_eq!(refused.status(), 422);
        let refused: Value = refused.json().await.expect("JSON");
        assert_eq!(refused["errors"][0]["reason"], reason);
    }
    platform.end().await;
}
