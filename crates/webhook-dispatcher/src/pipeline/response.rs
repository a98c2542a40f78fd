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
        let room = MAX_RESPONSE_BODY_BYTES - body.len();
        body.extend_from_slice(&chunk[..chunk.len().min(room)]);
        if chunk.len() > room {
            return BodyEnd::Cut;
        }
    }
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
}
