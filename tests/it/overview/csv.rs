//! Lists as CSV, with the filters of the pages.

use reqwest::{Method, Response};
use serde_json::json;
use webhook_tests::{Platform, Receiver, Visitor};

use super::{create, publish};

/// Asserts that a browser saves the response as a CSV file of this name.
#[track_caller]
fn assert_saved_as(file: &Response, name: &str) {
    let header = |field: &str| file.headers()[field].to_str().expect("text");
    assert_eq!(header("content-type"), "text/csv; charset=utf-8");
    assert_eq!(
        header("content-disposition"),
        format!("attachment; filename=\"{name}\"")
    );
}

/// A platform with three webhooks of a CRM and one other webhook.
async fn with_three_of_a_crm() -> Platform {
    let platform = Platform::new().await;
    for number in 0..3 {
        let name = format!("CRM {number}");
        create(&platform, &name, "https://crm.example.com/").await;
    }
    create(&platform, "Other", "https://other.example.com/").await;
    platform
}

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

    assert_saved_as(&file, "webhook-deliveries.csv");
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
    let platform = with_three_of_a_crm().await;
    let visitor = Visitor::sign_in(&platform.api, &platform.key).await;

    let file = visitor
        .get("/admin/webhooks.csv?search=crm&sort=name&limit=1")
        .await;
    let api = platform.request(Method::GET, "/api/v1/webhooks.csv?search=crm&sort=name");

    let text = file.text().await.expect("text");
    let names = text.split_terminator("\r\n").skip(1);
    let names: Vec<_> = names.filter_map(|line| line.split(',').nth(1)).collect();
    assert_eq!(names, ["CRM 0", "CRM 1", "CRM 2"]);
    let same = api.send().await.expect("the API answers").text().await;
    assert_eq!(same.expect("text"), text);
    platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_of_filtered_webhooks_links_to_the_file_of_the_same_webhooks() {
    let platform = with_three_of_a_crm().await;
    let visitor = Visitor::sign_in(&platform.api, &platform.key).await;

    let page = visitor.get("/admin/webhooks?search=crm&sort=name").await;

    let html = page.text().await.expect("HTML");
    let link = "/admin/webhooks.csv?search=crm&#38;sort=name";
    assert!(html.contains(link), "{html}");
    platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_of_webhooks_refuses_an_unknown_parameter_by_its_name() {
    let platform = Platform::new().await;

    let (status, problem) = platform
        .ask(Method::GET, "/api/v1/webhooks.csv?size=1", None)
        .await;

    assert_eq!(
        (status.as_u16(), &problem["errors"][0]["field"]),
        (422, &json!("size"))
    );
    platform.end().await;
}
