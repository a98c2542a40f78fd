//! Lists as CSV, with the filters of the pages.

use reqwest::Method;
use serde_json::json;
use webhook_tests::{Platform, Receiver, Visitor};

use super::{create, publish};

#[tokio::test(flavor = "multi_thread")]
async fn a_filtered_list_of_deliveries_is_a_file() {
    let platform = Platform::new().await;
    let receiver = Receiver::answering(&[500]).await;
    create(&platform, "=HYPERLINK(\"x\")", &receiver.url).await;
    publish(&platform, "failed", 1).await;
    publish(&platform, "succeeded", 1).await;
    let visitor = Visitor::sign_in(&platform.api, &platform.key).await;

    let file = visitor
        .get("/admin/webhook-deliveries.csv?status=failed")
        .await;

    let header = |name: &str| file.headers()[name].to_str().expect("text").to_owned();
    assert_eq!(header("content-type"), "text/csv; charset=utf-8");
    assert_eq!(
        header("content-disposition"),
        "attachment; filename=\"webhook-deliveries.csv\""
    );
    let text = file.text().await.expect("text");
    let lines: Vec<&str> = text.split_terminator("\r\n").collect();
    assert_eq!(lines.len(), 2, "{text}");
    assert!(
        lines[0].starts_with("id,created_at,ended_at,status,"),
        "{text}"
    );
    assert!(lines[1].contains(",failed,"), "{text}");
    assert!(lines[1].contains("\"'=HYPERLINK(\"\"x\"\")\""), "{text}");
    platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_filtered_list_of_webhooks_is_a_file_of_all_pages() {
    let platform = Platform::new().await;
    for number in 0..3 {
        create(
            &platform,
            &format!("CRM {number}"),
            "https://crm.example.com/",
        )
        .await;
    }
    create(&platform, "Other", "https://other.example.com/").await;
    let visitor = Visitor::sign_in(&platform.api, &platform.key).await;

    let page = visitor
        .get("/admin/webhooks?search=crm&sort=name")
        .await
        .text()
        .await;
    let file = visitor
        .get("/admin/webhooks.csv?search=crm&sort=name&limit=1")
        .await;
    let api = platform.request(Method::GET, "/api/v1/webhooks.csv?search=crm&sort=name");

    assert!(
        page.expect("HTML")
            .contains("/admin/webhooks.csv?search=crm&#38;sort=name")
    );
    let text = file.text().await.expect("text");
    let names = text.split_terminator("\r\n").skip(1);
    let names: Vec<_> = names.filter_map(|line| line.split(',').nth(1)).collect();
    assert_eq!(names, ["CRM 0", "CRM 1", "CRM 2"]);
    let same = api.send().await.expect("the API answers").text().await;
    assert_eq!(same.expect("text"), text);
    let (status, problem) = platform
        .ask(Method::GET, "/api/v1/webhooks.csv?size=1", None)
        .await;
    assert_eq!(
        (status.as_u16(), &problem["errors"][0]["field"]),
        (422, &json!("size"))
    );
    platform.end().await;
}
