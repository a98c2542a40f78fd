//! What an answer means, and what is kept of it.

use std::borrow::Cow;
use std::time::Duration;

use chrono::Utc;
use http::StatusCode;
use http::header::{HeaderMap, RETRY_AFTER};
use tokio::time::{Instant, timeout_at};
use webhook_domain::outside::MAX_RESPONSE_BODY_BYTES;
use webhook_domain::{
    BodyEnd, FailureClass, FailureDetail, HeaderText, Outcome, parse_retry_after,
};
use webhook_store::attempts::{Attempt, Exchange};

use crate::client::Answer;

/// Headers of an answer that help to understand it; the others are not kept.
const HEADERS_OF_INTEREST: [&str; 5] = [
    "content-type",
    "content-length",
    "retry-after",
    "location",
    "server",
];

/// Reads an answer into `attempt` and `said`, its body no further than is kept and no longer than until
/// `deadline`. The head has decided: how the body ends changes the log only.
pub(crate) async fn read(
    mut answer: Answer,
    deadline: Instant,
    attempt: &mut Attempt,
    said: &mut Exchange,
) -> Outcome {
    let status = answer.status;
    attempt.response_status = Some(i32::from(status.as_u16()));
    said.response_headers = headers_of_interest(&answer.headers);
    let retry_after = answer.headers.get(RETRY_AFTER);
    let retry_after = retry_after.and_then(|value| parse_retry_after(value.as_bytes(), Utc::now()));
    let reading = read_body(&mut answer, &mut said.response_body);
    said.response_body_end = timeout_at(deadline, reading)
        .await
        .unwrap_or(BodyEnd::Unfinished);
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

async fn read_body(answer: &mut Answer, body: &mut Vec<u8>) -> BodyEnd {
    loop {
        let chunk = match answer.chunk().await {
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
