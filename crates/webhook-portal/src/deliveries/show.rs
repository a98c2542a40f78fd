//! The page of a delivery, with the request and response of each attempt.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::Data;
use askama::Template;
use chrono::{DateTime, TimeDelta, Utc};
use webhook_admin::Connections;
use webhook_admin::deliveries::{
    DeliveryBody, DeliveryWithAttempts, ManualRetry, ResendBody, find_delivery,
};
use webhook_admin::settings::find_link_patterns;
use webhook_domain::{DeliveryId, DeliveryStatus, LinkPatterns, StatusFilter};
use webhook_web::{PathId, Problem};

use super::attempt::ShownAttempt;
use super::curl::curl;
use super::readable::Readable;
use crate::api_call;
use crate::duration_text::in_short;
use crate::filters;
use crate::html::page_with;
use crate::payload::with_links;
use crate::query::Query;
use crate::samples::refused_status;
use crate::visit::Visit;

/// How often the page is refreshed while an attempt is near, in seconds.
const NEAR_REFRESH: u8 = 2;

/// How often the page is refreshed while the next attempt is further away, in seconds: somebody may
/// retry the delivery meanwhile.
const FAR_REFRESH: u8 = 30;

/// The time before an attempt during which the attempt is near.
const NEAR: TimeDelta = TimeDelta::minutes(1);

#[derive(Template)]
#[template(path = "deliveries/show.html")]
struct DeliveryPage<'a> {
    visit: &'a Visit,
    delivery: DeliveryBody,
    status: StatusFilter,
    duration: Option<String>,
    /// Newest first.
    attempts: Vec<ShownAttempt>,
    body: Option<Readable>,
    body_bytes: i64,
    resends: Vec<ResendBody>,
    schedule: Vec<DateTime<Utc>>,
    curl: Option<String>,
    /// The delivery, and its retry, as requests of the API.
    api_calls: String,
    links: LinkPatterns,
    raw: bool,
    /// Why the retry or cancellation was refused.
    refused: Option<String>,
    /// After how many seconds the page is refreshed; `None`: the delivery has ended.
    refresh: Option<u8>,
}

/// Shows a delivery.
pub(crate) async fn show_delivery(
    PathId(id): PathId<DeliveryId>,
    visit: Visit,
    query: Query,
    connections: Data<Connections>,
) -> Result<HttpResponse, Problem> {
    let read = find_delivery(id, &connections).await?;
    let links = find_link_patterns(&connections).await?;
    let shown = DeliveryPage::of(&visit, (read, links), query.says("raw", "1"), None);
    page_with(StatusCode::OK, &visit, &shown)
}

/// Shows a delivery with the reason of a refused retry or cancellation.
pub(super) async fn show_refusal(
    id: DeliveryId,
    visit: &Visit,
    (status, reason): (StatusCode, String),
    connections: &Connections,
) -> Result<HttpResponse, Problem> {
    let read = find_delivery(id, connections).await?;
    let links = find_link_patterns(connections).await?;
    let shown = DeliveryPage::of(visit, (read, links), false, Some(reason));
    page_with(status, visit, &shown)
}

impl<'a> DeliveryPage<'a> {
    fn of(
        visit: &'a Visit,
        (read, links): (DeliveryWithAttempts, LinkPatterns),
        raw: bool,
        refused: Option<String>,
    ) -> Self {
        let body = read.request_body.as_deref();
        let newest = read.attempts.last();
        let request = newest.and_then(|attempt| Some((attempt, attempt.request_url.as_deref()?)));
        let curl = request.and_then(|(attempt, url)| {
            let sent = attempt.request_body.as_deref().or(body)?;
            Some(curl(url, &attempt.request_headers, sent))
        });
        let delivery = read.delivery;
        let ended = delivery.ended_at.map(|ended| ended - delivery.created_at);
        Self {
            visit,
            status: delivery.detailed_status(),
            duration: ended.map(in_short),
            body_bytes: body.map_or(0, |body| i64::try_from(body.len()).unwrap_or(i64::MAX)),
            body: body.map(|body| Readable::of(body, raw)),
            attempts: ShownAttempt::all(read.attempts, raw),
            resends: read.resends,
            schedule: read.schedule,
            curl,
            api_calls: api_calls(visit, delivery.id),
            links,
            raw,
            refused,
            refresh: refresh(&delivery, Utc::now()),
            delivery,
        }
    }

    /// The latest attempt if it failed, unless another worker's attempt succeeded.
    fn latest_failure(&self) -> Option<&ShownAttempt> {
        let newest = self.attempts.first();
        newest.filter(|attempt| !attempt.is_accepted() && !self.delivery.is_succeeded())
    }

    /// Whether requests had another body than the event.
    fn is_written_anew(&self) -> bool {
        self.attempts
            .iter()
            .any(|attempt| attempt.request.is_some())
    }

    /// The status of the latest response if it may come from a signature check: 401 or 403.
    fn refused_status(&self) -> Option<i32> {
        refused_status(&self.latest_failure()?.attempt)
    }

    /// The body as HTML, with links for ids unless the body is shown raw.
    fn payload(&self, body: &Readable) -> String {
        let none = LinkPatterns::default();
        with_links(&body.text, if self.raw { &none } else { &self.links })
    }

    /// The number of the next attempt.
    fn next_number(&self) -> i32 {
        self.delivery.attempt_count + 1
    }

    /// Whether the next attempt is due already.
    fn is_due(&self) -> bool {
        self.schedule.first().is_some_and(|at| *at <= Utc::now())
    }
}

fn api_calls(visit: &Visit, id: DeliveryId) -> String {
    let read = api_call::get(visit, &format!("/deliveries/{id}"));
    if !visit.may_manage() {
        return read;
    }
    let retry = api_call::post(visit, &format!("/deliveries/{id}/retry"));
    format!("# This delivery with its attempts\n{read}\n\n# Retry\n{retry}")
}

fn refresh(delivery: &DeliveryBody, now: DateTime<Utc>) -> Option<u8> {
    if !delivery.is_pending() {
        return None;
    }
    // Without a time the delivery waits for an earlier delivery of the ordering key, which may end at any
    // moment.
    let is_near = delivery.next_attempt_at.is_none_or(|at| at < now + NEAR);
    Some(if is_near { NEAR_REFRESH } else { FAR_REFRESH })
}

/// A manual retry in a word.
fn retry_name(kind: &ManualRetry) -> &'static str {
    match kind {
        ManualRetry::Resend => "Send again",
        ManualRetry::Retry => "Retry",
        ManualRetry::Replay => "Replay",
    }
}
