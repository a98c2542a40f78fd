//! One signed request to a webhook.

use std::time::Duration;

use chrono::{DateTime, SubsecRound, Utc};
use reqwest::{Client, Response};
use webhook_domain::{
    AddressPolicy, FailureClass, HeaderSecret, NextAttempt, Outcome, request_headers,
};
use webhook_store::attempts::{Attempt, Exchange, Timing};
use webhook_store::destinations::Destination;

use crate::answer::{failed, read};
use crate::leased::Leased;
use crate::target;
use crate::timing::Clock;

/// What is recorded of an attempt, and how it ended.
pub(crate) struct Answer {
    pub(crate) attempt: Attempt,
    pub(crate) said: Exchange,
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
    let headers = headers(destination, leased, attempt.number, now);
    let mut said = Exchange {
        request_url: destination.url.clone(),
        ..Exchange::default()
    };
    let exchange = async {
        if target::is_blocked_literal(&destination.url, addresses) {
            let detail = "the URL's address must not be called";
            return failed(&mut attempt, FailureClass::BlockedAddress, detail, None);
        }
        let sent = clock.scope(send(client, destination, leased, &headers));
        match sent.await {
            Ok(response) => {
                clock.answered();
                read(response, &mut attempt, &mut said).await
            }
            Err(error) => {
                let class = target::failure_class(&error);
                failed(&mut attempt, class, &target::describe(&error), None)
            }
        }
    };
    let ended = tokio::time::timeout(timeout, exchange).await;
    let outcome = ended.unwrap_or_else(|_| {
        let detail = "the receiver took too long";
        failed(&mut attempt, FailureClass::Timeout, detail, None)
    });
    attempt.timing = clock.read();
    said.request_headers = headers.into_iter().map(Header::kept).collect();
    Answer {
        attempt,
        said,
        outcome,
    }
}

/// A header of a request.
struct Header<'a> {
    name: &'a str,
    value: Value<'a>,
}

enum Value<'a> {
    Ours(String),
    /// The admin's: it may hold a password, so it is not kept.
    Custom(&'a str),
}

impl Header<'_> {
    fn value(&self) -> &str {
        match &self.value {
            Value::Ours(value) => value,
            Value::Custom(value) => value,
        }
    }

    /// What is kept of it.
    fn kept(self) -> (String, Option<String>) {
        let value = match self.value {
            Value::Ours(value) => Some(value),
            Value::Custom(_) => None,
        };
        (self.name.to_owned(), value)
    }
}

fn headers<'a>(
    destination: &'a Destination,
    leased: &Leased,
    number: i32,
    now: DateTime<Utc>,
) -> Vec<Header<'a>> {
    let next = NextAttempt {
        event: &leased.event,
        delivery_id: leased.id,
        number,
        at: now,
    };
    let ours = request_headers(next, destination.secrets.valid_at(now));
    let ours = ours.into_iter().map(|(header, value)| Header {
        name: header.as_str(),
        value: Value::Ours(value),
    });
    let custom = destination.headers.iter().filter_map(|(name, value)| {
        let HeaderSecret::Given(value) = value else {
            return None;
        };
        Some(Header {
            name: name.as_str(),
            value: Value::Custom(value.reveal()),
        })
    });
    ours.chain(custom).collect()
}

async fn send(
    client: &Client,
    destination: &Destination,
    leased: &Leased,
    headers: &[Header<'_>],
) -> reqwest::Result<Response> {
    let mut request = client
        .post(&destination.url)
        .body(leased.event.body.clone());
    for header in headers {
        request = request.header(header.name, header.value());
    }
    request.send().await
}
