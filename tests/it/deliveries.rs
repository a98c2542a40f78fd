//! Reading, retrying and replaying deliveries, through the real programs.

use serde_json::Value;
use webhook_tests::{CreatedWebhook, Platform, each};

mod again;
mod detail;
mod diagnosis;
mod jobs;
mod lists;
mod replay;
mod statistics;

/// Waits until a webhook has a delivery in `status`, and reads the newest delivery in `status`.
async fn comes_to(platform: &Platform, webhook: &CreatedWebhook, status: &str) -> Value {
    let id = &webhook.id;
    let path = format!("/api/v1/deliveries?webhook_id={id}&status={status}&limit=1");
    let came = async || {
        let page = platform.get(&path).await;
        page["data"][0]["id"].as_str().map(str::to_owned)
    };
    let id = platform.world.eventually(status, came).await;
    read(platform, &id).await
}

/// Reads a delivery with its attempts.
async fn read(platform: &Platform, id: &str) -> Value {
    platform.get(&format!("/api/v1/deliveries/{id}")).await
}

/// The number of deliveries under a filter.
async fn total(platform: &Platform, query: &str) -> i64 {
    let path = format!("/api/v1/deliveries?limit=1&total=true&{query}");
    platform.get(&path).await["total"]
        .as_i64()
        .expect("a number")
}

/// Waits until a filter finds `count` deliveries.
async fn count_comes_to(platform: &Platform, query: &str, count: i64) {
    let world = &platform.world;
    world.becomes(query, count, || total(platform, query)).await;
}

/// Starts a job and returns the job's id.
async fn start(platform: &Platform, path: &str, selection: &Value) -> String {
    let (status, job) = platform.post(path, selection).await;
    assert_eq!(status, 201, "{job}");
    job["id"].as_str().expect("a job has an id").to_owned()
}

/// Waits until a job is finished.
async fn finishes(platform: &Platform, id: &str) -> Value {
    let path = format!("/api/v1/jobs/{id}");
    let finished = async || {
        let job = platform.get(&path).await;
        (job["status"] == "finished").then_some(job)
    };
    platform
        .world
        .eventually("the job is finished", finished)
        .await
}

/// The actions in the audit log about a webhook's deliveries and jobs, oldest first.
async fn audited(platform: &Platform, webhook: &CreatedWebhook) -> Vec<String> {
    let path = format!("/api/v1/audit?webhook_id={}", webhook.id);
    let log = platform.get(&path).await;
    let actions = each(&log["data"], "action").into_iter().rev();
    let of_deliveries = actions.filter(|action| !action.starts_with("webhook."));
    of_deliveries.map(str::to_owned).collect()
}
