//! URL checks: requested by the API in Postgres, done by a dispatcher.

use chrono::{DateTime, TimeDelta, Utc};
use uuid::Uuid;
use webhook_domain::{FailureClass, UrlReport, WebhookId};
use webhook_store::Connection;
use webhook_store::url_checks::{self, OpenUrlCheck};
use webhook_tests::rows::{URL, lease};
use webhook_tests::{Stage, World};

/// Requests a check of a URL for a webhook, and returns the check's id.
async fn request(connection: &mut Connection, webhook: WebhookId, url: &str) -> Uuid {
    let requested = url_checks::request(connection, webhook, url).await;
    requested.expect("the check is requested")
}

/// Takes up to ten open checks.
async fn take_open(connection: &mut Connection, until: DateTime<Utc>) -> Vec<OpenUrlCheck> {
    let taken = url_checks::take_open(connection, until, 10).await;
    taken.expect("the checks are taken")
}

/// The report of a check, if already written.
async fn report_of(connection: &mut Connection, id: Uuid) -> Option<UrlReport> {
    let found = url_checks::find(connection, id).await;
    found.expect("the check is read")
}

/// Requests a check, and waits for the dispatcher's report.
async fn checked(stage: &Stage, url: &str) -> UrlReport {
    let mut connection = stage.world.database.connection().await;
    let id = request(&mut connection, stage.webhook_id, url).await;
    let done = async || report_of(&mut connection, id).await;
    stage.world.eventually("the URL is checked", done).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dispatcher_checks_a_url_without_a_request() {
    let stage = Stage::new(&[]).await;

    let reachable = checked(&stage, &stage.receiver.url).await;
    let blocked = checked(&stage, "http://10.0.0.1/").await;

    assert!(reachable.connection.is_some());
    assert!(reachable.failure.is_none());
    let class = blocked.failure.map(|failure| failure.class);
    assert_eq!(class, Some(FailureClass::BlockedAddress));
    assert_eq!(stage.receiver.count(), 0);
    stage.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_url_check_is_taken_once_and_again_when_its_lease_has_ended() {
    let world = World::new().await;
    let mut connection = world.database.connection().await;
    let id = request(&mut connection, WebhookId(Uuid::now_v7()), URL).await;
    let url = URL.to_owned();

    let past = Utc::now() - TimeDelta::seconds(1);
    let abandoned = take_open(&mut connection, past).await;
    let taken = take_open(&mut connection, lease(60)).await;
    let while_leased = take_open(&mut connection, lease(60)).await;

    assert_eq!(taken, [OpenUrlCheck { id, url }]);
    assert_eq!(abandoned, taken);
    assert!(while_leased.is_empty());
    drop(connection);
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_url_check_has_no_report_before_its_end() {
    let world = World::new().await;
    let mut connection = world.database.connection().await;
    let id = request(&mut connection, WebhookId(Uuid::now_v7()), URL).await;
    take_open(&mut connection, lease(60)).await;

    let before = report_of(&mut connection, id).await;
    let report = UrlReport::default();
    let finished = url_checks::finish(&mut connection, id, &report).await;
    finished.expect("the report is stored");

    assert_eq!(before, None);
    assert_eq!(report_of(&mut connection, id).await, Some(report));
    drop(connection);
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn old_url_checks_are_neither_taken_nor_kept() {
    let world = World::new().await;
    let mut connection = world.database.connection().await;
    let webhook = WebhookId(Uuid::now_v7());
    let checks = "SELECT count(*) FROM url_checks";

    request(&mut connection, webhook, URL).await;
    let age = "UPDATE url_checks SET requested_at = now() - interval '61 minutes'";
    world.database.execute(age).await;
    let taken = take_open(&mut connection, lease(60)).await;
    let before: i64 = world.database.ask(checks).await;
    request(&mut connection, webhook, URL).await;
    let after: i64 = world.database.ask(checks).await;

    assert!(taken.is_empty());
    assert_eq!((before, after), (1, 1));
    drop(connection);
    world.end().await;
}
