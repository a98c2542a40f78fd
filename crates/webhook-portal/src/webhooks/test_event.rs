//! Sends a test event to a webhook, and shows the response on the same page.

use std::time::Duration;

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::Data;
use askama::Template;
use webhook_broker::Publisher;
use webhook_domain::{EventType, FailureClass, Format, WebhookId, WebhookStatus};
use webhook_store::webhooks::Webhook;

use crate::filters;
use crate::form::Form;
use crate::html::page_with;
use crate::samples::refused_status;
use crate::visit::Visit;
use webhook_admin::Connections;
use webhook_admin::Refusal;
use webhook_admin::deliveries::AttemptBody;
use webhook_admin::webhooks::{self, TestEventSent, find_stored};
use webhook_web::problem::refusal_status;
use webhook_web::{PathId, Problem};

/// How long the page waits for the response.
const RESPONSE_TIMEOUT: Duration = Duration::from_secs(10);

/// The headers by which a receiver verifies a request.
const SIGNATURE_HEADERS: [&str; 4] = [
    "webhook-id",
    "webhook-timestamp",
    "webhook-signature",
    "x-webhook-signature",
];

#[derive(Template)]
#[template(path = "webhooks/test.html")]
struct TestPage {
    visit: Visit,
    webhook: Webhook,
    /// The event types that the webhook is subscribed to.
    subscribed: Vec<EventType>,
    /// All other event types.
    others: Vec<EventType>,
    /// The event type of the form; at first the first subscribed one.
    chosen: EventType,
    result: Option<TestEventSent>,
    /// Why no event was sent.
    refused: Option<String>,
}

/// Shows the form.
pub(crate) async fn show_test_form(
    PathId(id): PathId<WebhookId>,
    visit: Visit,
    connections: Data<Connections>,
) -> Result<HttpResponse, Problem> {
    let page = TestPage::read(id, None, visit, &connections).await?;
    page_with(StatusCode::OK, &page.visit, &page)
}

/// Sends a test event, and waits for the response.
pub(crate) async fn send_test_event(
    PathId(id): PathId<WebhookId>,
    form: Form,
    visit: Visit,
    connections: Data<Connections>,
    publisher: Data<Publisher>,
) -> Result<HttpResponse, Problem> {
    let event_type: EventType = form.choice("event_type")?;
    let mut page = TestPage::read(id, Some(event_type), visit, &connections).await?;
    let (test, caller) = ((event_type, RESPONSE_TIMEOUT), &page.visit.caller);
    let sent = webhooks::send_test_event(id, test, caller, &connections, &publisher).await;
    let status = match sent {
        Ok(sent) => {
            page.result = Some(sent);
            StatusCode::OK
        }
        Err(problem @ (Refusal::Conflict(_) | Refusal::Broker(_))) => {
            problem.log();
            page.refused = Some(problem.to_string());
            refusal_status(&problem)
        }
        Err(refusal) => return Err(refusal.into()),
    };
    page_with(status, &page.visit, &page)
}

impl TestPage {
    async fn read(
        id: WebhookId,
        chosen: Option<EventType>,
        visit: Visit,
        connections: &Connections,
    ) -> Result<Self, Problem> {
        let mut connection = connections.acquire().await?;
        let webhook = find_stored(&mut connection, id).await?;
        let subscribed: Vec<EventType> = webhook.settings.events.types().collect();
        let all = EventType::ALL.iter().copied();
        Ok(Self {
            visit,
            others: all
                .filter(|event_type| !subscribed.contains(event_type))
                .collect(),
            chosen: chosen
                .or(subscribed.first().copied())
                .unwrap_or(EventType::ALL[0]),
            subscribed,
            webhook,
            result: None,
            refused: None,
        })
    }

    fn is_chosen(&self, event_type: &EventType) -> bool {
        self.chosen == *event_type
    }

    /// The status of the response if it may come from a signature check: 401 or 403.
    fn refused_status(&self) -> Option<i32> {
        let delivery = self.result.as_ref()?.delivery.as_ref()?;
        refused_status(delivery.attempts.first()?)
    }

    fn is_active(&self) -> bool {
        self.webhook.settings.status == WebhookStatus::Active
    }
}

/// Why there was no response. `None`: the status of the response says everything.
fn unanswered(attempt: &AttemptBody) -> Option<FailureClass> {
    attempt
        .failure_class
        .filter(|class| *class != FailureClass::Status)
}

/// The signature headers of a request.
fn signatures(attempt: &AttemptBody) -> Vec<(&str, &str)> {
    let headers = attempt.request_headers.iter().filter_map(|header| {
        let name = header.name.as_str();
        let signs = SIGNATURE_HEADERS
            .iter()
            .any(|known| name.eq_ignore_ascii_case(known));
        Some((name, header.value.as_deref()?)).filter(|_| signs)
    });
    headers.collect()
}
