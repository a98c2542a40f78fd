//! One request to a webhook, and what its answer means.

use std::time::{Duration, Instant};

use chrono::{DateTime, SubsecRound, Utc};
use reqwest::header::{CONTENT_TYPE, HeaderMap, RETRY_AFTER};
use reqwest::{Client, Response, StatusCode};
use webhook_domain::{AddressPolicy, FailureClass, Outcome, sign};
use webhook_store::attempts::Attempt;
use webhook_store::webhooks::Destination;

use crate::courier::Leased;
use crate::target;

/// How much of an answer's body is kept.
const MAX_BODY_BYTES: usize = 16 * 1024;

/// Headers of an answer that help to understand it.
const HEADERS_OF_INTEREST: [&str; 5] = [
    "content-type",
    "content-length",
    "retry-after",
    "location",
    "server",
];

/// What is recorded of an attempt, and how it ended.
pub(crate) struct Answer {
    pub(crate) attempt: Attempt,
    pub(crate) outcome: Outcome,
}

/// Makes one attempt. It ends within `timeout`, whatever the receiver does.
pub(crate) async fn attempt(
    client: &Client,
    addresses: &AddressPolicy,
    destination: &Destination,
    leased: &Leased,
    timeout: Duration,
) -> Answer {
    let number = leased.attempts + 1;
    let (started_at, clock) = (Utc::now().trunc_subsecs(6), Instant::now());
    let mut attempt = Attempt {
        delivery_id: leased.id,
        number,
        started_at,
        duration_ms: 0,
        response_status: None,
        response_headers: Vec::new(),
        response_body: Vec::new(),
        response_body_truncated: false,
        failure_class: None,
        failure_detail: None,
    };
    let exchange = exchange(client, addresses, destination, leased, &mut attempt);
    let outcome = match tokio::time::timeout(timeout, exchange).await {
        Ok(outcome) => outcome,
        Err(_) => failed(
            &mut attempt,
            FailureClass::Timeout,
            "the receiver took too long",
        ),
    };
    attempt.duration_ms = i32::try_from(clock.elapsed().as_millis()).unwrap_or(i32::MAX);
    Answer { attempt, outcome }
}

async fn exchange(
    client: &Client,
    addresses: &AddressPolicy,
    destination: &Destination,
    leased: &Leased,
    attempt: &mut Attempt,
) -> Outcome {
    if target::is_blocked_literal(&destination.url, addresses) {
        let detail = "the URL's address must not be called";
        return failed(attempt, FailureClass::BlockedAddress, detail);
    }
    match send(client, destination, leased, attempt.number).await {
        Ok(response) => read(response, attempt).await,
        Err(error) => failed(
            attempt,
            target::failure_class(&error),
            &target::describe(&error),
        ),
    }
}

async fn send(
    client: &Client,
    destination: &Destination,
    leased: &Leased,
    number: i32,
) -> reqwest::Result<Response> {
    let event = &leased.event;
    let timestamp = Utc::now().timestamp();
    let signatures = sign(&destination.secrets, event.id, timestamp, &event.body);
    let request = client
        .post(&destination.url)
        .header(CONTENT_TYPE, "application/json")
        .header("X-Webhook-Signature", signatures.platform)
        .header("webhook-id", event.id.to_string())
        .header("webhook-timestamp", timestamp)
        .header("webhook-signature", signatures.standard)
        .header("X-Webhook-Event", event.event_type.as_str())
        .header("X-Webhook-Environment", event.environment.as_str())
        .header("X-Webhook-Delivery", leased.id.to_string())
        .header("X-Webhook-Attempt", number)
        .body(event.body.clone());
    request.send().await
}

async fn read(mut response: Response, attempt: &mut Attempt) -> Outcome {
    let status = response.status();
    attempt.response_status = Some(i32::from(status.as_u16()));
    attempt.response_headers = headers_of_interest(response.headers());
    let retry_after = retry_after(response.headers(), Utc::now());
    // The status is the answer: a body that breaks off changes nothing.
    while let Ok(Some(chunk)) = response.chunk().await {
        let room = MAX_BODY_BYTES - attempt.response_body.len();
        attempt
            .response_body
            .extend_from_slice(&chunk[..chunk.len().min(room)]);
        if chunk.len() > room {
            attempt.response_body_truncated = true;
            break;
        }
    }
    if status.is_success() {
        return Outcome::Accepted;
    }
    let failed = failed(
        attempt,
        FailureClass::Status,
        &format!("the receiver answered {status}"),
    );
    match (status, failed) {
        (StatusCode::GONE, _) => Outcome::Gone,
        (_, Outcome::Failed { class, .. }) => Outcome::Failed { class, retry_after },
        (_, other @ (Outcome::Accepted | Outcome::Gone)) => other,
    }
}

fn failed(attempt: &mut Attempt, class: FailureClass, detail: &str) -> Outcome {
    attempt.failure_class = Some(class);
    attempt.failure_detail = Some(detail.to_owned());
    Outcome::Failed {
        class,
        retry_after: None,
    }
}

fn headers_of_interest(headers: &HeaderMap) -> Vec<(String, String)> {
    let present = HEADERS_OF_INTEREST.iter().filter_map(|name| {
        let value = headers.get(*name)?;
        Some((
            (*name).to_owned(),
            String::from_utf8_lossy(value.as_bytes()).into_owned(),
        ))
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
