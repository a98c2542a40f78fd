use std::time::{Duration, Instant};

use reqwest::Method;
use serde_json::{Value, json};
use webhook_broker::SUSPECT_AFTER_RETURNS;
use webhook_domain::{Environment, EventType};
use webhook_tests::{Broker, Platform, Receiver, Service, StrangersMessage, event, free_port};

use super::{arrive, good, logged, platform, reason, rejected};

/// The API's readiness: the status, and the state of Postgres if the API is not ready.
async fn readiness(platform: &Platform) -> (u16, String) {
    let (status, body) = platform.ask(Method::GET, "/readyz", None).await;
    let postgres = body["postgres"].as_str().unwrap_or_default().to_owned();
    (status.as_u16(), postgres)
}

/// Waits until the dispatcher answers `/readyz` with `status`.
async fn dispatcher_answers(platform: &Platform, status: u16) {
    let url = format!("{}/readyz", platform.dispatcher.url);
    let answers = async || {
        let answer = reqwest::get(&url).await;
        answer.is_ok_and(|answer| answer.status() == status)
    };
    platform.until("the dispatcher tells", answers).await;
}

/// A webhook to be created, whose events no test publishes.
fn of_staging(receiver: &Receiver) -> Value {
    let url = &receiver.url;
    json!({"name": "Later", "url": url, "environment": "staging", "event_types": ["*"]})
}

/// The statuses of twenty attempts to create a webhook, one after the other.
async fn create_twenty(platform: &Platform, webhook: &Value) -> Vec<u16> {
    let mut statuses = Vec::new();
    for _ in 0..20 {
        let (status, _) = platform.post("/api/v1/webhooks", webhook).await;
        statuses.push(status.as_u16());
    }
    statuses
}

#[tokio::test(flavor = "multi_thread")]
async fn while_postgres_is_read_only_both_programs_tell_and_serve_reads() {
    let (mut platform, receiver, _) = platform().await;
    let listen = format!("127.0.0.1:{}", free_port());
    platform
        .restart_dispatcher(&[("OPERATIONS_LISTEN", &listen)])
        .await;
    dispatcher_answers(&platform, 200).await;
    let webhook = of_staging(&receiver);

    platform.world.database.set_read_only(true, true).await;

    let read_only = (503, "read-only".to_owned());
    let told = async || readiness(&platform).await == read_only;
    platform.until("the API tells", told).await;
    dispatcher_answers(&platform, 503).await;
    assert_eq!(create_twenty(&platform, &webhook).await, [503; 20]);
    platform.get("/api/v1/webhooks").await;
    platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn after_a_failover_all_flows_again_within_seconds_and_without_a_restart() {
    let (mut platform, receiver, stranger) = platform().await;
    let listen = format!("127.0.0.1:{}", free_port());
    platform
        .restart_dispatcher(&[("OPERATIONS_LISTEN", &listen)])
        .await;
    dispatcher_answers(&platform, 200).await;
    let webhook = of_staging(&receiver);
    platform.world.database.set_read_only(true, true).await;
    dispatcher_answers(&platform, 503).await;
    let (events, messages) = good(20);
    stranger.publish_all(&messages).await;
    create_twenty(&platform, &webhook).await;

    platform.world.database.set_read_only(false, false).await;
    let began = Instant::now();
    let created = async || platform.post("/api/v1/webhooks", &webhook).await.0 == 201;
    platform.until("webhooks are created again", created).await;
    assert_eq!(create_twenty(&platform, &webhook).await, [201; 20]);
    arrive(&platform, &receiver, &events, Duration::from_secs(5)).await;
    dispatcher_answers(&platform, 200).await;

    let took = began.elapsed();
    assert!(took < Duration::from_secs(5), "{took:?}");
    rejected(&platform, 0).await;
    platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_disk_that_is_full_sets_no_event_aside() {
    let (platform, receiver, stranger) = platform().await;
    platform.world.database.fill_disk().await;
    let (events, messages) = good(150);

    stranger.publish_all(&messages).await;
    logged(&platform, "cannot take events in").await;
    // The worker leaves the messages to another worker.
    logged(&platform, "consuming broke off").await;
    platform.world.database.free_disk().await;

    arrive(&platform, &receiver, &events, Duration::from_secs(10)).await;
    rejected(&platform, 0).await;
    platform.end().await;
}

/// Brings the first message of the events queue to one return before the broker gives up.
async fn bring_to_the_limit(broker: &Broker) {
    let limit = u32::try_from(SUSPECT_AFTER_RETURNS).expect("few returns") + 1;
    broker.give_up_after(limit).await;
    for _ in 0..SUSPECT_AFTER_RETURNS {
        broker.leave_with_a_message().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_often_returned_event_is_held_until_the_commit() {
    let (mut platform, receiver, stranger) = platform().await;
    assert!(platform.dispatcher.terminate().await);
    let (events, messages) = good(30);
    stranger.publish_all(&messages).await;
    bring_to_the_limit(&platform.world.broker).await;
    platform.world.database.fill_disk().await;

    platform.dispatcher = Service::dispatcher(&platform.world);
    logged(&platform, "cannot take events in").await;
    // The time is the trial: a worker without a suspect leaves after ten seconds, again and again.
    tokio::time::sleep(Duration::from_secs(15)).await;
    platform.world.database.free_disk().await;

    arrive(&platform, &receiver, &events, Duration::from_secs(10)).await;
    rejected(&platform, 0).await;
    platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_that_postgres_refuses_goes_aside_and_its_neighbours_are_delivered() {
    let (platform, receiver, stranger) = platform().await;
    let refuse = "ALTER TABLE events ADD CONSTRAINT odd CHECK (event_type <> 'telemetry.flagged')";
    platform.world.database.execute(refuse).await;
    let (events, messages) = good(50);
    let odd = event(Environment::Production, EventType::TelemetryFlagged);

    stranger.publish_all(&messages[..25]).await;
    stranger.publish_all(&[StrangersMessage::of(&odd)]).await;
    stranger.publish_all(&messages[25..]).await;

    arrive(&platform, &receiver, &events, Duration::from_secs(5)).await;
    let rows = rejected(&platform, 1).await;
    let told = reason(&rows[0]);
    assert!(told.starts_with("Postgres refuses this event"), "{told}");
    platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_that_comes_again_after_its_removal_stops_no_recording() {
    let (platform, receiver, stranger) = platform().await;
    let (events, messages) = good(2);
    stranger.publish_all(&messages[..1]).await;
    let (world, database) = (&platform.world, &platform.world.database);
    world.becomes("attempts", 1, || database.attempts()).await;

    // As retention does with an event whose delivery stays.
    database.execute("DELETE FROM events").await;
    stranger.publish_all(&messages).await;

    arrive(&platform, &receiver, &events, Duration::from_secs(5)).await;
    world.becomes("attempts", 3, || database.attempts()).await;
    assert_eq!(database.pending().await, 0);
    platform.end().await;
}

/// Postgres sessions of the API, older than a second, that last read the list of rejected messages.
const SESSIONS: &str = "SELECT string_agg(pid::text, ',' ORDER BY pid) FROM pg_stat_activity
    WHERE datname = current_database() AND backend_start < now() - interval '1 second'
    AND pid <> pg_backend_pid() AND query ILIKE '%rejected_messages%'";

#[tokio::test(flavor = "multi_thread")]
async fn sessions_are_used_again_as_long_as_all_is_well() {
    let (platform, receiver, stranger) = platform().await;
    let database = &platform.world.database;
    let (events, messages) = good(10);

    list_twenty_times(&platform).await;
    let before = async || database.ask::<Option<String>>(SESSIONS).await;
    let before = platform.world.eventually("a session", before).await;
    list_twenty_times(&platform).await;
    stranger.publish_all(&messages).await;
    arrive(&platform, &receiver, &events, Duration::from_secs(5)).await;

    let after: Option<String> = database.ask(SESSIONS).await;
    assert_eq!(after, Some(before));
    platform.end().await;
}

async fn list_twenty_times(platform: &Platform) {
    for _ in 0..20 {
        platform.get("/api/v1/rejected-messages").await;
    }
}
