//! One signed request to a webhook.

use std::borrow::Cow;
use std::sync::LazyLock;
use std::time::Duration;

use chrono::{DateTime, SubsecRound, Utc};
use http::header::{ACCEPT, HeaderMap, HeaderName, HeaderValue};
use tokio::time::Instant;
use webhook_domain::{NextAttempt, Outcome, RequestHeader, request_headers};
use webhook_store::LeasedDelivery;
use webhook_store::attempts::{Attempt, Exchange, Timing};

use crate::answer::{failed, read};
use crate::client::{Blame, Client, Course, Failure, Outgoing, millis};
use crate::recipient::Recipient;

/// The names of our own headers, in the order of [`RequestHeader::ALL`].
static NAMES: LazyLock<Vec<HeaderName>> = LazyLock::new(|| {
    let names = RequestHeader::ALL.iter().map(|header| header.as_str());
    names
        .map(|name| HeaderName::from_bytes(name.as_bytes()).expect("it is a name"))
        .collect()
});

/// How much longer than its head an answer's body may take.
const BODY_TIME: Duration = Duration::from_secs(1);

/// What is recorded of an attempt, and how it ended.
pub(crate) struct Made {
    pub(crate) attempt: Attempt,
    pub(crate) said: Exchange,
    pub(crate) outcome: Outcome,
    /// Whether its failure is a step towards an open circuit.
    pub(crate) counts: bool,
}

/// How long an attempt may take.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Patience {
    /// How long the receiver has.
    pub(crate) timeout: Duration,
    /// How much more we have, until the lease ends.
    pub(crate) slack: Duration,
}

/// Makes one attempt. It ends in time, whatever the receiver does. The error tells why none was made,
/// which is not the receiver's fault.
pub(crate) async fn attempt(
    client: &Client,
    recipient: &Recipient,
    leased: &LeasedDelivery,
    patience: Patience,
) -> Result<Made, Failure> {
    let (now, began) = (Utc::now(), std::time::Instant::now());
    let mut attempt = Attempt {
        delivery_id: leased.id,
        number: leased.attempts + 1,
        started_at: now.trunc_subsecs(6),
        timing: Timing::default(),
        response_status: None,
        failure_class: None,
        failure_detail: None,
    };
    let ours = sign(recipient, leased, attempt.number, now);
    let mut said = Exchange {
        request_url: recipient.destination.url.clone(),
        ..Exchange::default()
    };
    let mut course = Course::default();
    let sent = send(client, recipient, leased, &ours, patience, &mut course).await;
    let (outcome, counts) = match sent {
        Ok(answer) => {
            attempt.timing.first_byte_ms = Some(millis(began));
            let deadline = body_deadline(began, course.deadline);
            let outcome = read(answer, deadline, &mut attempt, &mut said).await;
            (outcome, true)
        }
        Err(failure) if failure.blame == Blame::Us => return Err(failure),
        Err(failure) => {
            let counts = failure.blame == Blame::Receiver;
            let outcome = failed(&mut attempt, failure.class, failure.detail, None);
            (outcome, counts)
        }
    };
    if let Some(progress) = course.waiting.progress() {
        attempt.timing.dns_ms = progress.dns_ms();
        attempt.timing.connect_ms = progress.connect_ms();
    }
    attempt.timing.duration_ms = millis(began);
    said.repeated = course.repeated;
    said.request_headers = kept(ours, recipient);
    Ok(Made {
        attempt,
        said,
        outcome,
        counts,
    })
}

async fn send(
    client: &Client,
    recipient: &Recipient,
    leased: &LeasedDelivery,
    ours: &[(RequestHeader, String)],
    patience: Patience,
    course: &mut Course,
) -> Result<crate::client::Answer, Failure> {
    let Some(target) = &recipient.target else {
        return Err(Failure::blocked_address());
    };
    let outgoing = Outgoing {
        webhook_id: leased.webhook_id,
        target,
        headers: || headers(recipient, ours),
        body: &leased.event.body,
        timeout: patience.timeout,
        slack: patience.slack,
    };
    client.send(&outgoing, course).await
}

/// Until when an answer's body is read for the log: the head has decided already. One that drips would
/// otherwise hold its place for the whole timeout.
fn body_deadline(began: std::time::Instant, deadline: Option<Instant>) -> Instant {
    let as_long_again = Instant::now() + began.elapsed() + BODY_TIME;
    deadline.map_or(as_long_again, |deadline| deadline.min(as_long_again))
}

fn sign(
    recipient: &Recipient,
    leased: &LeasedDelivery,
    number: i32,
    now: DateTime<Utc>,
) -> Vec<(RequestHeader, String)> {
    let next = NextAttempt {
        event: &leased.event,
        delivery_id: leased.id,
        number,
        at: now,
    };
    request_headers(next, recipient.destination.secrets.valid_at(now))
}

fn headers(recipient: &Recipient, ours: &[(RequestHeader, String)]) -> HeaderMap {
    let mut headers = HeaderMap::with_capacity(ours.len() + recipient.headers.len() + 3);
    for (header, value) in ours {
        let value = HeaderValue::from_str(value).expect("it is written by us");
        headers.append(NAMES[header.position()].clone(), value);
    }
    headers.insert(ACCEPT, HeaderValue::from_static("*/*"));
    for (name, value) in &recipient.headers {
        headers.append(name.clone(), value.clone());
    }
    headers
}

/// What is kept of the headers of a request. The admin's may hold a password: their values are not.
fn kept(
    ours: Vec<(RequestHeader, String)>,
    recipient: &Recipient,
) -> Vec<(Cow<'static, str>, Option<String>)> {
    let ours = ours
        .into_iter()
        .map(|(header, value)| (Cow::Borrowed(header.as_str()), Some(value)));
    let custom = recipient.destination.headers.iter();
    let custom = custom.map(|(name, _)| (Cow::Owned(name.as_str().to_owned()), None));
    ours.chain(custom).collect()
}
