//! The page of a webhook: its state, figures, latest deliveries, settings and audit trail.

use actix_web::HttpResponse;
use actix_web::web::Data;
use askama::Template;
use chrono::{DateTime, Utc};
use webhook_domain::{EventType, WebhookHealth, WebhookId};
use webhook_store::{deliveries, retry_policies};

use super::figures::{self, Figures};
use crate::api_call;
use crate::audit::{Entry, read_entries};
use crate::chart::bars::{BarChart, HEIGHT};
use crate::chart::span::Span;
use crate::filters;
use crate::html::page;
use crate::query::Query;
use crate::visit::Visit;
use webhook_admin::Connections;
use webhook_admin::deliveries::{DeliveryBody, ListDeliveries, list_deliveries};
use webhook_admin::retry_policies::RetryPolicyBody;
use webhook_admin::webhooks::{WebhookBody, find_webhook};
use webhook_web::{PathId, Problem};

/// How many of the latest deliveries are shown.
const LATEST_DELIVERIES: u8 = 10;
/// How many of the latest entries of the audit trail are shown.
const LATEST_CHANGES: u8 = 20;

/// The most pending deliveries that are counted. Beyond that the page says "10,000 or more".
const MAX_PENDING: i64 = 10_000;

#[derive(Template)]
#[template(path = "webhooks/overview.html")]
struct WebhookPage {
    visit: Visit,
    query: Query,
    webhook: WebhookBody,
    /// The event types that the patterns stand for, by group.
    event_types: Vec<(&'static str, Vec<EventType>)>,
    /// The webhook's own retry policy, or the policy of its environment.
    policy: RetryPolicyBody,
    pending: Pending,
    /// The figures of the last 24 hours.
    day: Figures,
    span: Span,
    /// The figures of `span`, if that is longer than 24 hours.
    longer: Option<Figures>,
    deliveries: Vec<DeliveryBody>,
    changes: Vec<Entry>,
}

impl WebhookPage {
    /// The figures of `span`.
    fn figures(&self) -> &Figures {
        self.longer.as_ref().unwrap_or(&self.day)
    }

    /// The webhook as a request of the API.
    fn api_call(&self) -> String {
        api_call::get(&self.visit, &format!("/webhooks/{}", self.webhook.id))
    }

    /// How long an attempt may take, in milliseconds.
    fn timeout_ms(&self) -> u64 {
        let own = self.webhook.settings.timeout_ms;
        own.unwrap_or(self.policy.timeout_ms)
    }

    /// When the pause of the circuit ends, if the end is in the future.
    fn next_probe(&self) -> Option<DateTime<Utc>> {
        let until = self.webhook.circuit.open_until;
        until.filter(|until| *until > Utc::now())
    }
}

/// The pending deliveries of a webhook.
struct Pending {
    /// Up to [`MAX_PENDING`].
    count: i64,
    /// Since when the oldest delivery has been due.
    oldest_due: Option<DateTime<Utc>>,
}

impl Pending {
    fn is_cut(&self) -> bool {
        self.count == MAX_PENDING
    }
}

/// Shows a webhook.
pub(crate) async fn show_webhook(
    PathId(id): PathId<WebhookId>,
    visit: Visit,
    query: Query,
    connections: Data<Connections>,
) -> Result<HttpResponse, Problem> {
    let webhook = find_webhook(id, &connections).await?;
    let span = Span::of(query.text("span"));
    let newest = format!("webhook_id={id}&limit={LATEST_DELIVERIES}");
    let changed = format!("webhook_id={id}&limit={LATEST_CHANGES}");
    let deliveries = list_deliveries(&ListDeliveries::parse(&newest)?, &connections).await?;
    let deliveries = deliveries.page.data;
    // The tiles always need the figures of 24 hours; a longer span is read in addition.
    let longer = match span {
        Span::Day => None,
        Span::Week | Span::Month => Some(figures::read(id, span, &connections).await?),
    };
    let shown = WebhookPage {
        visit,
        query,
        event_types: by_group(webhook.settings.subscribed_types()),
        policy: read_policy(&webhook, &connections).await?,
        pending: read_pending(id, &connections).await?,
        day: figures::read(id, Span::Day, &connections).await?,
        span,
        longer,
        deliveries,
        changes: read_entries(&changed, &connections).await?.data,
        webhook,
    };
    page(&shown.visit, &shown)
}

fn by_group(types: Vec<EventType>) -> Vec<(&'static str, Vec<EventType>)> {
    let mut groups = Vec::<(_, Vec<EventType>)>::new();
    for event_type in types {
        let group = event_type.group();
        match groups.last_mut() {
            Some((last, types)) if *last == group => types.push(event_type),
            Some(_) | None => groups.push((group, vec![event_type])),
        }
    }
    groups
}

async fn read_policy(
    webhook: &WebhookBody,
    connections: &Connections,
) -> Result<RetryPolicyBody, Problem> {
    if let Some(own) = webhook.settings.retry_policy {
        return Ok(own);
    }
    let environment = webhook.settings.environment;
    let mut connection = connections.acquire().await?;
    let default = retry_policies::find_default(&mut connection, environment).await?;
    Ok(RetryPolicyBody::from(&default))
}

async fn read_pending(id: WebhookId, connections: &Connections) -> Result<Pending, Problem> {
    let mut connection = connections.acquire().await?;
    let count = deliveries::count_pending(&mut connection, id, MAX_PENDING).await?;
    Ok(Pending {
        count: i64::try_from(count).unwrap_or(MAX_PENDING),
        oldest_due: deliveries::find_oldest_due(&mut connection, id).await?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_stand_under_their_group() {
        let types = [
            EventType::LicenseCreated,
            EventType::LicenseUpdated,
            EventType::ContractCreated,
        ];

        let groups = by_group(types.to_vec());

        let sizes = groups.iter().map(|(group, types)| (*group, types.len()));
        assert_eq!(sizes.collect::<Vec<_>>(), [("license", 2), ("contract", 1)]);
    }
}
