//! Reading a response: the outcome, and the recorded part of the head and body.

use std::borrow::Cow;

use chrono::Utc;
use http::StatusCode;
use http::header::{HeaderMap, HeaderValue, RETRY_AFTER};
use tokio::time::{Instant, timeout_at};
use webhook_domain::outside::MAX_RESPONSE_BODY_BYTES;
use webhook_domain::{
    Answer, BodyEnd, FailureClass, FailureDetail, Format, HeaderText, JudgedAnswer, Outcome,
    RateHeaders, judge_answer, meaning_behind_cdn, parse_retry_after,
};
use webhook_store::attempts::{Attempt, Transcript};

use crate::client::{Failure, Response};

/// The recorded headers of a response: those of help to understand the outcome.
const HEADERS_OF_INTEREST: [&str; 12] = [
    "content-type",
    "content-length",
    "content-encoding",
    "retry-after",
    "location",
    "server",
    "x-ratelimit-limit",
    "x-ratelimit-remaining",
    "x-ratelimit-reset-after",
    "x-ratelimit-bucket",
    "x-ratelimit-global",
    "x-ratelimit-scope",
];

/// Reads a response into `attempt` and `transcript`: of the body no more than is recorded, and no longer
/// than until `deadline`. For a receiver of events the status decides on the outcome, and how the body ends
/// changes the log only; chat services tell more by the body's first bytes.
pub(crate) async fn read(
    mut response: Response,
    format: Format,
    deadline: Instant,
    attempt: &mut Attempt,
    transcript: &mut Transcript,
) -> JudgedAnswer {
    let status = response.status;
    attempt.response_status = Some(i32::from(status.as_u16()));
    transcript.response_headers = headers_of_interest(&response.headers);
    let retry_after = response.headers.get(RETRY_AFTER);
    let retry_after = retry_after.and_then(|value| parse_retry_after(value.as_bytes(), Utc::now()));
    let reading = read_body(&mut response, &mut transcript.response_body);
    transcript.response_body_end = timeout_at(deadline, reading)
        .await
        .unwrap_or(BodyEnd::Unfinished);
    let value_of = |name: &str| response.headers.get(name).map(HeaderValue::as_bytes);
    let answer = judge_answer(&Answer {
        format,
        status: status.as_u16(),
        retry_after,
        body: &transcript.response_body,
        rate: RateHeaders::read(value_of),
    });
    if let Some(class) = class_of(answer.outcome) {
        attempt.failure_class = Some(class);
        attempt.failure_detail = Some(match answer.meaning {
            Some(meaning) => FailureDetail::of(format_args!("the receiver answered {meaning}")),
            None => describe(status),
        });
    }
    answer
}

/// The class of a response's failure; `None`: the response accepts the delivery.
fn class_of(outcome: Outcome) -> Option<FailureClass> {
    match outcome {
        Outcome::Accepted => None,
        Outcome::Failed { class, .. } => Some(class),
        Outcome::Gone
        | Outcome::Refused
        | Outcome::Forbidden
        | Outcome::Throttled { .. }
        | Outcome::Overloaded { .. } => Some(FailureClass::Status),
    }
}

/// A status in words, such as `the receiver answered 503 Service Unavailable`: the number with the name,
/// or with the meaning of a CDN's status, or alone.
fn describe(status: StatusCode) -> FailureDetail {
    let (code, name) = (status.as_u16(), status.canonical_reason());
    match (meaning_behind_cdn(code), name) {
        (Some(meaning), _) => {
            FailureDetail::of(format_args!("the receiver answered {code} ({meaning})"))
        }
        (None, Some(name)) => {
            FailureDetail::of(format_args!("the receiver answered {code} {name}"))
        }
        (None, None) => FailureDetail::of(format_args!("the receiver answered {code}")),
    }
}

async fn read_body(response: &mut Response, body: &mut Vec<u8>) -> BodyEnd {
    loop {
        let chunk = match response.chunk().await {
            Ok(Some(chunk)) => chunk,
            Ok(None) => return BodyEnd::Complete,
            Err(_) => return BodyEnd::BrokenOff,
        };
        if !keep(body, &chunk) {
            return BodyEnd::Cut;
        }
    }
}

/// Keeps a piece of a body as far as there is room. Returns whether all of the piece is kept.
fn keep(body: &mut Vec<u8>, chunk: &[u8]) -> bool {
    let room = MAX_RESPONSE_BODY_BYTES - body.len();
    body.extend_from_slice(&chunk[..chunk.len().min(room)]);
    chunk.len() <= room
}

/// Notes in an attempt why there was no response.
pub(crate) fn note_failure(attempt: &mut Attempt, failure: Failure) -> JudgedAnswer {
    let class = failure.class;
    attempt.failure_class = Some(class);
    attempt.failure_detail = Some(failure.detail);
    JudgedAnswer::of(Outcome::Failed {
        class,
        retry_after: None,
    })
}

fn headers_of_interest(headers: &HeaderMap) -> Vec<(Cow<'static, str>, HeaderText)> {
    let present = HEADERS_OF_INTEREST.iter().filter_map(|name| {
        let value = headers.get(*name)?;
        let text = HeaderText::from_bytes(value.as_bytes());
        Some((Cow::Borrowed(*name), text))
    });
    present.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::{Client, Connector, Outgoing, SendTrace, Target};
    use crate::pipeline::request::begin;
    use crate::pipeline::sample::leased;
    use bytes::Bytes;
    use chrono::DateTime;
    use rstest::rstest;
    use std::sync::Arc;
    use std::time::Duration;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;
    use webhook_domain::AddressPolicy;

    #[test]
    fn a_status_is_told_with_its_name_or_its_meaning_if_it_has_one() {
        let told = |code| {
            let status = StatusCode::from_u16(code).expect("a status");
            describe(status).into_string()
        };

        assert_eq!(told(503), "the receiver answered 503 Service Unavailable");
        assert_eq!(
            told(522),
            "the receiver answered 522 (connection timed out behind the CDN)"
        );
        assert_eq!(told(599), "the receiver answered 599");
    }

    #[rstest]
    #[case(Outcome::Accepted, None)]
    #[case(Outcome::Gone, Some(FailureClass::Status))]
    #[case(Outcome::Throttled { retry_after: None }, Some(FailureClass::Status))]
    #[case(
        Outcome::Failed { class: FailureClass::Body, retry_after: None },
        Some(FailureClass::Body)
    )]
    fn a_response_that_does_not_accept_has_a_class_of_failure(
        #[case] outcome: Outcome,
        #[case] class: Option<FailureClass>,
    ) {
        assert_eq!(class_of(outcome), class);
    }

    #[test]
    fn a_body_is_kept_up_to_its_bound() {
        let mut body = Vec::new();

        let first = keep(&mut body, &[b'a'; MAX_RESPONSE_BODY_BYTES - 2]);
        let to_the_bound = keep(&mut body, b"bc");
        let empty = keep(&mut body, b"");
        let beyond = keep(&mut body, b"d");

        assert!(first && to_the_bound && empty && !beyond);
        assert_eq!(body.len(), MAX_RESPONSE_BODY_BYTES);
        assert!(body.ends_with(b"abc"));
    }

    #[test]
    fn only_the_headers_of_help_are_recorded() {
        let mut headers = HeaderMap::new();
        headers.insert("set-cookie", HeaderValue::from_static("id=1"));
        headers.insert("server", HeaderValue::from_static("nginx"));
        headers.insert(RETRY_AFTER, HeaderValue::from_static("5"));

        let recorded = headers_of_interest(&headers);

        let recorded: Vec<_> = recorded
            .iter()
            .map(|(name, value)| (&**name, value.as_str()))
            .collect();
        assert_eq!(recorded, [("retry-after", "5"), ("server", "nginx")]);
    }

    #[test]
    fn a_failure_without_a_response_is_noted_with_its_class_and_its_detail() {
        let mut attempt = begin(&leased(1, 0), DateTime::UNIX_EPOCH);

        let answer = note_failure(&mut attempt, Failure::blocked_address());

        let class = FailureClass::BlockedAddress;
        let failed = Outcome::Failed {
            class,
            retry_after: None,
        };
        assert_eq!(
            (answer.outcome, attempt.failure_class),
            (failed, Some(class))
        );
        let detail = attempt.failure_detail.map(FailureDetail::into_string);
        let expected = "the URL's address must not be called";
        assert_eq!(detail.as_deref(), Some(expected));
    }

    const TIMEOUT: Duration = Duration::from_secs(5);

    /// The response of a receiver that answers with these bytes and closes the connection.
    async fn response(answer: &str) -> Response {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("http://{}/", listener.local_addr().expect("an address"));
        let loopback = AddressPolicy {
            allowed: vec!["127.0.0.0/8".parse().expect("a network")],
        };
        let connector = Connector::new(loopback.clone(), &[]).expect("a connector");
        let client = Client::new(Arc::new(connector), TIMEOUT);
        let outgoing = Outgoing {
            webhook_id: leased(1, 0).webhook_id,
            target: &Target::new(&url, &loopback).expect("a target"),
            headers: HeaderMap::new,
            body: &Bytes::new(),
            timeout: TIMEOUT,
            slack: Duration::ZERO,
        };
        let serve = async {
            let (mut stream, _) = listener.accept().await.expect("a connection");
            let _ = stream.read(&mut [0; 4_096]).await;
            stream
                .write_all(answer.as_bytes())
                .await
                .expect("an answer");
        };
        let mut trace = SendTrace::default();
        let (sent, ()) = tokio::join!(client.send(&outgoing, &mut trace), serve);
        sent.expect("a response")
    }

    #[rstest]
    #[case::whole("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok", BodyEnd::Complete)]
    #[case::broken_off("HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nok", BodyEnd::BrokenOff)]
    #[tokio::test]
    async fn a_body_is_read_to_its_end(#[case] answer: &str, #[case] end: BodyEnd) {
        let (mut response, mut body) = (response(answer).await, Vec::new());

        let ended = read_body(&mut response, &mut body).await;

        assert_eq!((ended, &body[..]), (end, &b"ok"[..]));
    }
}
