use std::time::{Duration, Instant};

use reqwest::Method;
use serde_json::json;
use webhook_tests::{Receiver, Service, Stranger};

use super::{arrive, good, platform, rejected};

/// Whether the API says that it is ready, and if not, what is wrong with Postgres.
async fn readiness(platform: &webhook_tests::Platform) -> (u16, String) {
    let (status, body) = platform.ask(Method::GET, "/readyz", None).await;
    let postgres = body["postgres"].as_str().unwrap_or_default().to_owned();
    (status.as_u16(), postgres)
}

#[tokio::test(flavor = "multi_thread")]
async fn after_a_failover_all_flows_again_within_seconds_and_without_a_restart() {
    let (mut platform, receiver, stranger) = platform().await;
    assert!(platform.dispatcher.terminate().await);
    let port = webhook_tests::free_port();
    let listen = format!("127.0.0.1:{port}");
    platform.dispatcher = Service::dispatcher_at(&platform.world, &listen);
    let dispatcher_is = async |wanted: u16| {
        let answer = reqwest::get(format!("http://{listen}/readyz")).await.ok()?;
        (answer.status() == wanted).then_some(())
    };
    platform
        .world
        .eventually("the dispatcher is ready", async || dispatcher_is(200).await)
        .await;
    let webhook = json!({"name": "Later", "url": receiver.url, "environment": "staging", "event_types": ["*"]});

    platform.world.database.set_read_only(true, true).await;
    let unready =
        async || (readiness(&platform).await == (503, "read-only".to_owned())).then_some(());
    platform.world.eventually("the API tells", unready).await;
    platform
        .world
        .eventually("the dispatcher tells", async || dispatcher_is(503).await)
        .await;
    let (events, messages) = good(20);
    stranger.publish_all(&messages).await;
    for _ in 0..20 {
        let (status, problem) = platform.post("/api/v1/webhooks", &webhook).await;
        assert_eq!(status, 503, "{problem}");
    }
    platform.get("/api/v1/webhooks").await;

    platform.world.database.set_read_only(false, false).await;
    let began = Instant::now();
    let made = async || (platform.post("/api/v1/webhooks", &webhook).await.0 == 201).then_some(());
    platform
        .world
        .eventually("webhooks are made again", made)
        .await;
    for _ in 0..20 {
        assert_eq!(platform.post("/api/v1/webhooks", &webhook).await.0, 201);
    }
    arrive(&platform, &receiver, &events, Duration::from_secs(5)).await;
    platform
        .world
        .eventually("the dispatcher is ready", async || dispatcher_is(200).await)
        .await;

    assert!(
        began.elapsed() < Duration::from_secs(5),
        "{:?}",
        began.elapsed()
    );
    rejected(&platform, 0).await;
    platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_disk_that_is_full_sets_no_event_aside() {
    let (platform, receiver, stranger) = platform().await;
    platform.world.database.fill_disk().await;
    let (events, messages) = good(150);

    stranger.publish_all(&messages).await;
    let told = async || {
        let log = platform.dispatcher.log();
        let stuck = log
            .iter()
            .any(|line| line.contains("cannot take events in"));
        stuck.then_some(())
    };
    platform.world.eventually("it is told", told).await;
    // Longer than a worker waits before it leaves the messages to another one.
    let left = async || {
        let log = platform.dispatcher.log();
        let left = log.iter().any(|line| line.contains("consuming broke off"));
        left.then_some(())
    };
    platform
        .world
        .eventually("they are left to others", left)
        .await;
    platform.world.database.free_disk().await;

    arrive(&platform, &receiver, &events, Duration::from_secs(10)).await;
    rejected(&platform, 0).await;
    platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_that_came_back_often_is_held_until_it_is_committed() {
    let (mut platform, receiver, stranger) = platform().await;
    assert!(platform.dispatcher.terminate().await);
    let (events, messages) = good(30);
    stranger.publish_all(&messages).await;
    // The dispatcher must not be what brings it over the limit.
    platform
        .world
        .broker
        .give_up_after(u32::try_from(webhook_broker::SUSPECT_AFTER_RETURNS).expect("few") + 1)
        .await;
    for _ in 0..webhook_broker::SUSPECT_AFTER_RETURNS {
        platform.world.broker.leave_with_a_message().await;
    }
    platform.world.database.fill_disk().await;

    platform.dispatcher = Service::dispatcher(&platform.world);
    let told = async || {
        let log = platform.dispatcher.log();
        let stuck = log
            .iter()
            .any(|line| line.contains("cannot take events in"));
        stuck.then_some(())
    };
    platform.world.eventually("it is stuck", told).await;
    // A worker without a suspect in hand would have left after ten seconds, again and again.
    let began = Instant::now();
    let held = async || (began.elapsed() > Duration::from_secs(15)).then_some(());
    platform.world.eventually("it holds on", held).await;
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
    let odd = webhook_tests::event(
        webhook_domain::Environment::Production,
        webhook_domain::EventType::TelemetryFlagged,
    );

    stranger.publish_all(&messages[..25]).await;
    stranger
        .publish_all(&[webhook_tests::StrangersMessage::event(odd.body.to_vec())])
        .await;
    stranger.publish_all(&messages[25..]).await;

    arrive(&platform, &receiver, &events, Duration::from_secs(5)).await;
    let rows = rejected(&platform, 1).await;
    assert!(
        super::reason(&rows[0]).starts_with("Postgres refuses this event"),
        "{}",
        rows[0]
    );
    platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_that_comes_again_after_it_was_removed_stops_no_recording() {
    let (platform, receiver, stranger) = platform().await;
    let (events, messages) = good(2);
    stranger.publish_all(&messages[..1]).await;
    let (world, database) = (&platform.world, &platform.world.database);
    world.becomes("attempts", 1, || database.attempts()).await;

    // As retention does with an event whose delivery is kept still.
    database.execute("DELETE FROM events").await;
    stranger.publish_all(&messages).await;

    arrive(&platform, &receiver, &events, Duration::from_secs(5)).await;
    world.becomes("attempts", 3, || database.attempts()).await;
    assert_eq!(database.pending().await, 0);
    platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn sessions_are_used_again_as_long_as_all_is_well() {
    let (platform, receiver, _) = platform().await;
    let _ = Receiver::answering(&[]).await;
    let stranger = Stranger::connect(&platform.world).await;
    let (events, messages) = good(10);
    let pids = "SELECT string_agg(pid::text, ',' ORDER BY pid) FROM pg_stat_activity
        WHERE datname = current_database() AND backend_start < now() - interval '1 second'
        AND pid <> pg_backend_pid() AND query ILIKE '%rejected_messages%'";

    for _ in 0..20 {
        platform.get("/api/v1/rejected-messages").await;
    }
    let before = async || platform.world.database.ask::<Option<String>>(pids).await;
    let before = platform
        .world
        .eventually("there is a session", before)
        .await;
    for _ in 0..20 {
        platform.get("/api/v1/rejected-messages").await;
    }
    stranger.publish_all(&messages).await;
    arrive(&platform, &receiver, &events, Duration::from_secs(5)).await;

    let after: Option<String> = platform.world.database.ask(pids).await;
    assert_eq!(after, Some(before));
    platform.end().await;
}
