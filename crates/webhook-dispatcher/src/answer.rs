//! What an answer means, and what is kept of it.

use std::borrow::Cow;
use std::time::Duration;

use chrono::Utc;
use reqwest::header::{HeaderMap, RETRY_AFTER};
use reqwest::{Response, StatusCode};
use webhook_domain::outside::MAX_RESPONSE_BODY_BYTES;
use webhook_domain::{
    BodyEnd, FailureClass, FailureDetail, HeaderText, Outcome, parse_retry_after,
};
use webhook_store::attempts::{Attempt, Exchange};

/// Headers of an answer that help to understand it; the others are not kept.
const HEADERS_OF_INTEREST: [&str; 6] = [
    "content-type",
    "content-length",
    "content-encoding",
    "retry-after",
    "location",
    "server",
];

/// Reads an answer into `attempt` and `said`, its body no further than is kept.
pub(crate) async fn read(
    mut response: Response,
    attempt: &mut Attempt,
    said: &mut Exchange,
) -> Outcome {
    let status = response.status();
    attempt.response_status = Some(i32::from(status.as_u16()));
    said.response_headers = headers_of_interest(response.headers());
    let retry_after = response.headers().get(RETRY_AFTER);
    let retry_after = retry_after.and_then(|value| parse_retry_after(value.as_bytes(), Utc::now()));
    // The status is the answer: a body that breaks off changes nothing.
    // Whoever stops this function when the time is over leaves this end behind.
    said.response_body_end = BodyEnd::Unfinished;
    said.response_body_end = loop {
        let chunk = match response.chunk().await {
            Ok(Some(chunk)) => chunk,
            Ok(None) => break BodyEnd::Complete,
            Err(_) => break BodyEnd::BrokenOff,
        };
        let room = MAX_RESPONSE_BODY_BYTES - said.response_body.len();
        said.response_body
            .extend_from_slice(&chunk[..chunk.len().min(room)]);
        if chunk.len() > room {
            break BodyEnd::Cut;
        }
    };
    if status.is_success() {
        return Outcome::Accepted;
    }
    let detail = FailureDetail::of(format_args!("the receiver answered {status}"));
    let failed = failed(attempt, FailureClass::Status, detail, retry_after);
    match status {
        StatusCode::GONE => Outcome::Gone,
        StatusCode::TOO_MANY_REQUESTS
        | StatusCode::BAD_GATEWAY
        | StatusCode::SERVICE_UNAVAILABLE
        | StatusCode::GATEWAY_TIMEOUT => Outcome::Overloaded { retry_after },
        _ => failed,
    }
}

/// Notes why an attempt failed.
pub(crate) fn failed(
    attempt: &mut Attempt,
    class: FailureClass,
    detail: FailureDetail,
    retry_after: Option<Duration>,
) -> Outcome {
    attempt.failure_class = Some(class);
    attempt.failure_detail = Some(detail);
    Outcome::Failed { class, retry_after }
}

fn headers_of_interest(headers: &HeaderMap) -> Vec<(Cow<'static, str>, HeaderText)> {
    let present = HEADERS_OF_INTEREST.iter().filter_map(|name| {
        let value = headers.get(*name)?;
        let text = HeaderText::from_bytes(value.as_bytes());
        Some((Cow::Borrowed(*name), text))
    });
    present.collect()
}
