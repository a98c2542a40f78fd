//! Many deliveries sent again: a job that can be counted on.

use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};
use webhook_domain::EventType;
use webhook_tests::{Answer, Platform, Receiver, Service};

use crate::deliveries::{
    UNKNOWN, audited, comes_to, count_comes_to, create, each, finishes, once, patch, publish,
    start, total,
};

const RETRY: &str = "/api/v1/deliveries/retry";

/// So many deliveries that failed a minute ago, with their events.
async fn fail(platform: &Platform, webhook: &str, count: usize) {
    platform
        .world
        .database
        .fail_deliveries(webhook, count)
        .await;
}

/// How many deliveries a job was noted for, each as often as it was.
async fn noted(platform: &Platform, job: &str) -> i64 {
    let sql = format!("SELECT count(*) FROM resends WHERE job_id = '{job}'");
    platform.world.database.ask(&sql).await
}

/// Reads a job.
async fn read(platform: &Platform, job: &str) -> Value {
    platform.get(&format!("/api/v1/jobs/{job}")).await
}

/// Waits until a job has made so many due.
async fn gets_to(platform: &Platform, job: &str, count: i64) {
    let far = async || {
        let done = read(platform, job).await["done"].as_i64();
        (done >= Some(count)).then_some(())
    };
    platform.world.eventually("the job goes on", far).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_sends_what_failed_again_and_nothing_else() {
    let platform = Platform::new().await;
    let receiver = Receiver::answering(&[500, 500, 500]).await;
    let webhook = create(&platform, "CRM", &receiver.url, &once()).await;
    for _ in 0..3 {
        publish(&platform, EventType::LicenseCreated).await;
    }
    count_comes_to(&platform, "status=failed", 3).await;
    publish(&platform, EventType::LicenseCreated).await;
    count_comes_to(&platform, "status=succeeded", 1).await;
    let selection = json!({"webhook_id": webhook});

    let dry = format!("{RETRY}?dry_run=true");
    let (counted, count) = platform.post(&dry, &selection).await;
    let job = start(&platform, RETRY, &selection).await;
    let finished = finishes(&platform, &job).await;

    assert_eq!((counted.as_u16(), count), (200, json!({"total": 3})));
    let numbers = ["total", "done", "skipped"].map(|name| finished[name].as_i64());
    assert_eq!(numbers, [Some(3), Some(3), Some(0)], "{finished}");
    count_comes_to(&platform, "status=succeeded", 4).await;
    assert_eq!(receiver.count(), 3 + 1 + 3);
    assert_eq!(noted(&platform, &job).await, 3);
    assert_eq!(audited(&platform, &webhook).await, ["deliveries.retried"]);
    platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_leaves_alone_what_cannot_be_sent_any_more() {
    let platform = Platform::new().await;
    let receiver = Receiver::answering(&[]).await;
    let webhook = create(&platform, "CRM", &receiver.url, &once()).await;
    let off = create(&platform, "off", &receiver.url, &once()).await;
    fail(&platform, &webhook, 10).await;
    patch(&platform, &off, &json!({"status": "inactive"})).await;
    let sql = format!(
        "UPDATE deliveries SET webhook_id = '{off}' WHERE id IN (SELECT id FROM deliveries ORDER BY id LIMIT 3);
         DELETE FROM events WHERE id IN (SELECT id FROM deliveries ORDER BY id DESC LIMIT 2)"
    );
    platform.world.database.execute(&sql).await;

    let job = start(&platform, RETRY, &json!({"status": "failed"})).await;
    let finished = finishes(&platform, &job).await;

    let numbers = ["total", "done", "skipped"].map(|name| finished[name].as_i64());
    assert_eq!(numbers, [Some(10), Some(5), Some(5)], "{finished}");
    count_comes_to(&platform, "status=succeeded", 5).await;
    assert_eq!(receiver.count(), 5);
    platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_leaves_alone_what_is_on_its_way() {
    let platform = Platform::new().await;
    let slow = Answer::After(Duration::from_millis(1_500));
    let receiver = Receiver::scripted(vec![slow]).await;
    let webhook = create(&platform, "CRM", &receiver.url, &once()).await;
    publish(&platform, EventType::LicenseCreated).await;
    let arrived = async || (receiver.count() == 1).then_some(());
    platform.world.eventually("it arrives", arrived).await;

    let job = start(&platform, RETRY, &json!({"status": "pending"})).await;
    let finished = finishes(&platform, &job).await;
    let delivery = comes_to(&platform, &webhook, "succeeded").await;

    let numbers = ["done", "skipped"].map(|name| finished[name].as_i64());
    assert_eq!(numbers, [Some(0), Some(1)], "{finished}");
    assert_eq!(delivery["resends"], json!([]));
    assert_eq!(receiver.count(), 1, "it is sent once");
    platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_with_a_key_is_made_once() {
    let platform = Platform::new().await;
    let post = async || {
        let request = platform
            .request(Method::POST, RETRY)
            .json(&json!({"rate": 5}));
        let answer = request.header("Idempotency-Key", "tuesday").send().await;
        let answer = answer.expect("an answer");
        let location = answer.headers()["location"]
            .to_str()
            .expect("a path")
            .to_owned();
        let job: Value = answer.json().await.expect("JSON");
        (location, job["id"].clone())
    };

    let (one, two) = tokio::join!(post(), post());

    assert_eq!(one, two);
    let jobs = platform.get("/api/v1/jobs").await;
    let ids = each(&jobs["data"], "id");
    assert_eq!(ids, [one.1.as_str().expect("an id")]);
    assert_eq!(one.0, format!("/api/v1/jobs/{}", ids[0]));
    platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_keeps_to_its_rate() {
    let platform = Platform::new().await;
    let receiver = Receiver::answering(&[]).await;
    let webhook = create(&platform, "CRM", &receiver.url, &once()).await;
    fail(&platform, &webhook, 40).await;

    start(&platform, RETRY, &json!({"rate": 20})).await;
    let arrived = async || (receiver.count() == 40).then_some(());
    platform.world.eventually("all arrive", arrived).await;

    let received = receiver.received();
    let took = received[39].at - received[0].at;
    assert!(took >= Duration::from_millis(1_500), "{took:?}");
    platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_of_fifty_thousand_that_is_cancelled_tells_exactly_what_it_did() {
    let platform = Platform::new().await;
    let receiver = Receiver::answering(&[]).await;
    let webhook = create(&platform, "CRM", &receiver.url, &once()).await;
    fail(&platform, &webhook, 50_000).await;

    let job = start(&platform, RETRY, &json!({"rate": 5_000})).await;
    gets_to(&platform, &job, 5_000).await;
    let path = format!("/api/v1/jobs/{job}/cancel");
    let (status, cancelled) = platform.ask(Method::POST, &path, None).await;

    assert_eq!(
        (status.as_u16(), &cancelled["status"]),
        (200, &json!("cancelled"))
    );
    let done = cancelled["done"].as_i64().expect("a number");
    assert!((5_000..50_000).contains(&done), "cancelled after {done}");
    count_comes_to(&platform, "status=succeeded", done).await;
    let left = total(&platform, "status=failed").await;
    assert_eq!(left, 50_000 - done, "it does not go on");
    assert_eq!(noted(&platform, &job).await, done);
    assert_eq!(read(&platform, &job).await["done"], done);
    assert_eq!(platform.ask(Method::POST, &path, None).await.0, 409);
    platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_goes_on_where_it_was_when_its_dispatcher_is_killed() {
    let mut platform = Platform::new().await;
    let receiver = Receiver::answering(&[]).await;
    let webhook = create(&platform, "CRM", &receiver.url, &once()).await;
    fail(&platform, &webhook, 600).await;

    let job = start(&platform, RETRY, &json!({"rate": 400})).await;
    gets_to(&platform, &job, 100).await;
    platform.dispatcher.signal("KILL").await;
    let before = read(&platform, &job).await["done"].as_i64();
    platform.dispatcher = Service::dispatcher(&platform.world);
    let finished = finishes(&platform, &job).await;

    assert!(before < Some(600), "it was killed midway: {before:?}");
    assert_eq!(finished["done"], 600);
    assert_eq!(noted(&platform, &job).await, 600, "none twice");
    count_comes_to(&platform, "status=succeeded", 600).await;
    assert_eq!(receiver.bodies().len(), 600);
    platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn jobs_are_listed_by_status_and_wrong_ones_refused_by_name() {
    let platform = Platform::new().await;
    let receiver = Receiver::deciding(|_, _| Answer::Status(500)).await;
    let webhook = create(&platform, "CRM", &receiver.url, &once()).await;
    let empty = start(&platform, RETRY, &json!({})).await;
    finishes(&platform, &empty).await;
    fail(&platform, &webhook, 100).await;
    let slow = start(&platform, RETRY, &json!({"rate": 1})).await;

    let running = platform.get("/api/v1/jobs?status=running").await;
    let all = platform.get("/api/v1/jobs").await;
    let wrong = json!({"rate": 0, "status": "lost", "webhook": 1});
    let (status, problem) = platform.post(&format!("{RETRY}?dry_run=x"), &wrong).await;
    let unknown = format!("/api/v1/jobs/{UNKNOWN}");
    let (missing, _) = platform.ask(Method::GET, &unknown, None).await;

    assert_eq!(each(&running["data"], "id"), [&slow]);
    assert_eq!(each(&all["data"], "id"), [&slow, &empty]);
    assert_eq!((status.as_u16(), missing.as_u16()), (422, 404));
    assert_eq!(
        each(&problem["errors"], "field"),
        ["dry_run", "status", "rate", "webhook"]
    );
    platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_that_cannot_be_read_holds_up_no_other() {
    let platform = Platform::new().await;
    let receiver = Receiver::answering(&[]).await;
    let webhook = create(&platform, "CRM", &receiver.url, &once()).await;
    fail(&platform, &webhook, 3).await;
    let broken = "INSERT INTO jobs (id, kind, selection, rate, total, actor_name, next_step_at)
        VALUES (gen_random_uuid(), 'retry', '{\"status\": \"lost\"}', 1, 1, 'test', now() - interval '1 h')";
    platform.world.database.execute(broken).await;

    let job = start(&platform, RETRY, &json!({"webhook_id": webhook})).await;
    let finished = finishes(&platform, &job).await;

    assert_eq!(finished["done"], 3, "{finished}");
    platform.end().await;
}
