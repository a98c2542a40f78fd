//! The retry of all matching deliveries: a question with the number of deliveries, then a job.

use actix_web::HttpResponse;
use actix_web::web::Data;
use askama::Template;
use serde_json::{Map, Value};
use uuid::Uuid;
use webhook_domain::{JobRate, StatusFilter, WebhookId};
use webhook_store::SealingKeys;
use webhook_store::webhooks::find_names;

use super::filter::Filters;
use crate::chips::Chip;
use crate::errors::Errors;
use crate::filters;
use crate::filters::group;
use crate::flash::Flash;
use crate::form::Form;
use crate::html::{page_with, redirect_with_flash};
use crate::query::Query;
use crate::visit::Visit;
use webhook_admin::Connections;
use webhook_admin::creation::{CreationRequest, IdempotencyKey};
use webhook_admin::deliveries::{NewRetry, count_deliveries, retry_deliveries};
use webhook_web::Problem;

/// The address of the page and of the form's action.
const PATH: &str = "/admin/webhook-deliveries/retry";

#[derive(Template)]
#[template(path = "deliveries/retry_many.html")]
struct RetryPage<'a> {
    visit: &'a Visit,
    errors: Errors,
    total: i64,
    question: String,
    chips: Vec<Chip>,
    /// The filters as a query, for the form and the link to the list.
    filters: String,
    rate: String,
    /// The form's idempotency key: pressing the button twice starts a single job.
    once: String,
}

/// Asks whether the deliveries are really to be retried.
pub(crate) async fn ask_to_retry_deliveries(
    visit: Visit,
    query: Query,
    connections: Data<Connections>,
) -> Result<HttpResponse, Problem> {
    let rate = JobRate::default().get().to_string();
    let once = Uuid::new_v4().to_string();
    render(
        &visit,
        &query,
        (rate, once),
        Errors::default(),
        &connections,
    )
    .await
}

/// Starts the job.
pub(crate) async fn start_retry(
    visit: Visit,
    query: Query,
    form: Form,
    connections: Data<Connections>,
    keys: Data<SealingKeys>,
) -> Result<HttpResponse, Problem> {
    let rate = form.text("rate");
    let body = document(&query, rate);
    let retry = match NewRetry::parse(&body, "") {
        Ok(retry) => retry,
        Err(refusal) => {
            let errors = Errors::of(refusal)?;
            let typed = (rate.to_owned(), form.text("once").to_owned());
            return render(&visit, &query, typed, errors, &connections).await;
        }
    };
    let key = IdempotencyKey::of_form(form.text("once"), PATH);
    let once = CreationRequest {
        key: &key,
        body: &body,
    };
    let started = retry_deliveries(&retry, once, &visit.caller, &connections, &keys).await?;
    let page = format!("/admin/jobs/{}", started.created.id);
    Ok(redirect_with_flash(
        &page,
        &Flash::new("The job is started."),
    ))
}

async fn render(
    visit: &Visit,
    query: &Query,
    (rate, once): (String, String),
    errors: Errors,
    connections: &Connections,
) -> Result<HttpResponse, Problem> {
    let filters = Filters(query);
    let retry = NewRetry::parse(&document(query, ""), "")?;
    let total = count_deliveries(&retry, connections).await?.total;
    let webhook = find_name(query.text("webhook_id"), connections).await?;
    let status = errors.status();
    let shown = RetryPage {
        visit,
        errors,
        total,
        question: question(total, query),
        chips: filters.chips(webhook.as_deref()),
        filters: filters.alone(),
        rate,
        once,
    };
    page_with(status, visit, &shown)
}

/// The name of the filtered webhook. `None`: no webhook is filtered, or the id is unknown.
async fn find_name(id: &str, connections: &Connections) -> Result<Option<String>, Problem> {
    let Ok(id) = id.parse::<WebhookId>() else {
        return Ok(None);
    };
    let mut connection = connections.acquire().await?;
    Ok(find_names(&mut connection, &[id]).await?.remove(&id))
}

/// The filters and the rate as a request of the API in JSON.
fn document(query: &Query, rate: &str) -> Vec<u8> {
    let filters = Filters(query);
    let mut fields: Map<String, Value> = filters
        .fields()
        .map(|(name, value)| (name.to_owned(), Value::String(value)))
        .collect();
    if !rate.is_empty() {
        // A rate that is no number goes as text: the API's own reader refuses the field.
        let rate = rate.parse::<u64>().map_or(Value::from(rate), Value::from);
        fields.insert("rate".to_owned(), rate);
    }
    Value::Object(fields).to_string().into_bytes()
}

/// `Retry 1,234 failed deliveries of production?`
fn question(total: i64, query: &Query) -> String {
    let status = match query.text("status") {
        "" => StatusFilter::Failed.as_str(),
        status => status,
    };
    let deliveries = if total == 1 { "delivery" } else { "deliveries" };
    let environment = match query.text("environment") {
        "" => String::new(),
        environment => format!(" of {environment}"),
    };
    format!("Retry {} {status} {deliveries}{environment}?", group(total))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_meant_is_asked_back() {
        let all = Query::default();
        let some = Query::of("environment=production&status=cancelled");

        assert_eq!(question(1, &all), "Retry 1 failed delivery?");
        assert_eq!(
            question(1_234, &some),
            "Retry 1,234 cancelled deliveries of production?"
        );
    }

    #[test]
    fn a_rate_that_is_no_number_is_left_to_be_refused() {
        let query = Query::of("status=failed&since=2026-11-23T08:15");

        let document = |rate| String::from_utf8(document(&query, rate)).expect("JSON");

        assert_eq!(
            document("5"),
            r#"{"rate":5,"since":"2026-11-23T08:15:00Z","status":"failed"}"#
        );
        assert!(document("fast").contains(r#""rate":"fast""#));
    }
}
