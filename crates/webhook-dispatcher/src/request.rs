//! One signed request to a webhook.

use std::borrow::Cow;
use std::sync::LazyLock;
use std::time::Duration;

use chrono::{DateTime, SubsecRound, Utc};
use reqwest::header::{HeaderName, HeaderValue};
use reqwest::{Client, Method, Request, Url};
use webhook_domain::{FailureClass, NextAttempt, Outcome, RequestHeader, request_headers};
use webhook_store::attempts::{Attempt, Exchange, Timing};

use crate::answer::{failed, read};
use crate::leased::Leased;
use crate::recipient::Recipient;
use crate::target;
use crate::timing::Clock;

/// The names of our own headers, in the order of [`RequestHeader::ALL`].
static NAMES: LazyLock<Vec<HeaderName>> = LazyLock::new(|| {
    let names = RequestHeader::ALL.iter().map(|header| header.as_str());
    names
        .map(|name| HeaderName::from_bytes(name.as_bytes()).expect("it is a name"))
        .collect()
});

/// What is recorded of an attempt, and how it ended.
pub(crate) struct Answer {
    pub(crate) attempt: Attempt,
    pub(crate) said: Exchange,
    pub(crate) outcome: Outcome,
}

/// Makes one attempt. It ends within `timeout`, whatever the receiver does.
pub(crate) async fn attempt(
    client: &Client,
    recipient: &Recipient,
    leased: &Leased,
    timeout: Duration,
) -> Answer {
    let (now, clock) = (Utc::now(), Clock::start());
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
    let exchange = async {
        let Some(url) = &recipient.url else {
            let detail = "the URL's address must not be called";
            return failed(
                &mut attempt,
                FailureClass::BlockedAddress,
                detail.into(),
                None,
            );
        };
        let sent = clock.scope(client.execute(request(recipient, url, leased, &ours)));
        match sent.await {
            Ok(response) => {
                clock.answered();
                read(response, &mut attempt, &mut said).await
            }
            Err(error) => {
                let class = target::failure_class(&error);
                failed(&mut attempt, class, target::describe(&error), None)
            }
        }
    };
    let ended = tokio::time::timeout(timeout, exchange).await;
    let outcome = ended.unwrap_or_else(|_| {
        let detail = "the receiver took too long";
        failed(&mut attempt, FailureClass::Timeout, detail.into(), None)
    });
    attempt.timing = clock.read();
    said.request_headers = kept(ours, recipient);
    Answer {
        attempt,
        said,
        outcome,
    }
}

fn sign(
    recipient: &Recipient,
    leased: &Leased,
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

fn request(
    recipient: &Recipient,
    url: &Url,
    leased: &Leased,
    ours: &[(RequestHeader, String)],
) -> Request {
    let mut request = Request::new(Method::POST, url.clone());
    let headers = request.headers_mut();
    headers.reserve(ours.len() + recipient.headers.len());
    for (header, value) in ours {
        let value = HeaderValue::from_str(value).expect("it is written by us");
        headers.append(NAMES[*header as usize].clone(), value);
    }
    for (name, value) in &recipient.headers {
        headers.append(name.clone(), value.clone());
    }
    *request.body_mut() = Some(leased.event.body.clone().into());
    request
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
