use std::time::Duration;

use reqwest::Method;
use webhook_domain::{Environment, EventType};
use webhook_tests::{StrangersMessage, event};

use super::{arrive, platform, reason, rejected};

#[tokio::test(flavor = "multi_thread")]
async fn what_a_body_is_instead_of_an_event_is_told_by_name() {
    let (platform, _, stranger) = platform().await;
    let event = event(Environment::Production, EventType::LicenseActivated);
    let text = std::str::from_utf8(&event.body).expect("text");
    let utf16: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let cases: [(Vec<u8>, Option<&str>, &str); 6] = [
        (
            [b"\xef\xbb\xbf", text.as_bytes()].concat(),
            None,
            "byte order mark",
        ),
        (utf16, None, "UTF-16"),
        (
            b"\x1f\x8b\x08\0\0\0\0\0\0\x03".to_vec(),
            Some("gzip"),
            "compressed with gzip; send the body uncompressed (its content_encoding is \"gzip\")",
        ),
        (
            format!("[{text}]").into_bytes(),
            None,
            "an array; send each event in a message of its own",
        ),
        (
            format!("{text}\n{text}").into_bytes(),
            None,
            "more data follows the object",
        ),
        (Vec::new(), None, "the body is empty"),
    ];

    for (body, encoding, _) in &cases {
        let message = StrangersMessage {
            content_encoding: encoding.map(str::to_owned),
            ..StrangersMessage::event(body.clone())
        };
        stranger.publish_all(&[message]).await;
    }

    let rows = rejected(&platform, cases.len()).await;
    for ((.., told), row) in cases.iter().zip(rows.iter().rev()) {
        assert!(reason(row).contains(told), "{told}: {}", reason(row));
    }
    platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_that_says_it_is_compressed_and_is_not_is_delivered() {
    let (platform, receiver, stranger) = platform().await;
    let event = event(Environment::Production, EventType::LicenseActivated);
    let message = StrangersMessage {
        content_encoding: Some("gzip".to_owned()),
        ..StrangersMessage::event(event.body.to_vec())
    };

    stranger.publish_all(&[message]).await;

    arrive(&platform, &receiver, &[event], Duration::from_secs(2)).await;
    platform.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_id_in_upper_case_is_the_same_event_and_its_header_is_in_lower_case() {
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
    assert_eq!(received.len(), 2, "the second one was known already");
    assert_eq!(received[0].headers["webhook-id"], id);
    assert_eq!(received[0].body, upper.as_bytes(), "byte for byte");
    let path = format!("/api/v1/events/{}", id.to_uppercase());
    let (status, _) = platform.ask(Method::GET, &path, None).await;
    assert_eq!(status, 200);
    platform.end().await;
}
