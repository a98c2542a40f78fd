//! Properties that hold for any bytes: one property for each kind of value that strangers write.
//!
//! `./dev fuzz 60` lets libFuzzer search for bytes that break a property, for 60 seconds per
//! property. The tests of this crate try the same properties with random bytes and with mutations
//! of valid seeds. Bytes found by libFuzzer become a seed in `seeds/`.

use std::borrow::Cow;
use std::time::Duration;

use bytes::Bytes;
use chrono::{DateTime, Datelike, Utc};
use lapin::BasicProperties;
use lapin::message::Delivery;
use lapin::types::parsing::parse_field_table;
use serde_json::value::RawValue;
use uuid::Uuid;
use webhook_broker::Message;
use webhook_domain::{
    AddressPolicy, AmqpName, AssignedFields, BodyContext, BodyEnd, BodyFormat, DeliveryId, Event,
    EventId, EventType, FailureDetail, Format, HeaderText, LinkPatterns, OwnSecret,
    ReceivedHeaders, ReceivedRequest, RejectionReason, RenderContext, RetryPolicy, SigningSecret,
    Template, TemplateVersion, UrlSchemes, WebhookUrl, check_signatures, limits_used,
    parse_retry_after,
};
use webhook_store::attempts::Transcript;
use webhook_store::attempts::transcripts::{Rows, read};

/// Any bytes are an event, kept byte for byte, or a refusal of bounded length. Every event accepted
/// over HTTP is an event over AMQP too.
pub fn event(data: &[u8]) {
    let body = Bytes::copy_from_slice(data);
    match Event::parse(body.clone()) {
        Ok(event) => {
            assert_eq!(event.body, data, "byte for byte");
            assert!((0..=9999).contains(&event.timestamp.year()));
            write_in_every_format(&event);
        }
        Err(error) => {
            let reason = RejectionReason::of(&error);
            assert!(reason.as_str().chars().count() <= RejectionReason::MAX_CHARS);
            assert!(
                error.to_string().len() < 64 * 1024,
                "21 fields of 1,200 characters"
            );
        }
    }
    let assigned = AssignedFields {
        id: EventId(Uuid::nil()),
        timestamp: DateTime::UNIX_EPOCH,
    };
    if let Ok(event) = Event::parse_assigning(body, assigned) {
        assert_eq!(
            Event::parse(event.body.clone()).as_ref(),
            Ok(&event),
            "202 is kept"
        );
    }
    webhook_admin::fuzzing::read_fields(data);
}

/// Any table of AMQP headers makes a message whose texts have bounded lengths.
pub fn message_headers(data: &[u8]) {
    let Ok((_, headers)) = parse_field_table(data) else {
        return;
    };
    let mut delivery = Delivery::mock(1, "e".into(), "k".into(), false, Vec::new());
    delivery.properties = BasicProperties::default().with_headers(headers);
    let message = Message::of(delivery);
    let reason = message.rejection.reason.as_str();
    assert!(reason.chars().count() <= RejectionReason::MAX_CHARS && !reason.contains('\0'));
    for name in [
        &message.published_to.exchange,
        &message.published_to.routing_key,
    ] {
        assert!(name.as_str().len() <= AmqpName::MAX_BYTES && !name.as_str().contains('\0'));
    }
}

/// Transcripts are read back as they were written, line by line as Postgres splits a row; and no
/// text in a row breaks the reader.
pub fn exchange_row(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    for place in [0, 1, -1] {
        read(&text, place);
    }
    let middle = data.len() / 2;
    let exchanges = [&data[..middle], &data[middle..], data].map(|part| Transcript {
        request_url: String::from_utf8_lossy(part).into_owned(),
        request_headers: vec![(Cow::Borrowed("a"), Some(text.clone().into_owned()))],
        request_body: (part.len() % 2 == 0).then(|| text.replace('\0', "")),
        template_version: (part.len() % 2 == 0).then_some(TemplateVersion(7)),
        response_headers: vec![(Cow::Borrowed("b"), HeaderText::from_bytes(part))],
        response_body: part.to_vec(),
        response_body_end: BodyEnd::ALL[part.len() % BodyEnd::ALL.len()],
        repeated: (part.len() % 3 == 0).then(|| FailureDetail::from_bytes(part)),
    });
    let rows = Rows::of(exchanges.iter());
    let lines = rows.said.iter().flat_map(|row| row.split('\n').zip(0..));
    let again: Vec<Option<Transcript>> = lines.map(|(line, place)| read(line, place)).collect();
    assert_eq!(again, exchanges.map(Some));
}

/// Any body of a response, under any headers, becomes a text of bounded length.
pub fn response_body(data: &[u8]) {
    let mut parts = data.splitn(3, |byte| *byte == b'\n');
    let mut next = || parts.next().unwrap_or_default();
    let headers = ["content-encoding", "content-type"]
        .map(|name| (Cow::Borrowed(name), HeaderText::from_bytes(next())));
    let body = next();
    for end in BodyEnd::ALL {
        let (bytes, most) = webhook_admin::fuzzing::decode_body(body, *end, &headers);
        assert!(bytes <= most);
    }
}

/// Any `Retry-After` is ignored or asks for at most 30 days, and so does the delay that follows.
pub fn retry_after(data: &[u8]) {
    let month = Duration::from_secs(30 * 24 * 60 * 60);
    let delay = parse_retry_after(data, DateTime::UNIX_EPOCH);
    assert!(delay.is_none_or(|delay| delay <= month));
    let next = RetryPolicy::default().delay_after(1, delay, 0.5);
    assert!(next.is_some_and(|next| next <= month));
}

/// Any text is a position in a list, or refused.
pub fn cursor(data: &[u8]) {
    webhook_admin::fuzzing::read_cursor(&String::from_utf8_lossy(data));
}

/// Any request can be checked, and no request is valid unless we signed the request.
pub fn signature_headers(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let mut lines = text.split('\n');
    let body = Bytes::copy_from_slice(lines.next().unwrap_or_default().as_bytes());
    let names = [
        "X-Webhook-Signature",
        "webhook-id",
        "webhook-timestamp",
        "webhook-signature",
    ];
    let headers = names.into_iter().zip(lines);
    let headers = headers.map(|(name, value)| (name.to_owned(), value.to_owned()));
    let request = ReceivedRequest {
        headers: ReceivedHeaders::new(headers),
        body: body.clone(),
    };
    let own = OwnSecret {
        secret: SigningSecret::from_random([7; 32]),
        valid_until: None,
    };
    let check = check_signatures(&request, &[own], Some(&body), Utc::now());
    assert!(!check.valid);
}

/// A URL that was accepted is accepted again in its normal form.
pub fn url(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    for schemes in [UrlSchemes::HttpsOnly, UrlSchemes::HttpAllowed] {
        let parse = |text: &str| WebhookUrl::parse(text, schemes, &AddressPolicy::default());
        if let Ok(url) = parse(&text) {
            assert!(url.as_str().len() <= WebhookUrl::MAX_BYTES);
            assert_eq!(parse(url.as_str()), Ok(url));
        }
    }
}

/// An event is JSON within the limits of the service in every built-in format.
fn write_in_every_format(event: &Event) {
    let built_in = Format::ALL
        .iter()
        .filter_map(|format| BodyFormat::new(*format, None).ok());
    for format in built_in {
        let body = format.write(&BodyContext {
            event,
            webhook_name: "Alerts",
            delivery_id: DeliveryId(Uuid::nil()),
            links: &LinkPatterns::default(),
            delivery_page: Some("https://webhooks.example.com/admin"),
        });
        assert!(
            serde_json::from_slice::<&RawValue>(&body).is_ok(),
            "{format:?}"
        );
        let limits = limits_used(format.format(), &body);
        assert!(
            limits.iter().all(|limit| !limit.is_exceeded()),
            "{limits:?}"
        );
    }
}

/// A template that was accepted renders any event to JSON within the limit. The first line is the template,
/// the rest the `data` of an event.
pub fn template(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let (template, data) = text.split_once('\n').unwrap_or((&*text, "{}"));
    let Ok(template) = Template::parse(template) else {
        return;
    };
    let Ok(event) = Event::parse(event_with(data)) else {
        return;
    };
    let body = template.render(&RenderContext {
        event: &event,
        webhook_name: "Alerts",
        delivery_id: DeliveryId(Uuid::nil()),
        link: None,
        summary: data,
    });
    assert!(body.len() <= Template::MAX_RESULT_BYTES);
    let body = String::from_utf8(body).expect("JSON is UTF-8");
    let as_data = event_with(&format!("{{\"body\":{body}}}"));
    assert!(Event::parse(as_data).is_ok(), "a rendered body is JSON");
    template.check_paths(EventType::ALL, &[event]);
}

fn event_with(data: &str) -> Bytes {
    Bytes::from(format!(
        r#"{{"id":"0192f0c1-7c1e-7b7e-8d5e-3f1a2b3c4d5e","type":"activation.failed","environment":"staging","timestamp":"2026-11-23T08:15:30Z","data":{data}}}"#
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Valid bytes of every kind. Each property is tried with all of them, and with their
    /// mutations.
    fn seeds() -> Vec<Vec<u8>> {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/seeds");
        let files = std::fs::read_dir(folder).expect("it is there");
        let seeds =
            files.map(|file| std::fs::read(file.expect("a file").path()).expect("it reads"));
        seeds.collect()
    }

    fn all(data: &[u8]) {
        event(data);
        message_headers(data);
        exchange_row(data);
        response_body(data);
        retry_after(data);
        cursor(data);
        signature_headers(data);
        url(data);
        template(data);
    }

    #[test]
    fn good_bytes_and_their_beginnings_break_nothing() {
        for seed in seeds() {
            for end in 0..=seed.len() {
                all(&seed[..end]);
            }
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2_000))]

        #[test]
        fn random_bytes_break_nothing(data in proptest::collection::vec(any::<u8>(), 0..400)) {
            all(&data);
        }

        #[test]
        fn mutations_of_good_bytes_break_nothing(
            mut data in proptest::sample::select(seeds()),
            changes in proptest::collection::vec((any::<usize>(), any::<u8>(), 0..3_u8), 1..6),
        ) {
            for (at, byte, how) in changes {
                let at = at % (data.len() + 1);
                match how {
                    0 => data.insert(at, byte),
                    1 if at < data.len() => data[at] = byte,
                    _ if at < data.len() => {
                        data.remove(at);
                    }
                    _ => {}
                }
            }
            all(&data);
        }
    }
}
