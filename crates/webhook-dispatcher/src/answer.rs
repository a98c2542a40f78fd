//! What an answer means, and what is kept of it.

use std::borrow::Cow;
use std::time::Duration;

use chrono::{DateTime, Utc};
use reqwest::header::{HeaderMap, RETRY_AFTER};
use reqwest::{Response, StatusCode};
use webhook_domain::outside::MAX_RESPONSE_BODY_BYTES;
use webhook_domain::{FailureClass, FailureDetail, HeaderText, Outcome};
use webhook_store::attempts::{Attempt, Exchange};

/// Headers of an answer that help to understand it; the others are not kept.
const HEADERS_OF_INTEREST: [&str; 5] = [
    "content-type",
    "content-length",
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
    let retry_after = retry_after(response.headers(), Utc::now());
    // The status is the answer: a body that breaks off changes nothing.
    while let Ok(Some(chunk)) = response.chunk().await {
        let room = MAX_RESPONSE_BODY_BYTES - said.response_body.len();
        said.response_body
            .extend_from_slice(&chunk[..chunk.len().min(room)]);
        if chunk.len() > room {
            said.response_body_truncated = true;
            break;
        }
    }
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

/// `Retry-After` (RFC 9110 section 10.2.3): seconds, or a date. What is past or nonsense is none.
fn retry_after(headers: &HeaderMap, now: DateTime<Utc>) -> Option<Duration> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    if let Ok(seconds) = text.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let date = DateTime::parse_from_rfc2822(text).ok()?;
    (date.to_utc() - now).to_std().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn retry_after_is_read_as_seconds_or_as_a_date() {
        let now = DateTime::UNIX_EPOCH;
        let read = |text: &'static str| {
            let headers = HeaderMap::from_iter([(RETRY_AFTER, text.parse().expect("a value"))]);
            retry_after(&headers, now).map(|delay| delay.as_secs())
        };

        assert_eq!(read("120"), Some(120));
        assert_eq!(read("Thu, 01 Jan 1970 00:01:00 GMT"), Some(60));
        assert_eq!(read("Wed, 31 Dec 1969 23:59:00 GMT"), None);
        assert_eq!(read("-5"), None);
        assert_eq!(read("soon"), None);
    }
}
