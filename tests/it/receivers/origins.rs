//! Two webhooks of an origin: an answer belongs to a single request.

use std::time::Duration;

use webhook_tests::{Answer, Platform, Received, Receiver, Then, events};

use crate::receivers::{create, failed_attempts, once, policy};

const EVENTS: usize = 300;

/// The time from an answer to the bytes after the answer.
const LATER: Duration = Duration::from_millis(5);

fn answer_then(first: &[u8], later: &[u8]) -> Answer {
    let pieces = vec![(Duration::ZERO, first.to_vec()), (LATER, later.to_vec())];
    Answer::Pieces(pieces, Then::Serve)
}

/// Whether a receiver with a fault for some events answers 500: for the events whose id ends with a
/// digit from 0 to 4. The other events close the webhook's circuit before ten fail in a row.
fn is_broken_for(request: &Received) -> bool {
    request.headers["webhook-id"].ends_with(|digit| ('0'..='4').contains(&digit))
}

/// A receiver whose path `/odd` answers as `odd` says, `/broken` with 500 to some events, and any
/// other request with 200.
async fn receiver(odd: fn() -> Answer) -> Receiver {
    let script = move |_: usize, request: &Received| match request.target.as_str() {
        "/odd" => odd(),
        "/broken" if is_broken_for(request) => Answer::Status(500),
        _ => Answer::Status(200),
    };
    Receiver::deciding(script).await
}

fn at_path(receiver: &Receiver, path: &str) -> String {
    format!("http://127.0.0.1:{}/{path}", receiver.port())
}

/// Publishes events [`LATER`] apart, and waits until the deliveries of both webhooks end.
async fn publish_to_both(platform: &Platform) {
    let cancel = tokio_util::sync::CancellationToken::new();
    let publisher = platform.publisher(&cancel).await;
    for _ in 0..EVENTS {
        let event = events(1).remove(0);
        publisher
            .publish(&event)
            .await
            .expect("the broker confirms");
        // The pause is the trial: the next request is near to the moment of the late bytes.
        tokio::time::sleep(LATER).await;
    }
    let ended = async || {
        let sql = "SELECT count(*) FROM deliveries WHERE status <> 'pending'";
        (platform.world.database.ask::<i64>(sql).await == 600).then_some(())
    };
    platform.world.patiently("all deliveries end", ended).await;
    cancel.cancel();
}

/// B11: a 204 cannot have a body; bytes after a 204 are no answer.
#[tokio::test(flavor = "multi_thread")]
async fn a_204_with_a_body_that_comes_later_fails_no_attempt_of_either_webhook() {
    let late_body = || {
        let head = b"HTTP/1.1 204 No Content\r\ncontent-length: 5\r\n\r\n";
        answer_then(head, b"hello")
    };
    let platform = Platform::with_dispatcher(&[]).await;
    let receiver = receiver(late_body).await;
    let odd = create(&platform, &at_path(&receiver, "odd"), &policy(3, 2_000)).await;
    let other = create(&platform, &at_path(&receiver, "other"), &policy(3, 2_000)).await;

    publish_to_both(&platform).await;

    let failed = [
        failed_attempts(&platform, &odd).await,
        failed_attempts(&platform, &other).await,
    ];
    assert_eq!(failed, [0, 0], "failed attempts of the two webhooks");
    platform.end().await;
}

/// B11: a forged answer must not count for a request of another webhook.
#[tokio::test(flavor = "multi_thread")]
async fn a_forged_answer_of_a_webhook_is_no_success_of_another_webhook_of_the_origin() {
    let forged = || {
        let answer = b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n";
        answer_then(answer, answer)
    };
    let platform = Platform::with_dispatcher(&[]).await;
    let receiver = receiver(forged).await;
    create(&platform, &at_path(&receiver, "odd"), &once()).await;
    let broken = create(&platform, &at_path(&receiver, "broken"), &once()).await;

    publish_to_both(&platform).await;

    let lost = format!(
        "SELECT count(*) FROM deliveries WHERE webhook_id = '{broken}' AND status = 'succeeded'
         AND right(event_id::text, 1) BETWEEN '0' AND '4'"
    );
    let lost: i64 = platform.world.database.ask(&lost).await;
    assert_eq!(lost, 0, "succeeded deliveries after an answer of 500");
    platform.end().await;
}
