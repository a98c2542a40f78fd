//! Events in order, by a field of the data.

use std::collections::HashMap;
use std::time::Duration;

use webhook_domain::{Environment, Event, EventType};
use webhook_tests::rows::{lease, take_in};
use webhook_tests::{Answer, Received, Receiver, Stage, event_with};

/// Events about `keys` licenses in turn, numbered from 0.
fn numbered(count: usize, keys: usize) -> Vec<Event> {
    (0..count)
        .map(|number| {
            let data = format!(
                r#"{{"license_id":"lic_{}","number":{number}}}"#,
                number % keys
            );
            event_with(Environment::Production, EventType::LicenseUpdated, &data)
        })
        .collect()
}

/// An event's license and number.
fn place(body: &[u8]) -> (String, u64) {
    let event: serde_json::Value = serde_json::from_slice(body).expect("JSON");
    let license = event["data"]["license_id"].as_str().expect("a license");
    (
        license.to_owned(),
        event["data"]["number"].as_u64().expect("a number"),
    )
}

/// The numbers of each license's events in the order of arrival; retries count once.
fn orders(received: &[Received]) -> HashMap<String, Vec<u64>> {
    let mut orders: HashMap<String, Vec<u64>> = HashMap::new();
    for request in received {
        let (license, number) = place(&request.body);
        let order = orders.entry(license).or_default();
        if order.last() != Some(&number) {
            order.push(number);
        }
    }
    orders
}

/// An ordered stage of three dispatchers. The receiver refuses the fourth event of all, the first of
/// its license, three times.
async fn stage_with_a_failing_event() -> Stage {
    let receiver = Receiver::deciding(|_, request| {
        let is_failing = place(&request.body) == ("lic_3".to_owned(), 3);
        let fails = is_failing && request.headers["x-webhook-attempt"] != "4";
        Answer::Status(if fails { 500 } else { 200 })
    });
    let stage = Stage::with()
        .receiver(receiver.await)
        .ordered()
        .attempts(5)
        .initial_interval(Duration::from_millis(300))
        .timeout(Duration::from_secs(5))
        .dispatchers(3);
    stage.start().await
}

#[tokio::test(flavor = "multi_thread")]
async fn events_with_one_key_arrive_in_order() {
    let stage = stage_with_a_failing_event().await;

    stage.publish_all(&numbered(200, 10)).await;
    stage.ended(200).await;

    let accepted = orders(&stage.receiver.received());
    assert_eq!(accepted.len(), 10);
    for (license, order) in &accepted {
        let first = order[0];
        let expected: Vec<u64> = (0..20).map(|step| first + step * 10).collect();
        assert_eq!(order, &expected, "{license}");
    }
    stage.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failing_event_holds_back_only_events_with_the_same_key() {
    let stage = stage_with_a_failing_event().await;

    stage.publish_all(&numbered(200, 10)).await;
    stage.ended(200).await;

    let received = stage.receiver.received();
    let last = |license: &str| {
        let of_license = |r: &&Received| place(&r.body).0 == license;
        received.iter().filter(of_license).map(|r| r.at).max()
    };
    assert!(last("lic_3") > last("lic_4"), "the others did not wait");
    stage.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_without_the_ordering_field_waits_for_no_other_event() {
    let receiver = Receiver::answering(&[500]).await;
    let stage = Stage::with().receiver(receiver).ordered_by("nothing");
    let stage = stage.start().await;

    stage.publish_all(&numbered(20, 1)).await;

    stage.ended(20).await;
    stage.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_turn_that_was_missed_is_made_up_for() {
    let stage = Stage::with().ordered().start().await;
    let mut connection = stage.world.database.connection().await;

    // A dispatcher dies between the commit and the look for turns.
    let taken_in = take_in(&mut connection, &numbered(3, 1), lease(60)).await;
    drop(connection);

    assert_eq!((taken_in.leased.len(), taken_in.turns.len()), (0, 3));
    stage.ended(3).await;
    stage.end().await;
}
