use std::time::Duration;

use reqwest::Method;
use webhook_domain::{Environment, EventType};
use webhook_tests::{StrangersMessage, event, events};

use super::{arrive, platform, reason, rejected};

/// Bodies that hold an event in a form other than JSON in UTF-8, with words from the reason of the
/// rejection.
fn odd_forms(json: &str) -> [(Vec<u8>, &'static str); 5] {
    let utf16 = json.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let marked = [b"\xef\xbb\xbf", json.as_bytes()].concat();
    let array = format!("[{json}]").into_bytes();
    let two = format!("{json}\n{json}").into_bytes();
    [
        (marked, "byte order mark"),
        (utf16, "UTF-16"),
        (array, "an array; send each event in a message of its own"),
        (two, "more data follows the object"),
        (Vec::new(), "the body is empty"),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rejection_names_the_form_of_a_body_that_is_no_event() {
    let (platform, _, stranger) = platform().await;
    let event = events(1).remove(0);
    let forms = odd_forms(std::str::from_utf8(&event.body).expect("text"));

    let messages = forms.clone().map(|(body, _)| StrangersMessage::event(body));
    stranger.publish_all(&messages).await;

    let rows = rejected(&platform, forms.len()).await;
    for ((_, told), row) in forms.iter().zip(rows.iter().rev()) {
        assert!(reason(row).contains(told), "{told}: {}", reason(row));
    }
    platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rejection_names_the_compression_of_a_body() {
    let (platform, _, stranger) = platform().await;
    let gzip = StrangersMessage {
        content_encoding: Some("gzip".to_owned()),
        ..StrangersMessage::event(b"\x1f\x8b\x08\0\0\0\0\0\0\x03")
    };

    stranger.publish_all(&[gzip]).await;

    let rows = rejected(&platform, 1).await;
    let told =
        "compressed with gzip; send the body uncompressed (its content_encoding is \"gzip\")";
    assert!(reason(&rows[0]).contains(told), "{}", reason(&rows[0]));
    platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_uncompressed_event_under_content_encoding_gzip_is_delivered() {
    let (platform, receiver, stranger) = platform().await;
    let event = events(1).remove(0);
    let message = StrangersMessage {
        content_encoding: Some("gzip".to_owned()),
        ..StrangersMessage::of(&event)
    };

    stranger.publish_all(&[message]).await;

    arrive(&platform, &receiver, &[event], Duration::from_secs(2)).await;
    platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_id_in_upper_case_is_the_same_event_with_a_header_in_lower_case() {
    let (platform, receiver, stranger) = platform().await;
    let lower = event(Environment::Production, EventType::LicenseActivated);
    let (id, text) = (lower.id.to_string(), String::from_utf8(lower.body.to_vec()));
    let upper = text.expect("text").replace(&id, &id.to_uppercase());
    let marker = event(Environment::Production, EventType::LicenseCreated);

    let messages = [upper.as_bytes(), &lower.body, &marker.body];
    let messages = messages.map(|body| StrangersMessage::event(body.to_vec()));
    stranger.publish_all(&messages).await;

    arrive(&platform, &receiver, &[marker], Duration::from_secs(2)).await;
    let received = receiver.received();
    assert_eq!(received.len(), 2, "the second event is known already");
    assert_eq!(received[0].headers["webhook-id"], id);
    assert_eq!(received[0].body, upper.as_bytes(), "byte for byte");
    let path = format!("/api/v1/events/{}", id.to_uppercase());
    let (status, _) = platform.ask(Method::GET, &path, None).await;
    assert_eq!(status, 200);
    platform.end().await;
}
