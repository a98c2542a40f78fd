//! Explains why each webhook got an event or not.

use serde::Serialize;
use utoipa::{IntoParams, ToSchema};
use webhook_domain::{Circumstances, DeliveryId, EventId, EventOutcome, WebhookId};
use webhook_store::events::{self, EventRow};
use webhook_store::explanation::{self, ExplainedPosition, ExplainedWebhook, ExplanationFilter};

use super::body::EventBody;
use crate::connections::Connections;
use crate::fields::Fields;
use crate::lists::{Page, PageLimit, read_place, write_place};
use crate::named_counts::NamedCounts;
use crate::refusal::Refusal;
use crate::request;
use crate::schema;

request! {
    /// A page of an event's explanation.
    #[derive(IntoParams)]
    #[into_params(parameter_in = Query)]
    pub struct ExplainEvent {
        /// The only webhook to explain.
        #[param(value_type = Option<Uuid>)]
        webhook_id: Option<WebhookId> = optional(str::parse),
        /// The outcome of the webhooks.
        #[param(value_type = Option<schema::EventOutcomeName>, inline)]
        outcome: Option<EventOutcome> = optional(str::parse),
        /// `next_cursor` of the page before.
        #[param(value_type = Option<schema::CursorText>, inline)]
        cursor: Option<ExplainedPosition> = optional(read_cursor),
        /// Webhooks per page, 50 when left out.
        #[param(value_type = Option<u8>, minimum = 1, maximum = 200)]
        limit: PageLimit = or_default(str::parse),
    }
}

impl ExplainEvent {
    /// Reads a URL's query.
    pub fn parse(query: &str) -> Result<Self, Refusal> {
        Fields::read_query(query, Self::take)
    }
}

/// The outcomes of an event.
#[derive(Serialize, ToSchema)]
#[schema(as = Explanation)]
pub struct ExplanationBody {
    /// The event itself.
    pub event: EventBody,
    /// How many webhooks have each outcome, of all webhooks.
    #[schema(value_type = schema::EventOutcomeCounts)]
    pub counts: NamedCounts<EventOutcome>,
    /// The webhooks: first with a delivery of the event, then of the event's environment, then the rest.
    #[serde(flatten)]
    pub webhooks: Page<ExplainedWebhookBody>,
}

/// The outcome of an event for a webhook.
#[derive(Serialize, ToSchema)]
#[schema(as = ExplainedWebhook)]
pub struct ExplainedWebhookBody {
    /// The webhook's id.
    #[schema(value_type = Uuid)]
    pub webhook_id: WebhookId,
    /// The webhook's name when the event was received.
    #[schema(example = "CRM")]
    pub name: String,
    /// Whether the event was delivered to the webhook, or why not.
    #[schema(value_type = schema::EventOutcomeName)]
    pub outcome: EventOutcome,
    /// The reason for the outcome, in a clause.
    #[schema(example = "the webhook had selected contract.*, not license.activated")]
    pub reason: String,
    /// The delivery of the event to the webhook; `null`: there is none.
    #[schema(value_type = Option<Uuid>)]
    pub delivery_id: Option<DeliveryId>,
    /// Whether the webhook's name, environment, status or event types were changed since, or the webhook
    /// was deleted.
    pub changed_since: bool,
}

/// Explains an event's outcome for every webhook, by the settings at the time of receipt. Later changes
/// and deletions make no difference.
pub async fn explain_event(
    id: EventId,
    request: &ExplainEvent,
    connections: &Connections,
) -> Result<ExplanationBody, Refusal> {
    let filter = ExplanationFilter {
        webhook_id: request.webhook_id,
        outcome: request.outcome,
        after: request.cursor,
        limit: request.limit.rows(),
    };
    let mut connection = connections.acquire().await?;
    let event = events::find(&mut connection, id).await?;
    let event = event.ok_or(Refusal::NotFound("event"))?;
    let mut explained = explanation::explain(&mut connection, &event, &filter).await?;
    let next_cursor = request.limit.cut(&mut explained.webhooks).map(write_cursor);
    let webhooks = explained.webhooks.into_iter();
    let webhooks = webhooks.map(|webhook| ExplainedWebhookBody::of(webhook, &event));
    Ok(ExplanationBody {
        webhooks: Page::with_cursor(webhooks.collect(), next_cursor),
        event: event.into(),
        counts: NamedCounts::of_all(explained.counts),
    })
}

fn write_cursor(last: &ExplainedWebhook) -> String {
    write_place(last.position.webhook_id.0, &[last.position.rank])
}

fn read_cursor(text: &str) -> Result<ExplainedPosition, &'static str> {
    let (id, sorted_by) = read_place(text)?;
    Ok(ExplainedPosition {
        rank: sorted_by.first().copied().unwrap_or_default(),
        webhook_id: WebhookId(id),
    })
}

impl ExplainedWebhookBody {
    fn of(webhook: ExplainedWebhook, event: &EventRow) -> Self {
        let reason = webhook.outcome.reason(Circumstances {
            event_type: event.event_type,
            environment: event.environment,
            webhook: webhook.then.as_ref(),
            is_inactive: webhook.is_inactive,
            attempts: webhook.attempts,
        });
        Self {
            webhook_id: webhook.position.webhook_id,
            name: webhook.then.map_or(webhook.name, |then| then.name),
            outcome: webhook.outcome,
            reason,
            delivery_id: webhook.delivery_id,
            changed_since: webhook.changed_since,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    #[test]
    fn a_cursor_says_where_its_list_goes_on() {
        let position = ExplainedPosition {
            rank: 2,
            webhook_id: WebhookId(Uuid::from_u128(7)),
        };
        let cursor = write_place(position.webhook_id.0, &[position.rank]);

        assert_eq!(read_cursor(&cursor), Ok(position));
    }

    #[test]
    fn a_filter_that_is_wrong_is_refused_with_every_name() {
        let refused = ExplainEvent::parse("limit=0&webhook_id=5&outcome=lost&cursor=x&page=2");

        let Err(Refusal::Invalid(errors)) = refused else {
            panic!("it must be refused by field");
        };
        let fields: Vec<&str> = errors.iter().map(|e| e.field.as_str()).collect();
        assert_eq!(fields, ["webhook_id", "outcome", "cursor", "limit", "page"]);
    }
}
