//! URLs that the API wants looked at: asked for in Postgres, looked at by a dispatcher.

use chrono::{TimeDelta, Utc};
use uuid::Uuid;
use webhook_domain::{FailureClass, UrlReport, WebhookId};
use webhook_store::url_checks::{self, OpenUrlCheck};
use webhook_tests::rows::{URL, lease};
use webhook_tests::{Stage, World};

#[tokio::test(flavor = "multi_thread")]
async fn a_dispatcher_looks_at_a_url_without_a_request() {
    let stage = Stage::new(&[]).await;
    let mut connection = stage.world.database.connection().await;
    let urls = [stage.receiver.url.as_str(), "http://10.0.0.1/"];

    let mut reports = Vec::new();
    for url in urls {
        let id = url_checks::request(&mut connection, stage.webhook_id, url).await;
        let id = id.expect("it is written");
        let done = async || {
            let found = url_checks::find(&mut connection, id).await;
            found.expect("it reads")
        };
        reports.push(stage.world.eventually("it is looked at", done).await);
    }

    let class = |report: &UrlReport| report.failure.as_ref().map(|failure| failure.class);
    assert!(reports[0].connection.is_some());
    assert_eq!(class(&reports[0]), None);
    assert_eq!(class(&reports[1]), Some(FailureClass::BlockedAddress));
    assert_eq!(stage.receiver.count(), 0);
    drop(connection);
    stage.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_url_check_is_taken_once_and_again_when_its_taker_is_gone() {
    let world = World::new().await;
    let mut connection = world.database.connection().await;
    let webhook = WebhookId(Uuid::now_v7());

    let id = url_checks::request(&mut connection, webhook, URL).await;
    let id = id.expect("it is written");
    let past = Utc::now() - TimeDelta::seconds(1);
    let gone = url_checks::take_open(&mut connection, past, 10).await;
    let taken = url_checks::take_open(&mut connection, lease(60), 10).await;
    let in_hand = url_checks::take_open(&mut connection, lease(60), 10).await;
    let unfinished = url_checks::find(&mut connection, id).await;
    let report = UrlReport::default();
    url_checks::finish(&mut connection, id, &report)
        .await
        .expect("it is written");

    let open = OpenUrlCheck {
        id,
        url: URL.to_owned(),
    };
    let taken = taken.expect("it reads");
    assert_eq!(gone.expect("it reads"), taken);
    assert_eq!(taken, [open]);
    assert!(in_hand.expect("it reads").is_empty());
    assert_eq!(unfinished.expect("it reads"), None);
    let found = url_checks::find(&mut connection, id).await;
    assert_eq!(found.expect("it reads"), Some(report));
    drop(connection);
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn old_url_checks_are_neither_taken_nor_kept() {
    let world = World::new().await;
    let mut connection = world.database.connection().await;
    let webhook = WebhookId(Uuid::now_v7());
    let ask = "SELECT count(*) FROM url_checks";

    url_checks::request(&mut connection, webhook, URL)
        .await
        .expect("it is written");
    world
        .database
        .execute("UPDATE url_checks SET requested_at = now() - interval '61 minutes'")
        .await;
    let taken = url_checks::take_open(&mut connection, lease(60), 10).await;
    let before: i64 = world.database.ask(ask).await;
    url_checks::request(&mut connection, webhook, URL)
        .await
        .expect("it is written");
    let after: i64 = world.database.ask(ask).await;

    assert!(taken.expect("it reads").is_empty());
    assert_eq!((before, after), (1, 1));
    drop(connection);
    world.end().await;
}
