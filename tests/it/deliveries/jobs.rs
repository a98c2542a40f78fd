//! Jobs: many deliveries retried.

use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};
use webhook_domain::EventType;
use webhook_tests::{Answer, CreatedWebhook, Platform, Receiver, Service, UNKNOWN_ID, fields_of};

use crate::deliveries::{audited, comes_to, count_comes_to, each, finishes, start, total};

const RETRY: &str = "/api/v1/deliveries/retry";

/// Creates a webhook with a single attempt per delivery.
async fn create(platform: &Platform, receiver: &Receiver) -> CreatedWebhook {
    platform.webhook_to(receiver).once().create().await
}

/// The number of retries recorded for a job.
async fn recorded_retries(platform: &Platform, job: &str) -> i64 {
    let sql = format!("SELECT count(*) FROM resends WHERE job_id = '{job}'");
    platform.world.database.ask(&sql).await
}

/// Reads a job.
async fn read(platform: &Platform, job: &str) -> Value {
    platform.get(&format!("/api/v1/jobs/{job}")).await
}

/// Waits until a job has made `count` deliveries due.
async fn gets_to(platform: &Platform, job: &str, count: i64) {
    let far = async || {
        let done = read(platform, job).await["done"].as_i64();
        (done >= Some(count)).then_some(())
    };
    platform.world.eventually("the job goes on", far).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_retries_failed_deliveries_and_no_others() {
    let platform = Platform::new().await;
    let receiver = Receiver::answering(&[500, 500, 500]).await;
    let webhook = create(&platform, &receiver).await;
    for _ in 0..3 {
        platform.take_in(EventType::LicenseCreated).await;
    }
    count_comes_to(&platform, "status=failed", 3).await;
    platform.take_in(EventType::LicenseCreated).await;
    count_comes_to(&platform, "status=succeeded", 1).await;
    let selection = json!({"webhook_id": webhook.id});

    let dry = format!("{RETRY}?dry_run=true");
    let (counted, count) = platform.post(&dry, &selection).await;
    let job = start(&platform, RETRY, &selection).await;
    let finished = finishes(&platform, &job).await;

    assert_eq!((counted.as_u16(), count), (200, json!({"total": 3})));
    let numbers = ["total", "done", "skipped"].map(|name| finished[name].as_i64());
    assert_eq!(numbers, [Some(3), Some(3), Some(0)], "{finished}");
    count_comes_to(&platform, "status=succeeded", 4).await;
    assert_eq!(receiver.count(), 3 + 1 + 3);
    assert_eq!(recorded_retries(&platform, &job).await, 3);
    assert_eq!(audited(&platform, &webhook).await, ["deliveries.retried"]);
    platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_skips_deliveries_of_inactive_webhooks_and_of_forgotten_events() {
    let platform = Platform::new().await;
    let receiver = Receiver::answering(&[]).await;
    let webhook = create(&platform, &receiver).await;
    let off = create(&platform, &receiver).await;
    platform.fail_deliveries(&webhook, 10).await;
    platform.set_status(&off, "inactive").await;
    let sql = format!(
        "UPDATE deliveries SET webhook_id = '{}' WHERE id IN (SELECT id FROM deliveries ORDER BY id LIMIT 3);
         DELETE FROM events WHERE id IN (SELECT id FROM deliveries ORDER BY id DESC LIMIT 2)",
        off.id
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
async fn a_job_skips_a_delivery_whose_request_is_running() {
    let platform = Platform::new().await;
    let slow = Answer::After(Duration::from_millis(1_500));
    let receiver = Receiver::scripted(vec![slow]).await;
    let webhook = create(&platform, &receiver).await;
    platform.take_in(EventType::LicenseCreated).await;
    receiver.arrived(1).await;

    let job = start(&platform, RETRY, &json!({"status": "pending"})).await;
    let finished = finishes(&platform, &job).await;
    let delivery = comes_to(&platform, &webhook, "succeeded").await;

    let numbers = ["done", "skipped"].map(|name| finished[name].as_i64());
    assert_eq!(numbers, [Some(0), Some(1)], "{finished}");
    assert_eq!(delivery["resends"], json!([]));
    assert_eq!(receiver.count(), 1, "the delivery is sent once");
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
    let webhook = create(&platform, &receiver).await;
    platform.fail_deliveries(&webhook, 40).await;

    start(&platform, RETRY, &json!({"rate": 20})).await;
    let received = receiver.arrived(40).await;

    let took = received[39].at - received[0].at;
    assert!(took >= Duration::from_millis(1_500), "{took:?}");
    platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_of_fifty_thousand_that_is_cancelled_tells_exactly_how_many_deliveries_were_sent() {
    let platform = Platform::new().await;
    let receiver = Receiver::answering(&[]).await;
    let webhook = create(&platform, &receiver).await;
    platform.fail_deliveries(&webhook, 50_000).await;

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
    assert_eq!(left, 50_000 - done, "a cancelled job goes on");
    assert_eq!(recorded_retries(&platform, &job).await, done);
    assert_eq!(read(&platform, &job).await["done"], done);
    assert_eq!(platform.ask(Method::POST, &path, None).await.0, 409);
    platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_goes_on_where_it_was_when_its_dispatcher_is_killed() {
    let mut platform = Platform::new().await;
    let receiver = Receiver::answering(&[]).await;
    let webhook = create(&platform, &receiver).await;
    platform.fail_deliveries(&webhook, 600).await;

    let job = start(&platform, RETRY, &json!({"rate": 400})).await;
    gets_to(&platform, &job, 100).await;
    platform.dispatcher.signal("KILL").await;
    let before = read(&platform, &job).await["done"].as_i64();
    platform.dispatcher = Service::dispatcher(&platform.world);
    let finished = finishes(&platform, &job).await;

    assert!(
        before < Some(600),
        "the kill came after the end: {before:?}"
    );
    assert_eq!(finished["done"], 600);
    assert_eq!(
        recorded_retries(&platform, &job).await,
        600,
        "a delivery is retried twice"
    );
    count_comes_to(&platform, "status=succeeded", 600).await;
    assert_eq!(receiver.bodies().len(), 600);
    platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn jobs_are_listed_by_status_and_wrong_requests_are_refused_by_field() {
    let platform = Platform::new().await;
    let receiver = Receiver::deciding(|_, _| Answer::Status(500)).await;
    let webhook = create(&platform, &receiver).await;
    let empty = start(&platform, RETRY, &json!({})).await;
    finishes(&platform, &empty).await;
    platform.fail_deliveries(&webhook, 100).await;
    let slow = start(&platform, RETRY, &json!({"rate": 1})).await;

    let running = platform.get("/api/v1/jobs?status=running").await;
    let all = platform.get("/api/v1/jobs").await;
    let wrong = json!({"rate": 0, "status": "lost", "webhook": 1});
    let (status, problem) = platform.post(&format!("{RETRY}?dry_run=x"), &wrong).await;
    let unknown = format!("/api/v1/jobs/{UNKNOWN_ID}");
    let (missing, _) = platform.ask(Method::GET, &unknown, None).await;

    assert_eq!(each(&running["data"], "id"), [&slow]);
    assert_eq!(each(&all["data"], "id"), [&slow, &empty]);
    assert_eq!((status.as_u16(), missing.as_u16()), (422, 404));
    assert_eq!(
        fields_of(&problem),
        ["dry_run", "status", "rate", "webhook"]
    );
    platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_that_cannot_be_read_holds_up_no_other() {
    let platform = Platform::new().await;
    let receiver = Receiver::answering(&[]).await;
    let webhook = create(&platform, &receiver).await;
    platform.fail_deliveries(&webhook, 3).await;
    let broken = "INSERT INTO jobs (id, kind, selection, rate, total, actor_name, next_step_at)
        VALUES (gen_random_uuid(), 'retry', '{\"status\": \"lost\"}', 1, 1, 'test', now() - interval '1 h')";
    platform.world.database.execute(broken).await;

    let job = start(&platform, RETRY, &json!({"webhook_id": webhook.id})).await;
    let finished = finishes(&platform, &job).await;

    assert_eq!(finished["done"], 3, "{finished}");
    platform.end().await;
}
