//! A delivery, with all that was said.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::{Data, Path};
use askama::Template;
use chrono::{DateTime, TimeDelta, Utc};

use super::attempt::ShownAttempt;
use super::curl::curl;
use super::list::shown_status;
use super::readable::Readable;
use crate::pages::filters;
use crate::pages::html::page_with;
use crate::pages::query::Query;
use crate::pages::span::in_short;
use crate::pages::visit::Visit;
use crate::routes::deliveries::DeliveryBody;
use crate::routes::deliveries::read::{DeliveryWithAttempts, ResendBody, read_delivery};
use webhook_admin::Connections;
use webhook_web::Problem;

/// While something is about to happen the page looks again after so many seconds, else after
/// [`LATER`].
const SOON: u8 = 2;

/// How often the page looks at what happens much later, in seconds.
const LATER: u8 = 30;

/// What is about to happen.
const NEAR: TimeDelta = TimeDelta::minutes(1);

#[derive(Template)]
#[template(path = "deliveries/show.html")]
struct DeliveryPage<'a> {
    visit: &'a Visit,
    delivery: DeliveryBody,
    status: &'static str,
    duration: Option<String>,
    /// Newest first.
    attempts: Vec<ShownAttempt>,
    body: Option<Readable>,
    body_bytes: i64,
    resends: Vec<ResendBody>,
    schedule: Vec<DateTime<Utc>>,
    curl: Option<String>,
    raw: bool,
    /// Why what was asked for was not done.
    refused: Option<String>,
    /// After how many seconds the page looks again, while it can change by itself.
    refresh: Option<u8>,
}

/// Shows a delivery.
pub(in crate::pages) async fn show_delivery(
    id: Path<String>,
    visit: Visit,
    query: Query,
    connections: Data<Connections>,
) -> Result<HttpResponse, Problem> {
    let read = read_delivery(&id, &connections).await?;
    let shown = DeliveryPage::of(&visit, read, query.says("raw", "1"), None);
    page_with(StatusCode::OK, &visit, &shown)
}

/// Shows it with the reason why what was asked for was not done.
pub(super) async fn show_refusal(
    id: &str,
    visit: &Visit,
    (status, reason): (StatusCode, String),
    connections: &Connections,
) -> Result<HttpResponse, Problem> {
    let read = read_delivery(id, connections).await?;
    let shown = DeliveryPage::of(visit, read, false, Some(reason));
    page_with(status, visit, &shown)
}

impl<'a> DeliveryPage<'a> {
    fn of(
        visit: &'a Visit,
        read: DeliveryWithAttempts,
        raw: bool,
        refused: Option<String>,
    ) -> Self {
        let body = read.request_body.as_deref();
        let newest = read.attempts.last();
        let request = newest.and_then(|attempt| Some((attempt, attempt.request_url.as_deref()?)));
        let curl = request
            .zip(body)
            .map(|((attempt, url), body)| curl(url, &attempt.request_headers, body));
        let delivery = read.delivery;
        let ended = delivery.ended_at.map(|ended| ended - delivery.created_at);
        Self {
            visit,
            status: shown_status(&delivery),
            duration: ended.map(in_short),
            body_bytes: body.map_or(0, |body| i64::try_from(body.len()).unwrap_or(i64::MAX)),
            body: body.map(|body| Readable::of(body, raw)),
            attempts: ShownAttempt::all(read.attempts, raw),
            resends: read.resends,
            schedule: read.schedule,
            curl,
            raw,
            refused,
            refresh: refresh(&delivery, Utc::now()),
            delivery,
        }
    }

    /// What was wrong with the latest attempt, unless all is well.
    fn trouble(&self) -> Option<&ShownAttempt> {
        let newest = self.attempts.first();
        newest.filter(|attempt| !attempt.is_accepted() && self.delivery.status != "succeeded")
    }

    /// The number of the attempt that comes next.
    fn next_number(&self) -> i32 {
        self.delivery.attempt_count + 1
    }

    /// Whether its next attempt is due already.
    fn is_due(&self) -> bool {
        self.schedule.first().is_some_and(|at| *at <= Utc::now())
    }
}

fn refresh(delivery: &DeliveryBody, now: DateTime<Utc>) -> Option<u8> {
    if delivery.status != "pending" {
        return None;
    }
    let near = delivery.next_attempt_at.is_none_or(|at| at < now + NEAR);
    Some(if near { SOON } else { LATER })
}
