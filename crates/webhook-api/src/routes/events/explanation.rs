//! "Why did my webhook not get this event?", answered for every webhook at once.

use std::collections::BTreeMap;

use actix_web::HttpRequest;
use actix_web::web::{Data, Json, Path};
use serde::Serialize;
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;
use webhook_domain::{Circumstances, EventOutcome, WebhookId};
use webhook_store::events::{self, EventRow};
use webhook_store::explanation::{self, ExplainedPosition, ExplainedWebhook, ExplanationFilter};

use super::read::{EventBody, parse_id};
use crate::refusals::Refusals;
use webhook_admin::Connections;
use webhook_admin::Refusal;
use webhook_admin::fields::Fields;
use webhook_admin::lists::{Page, PageLimit, read_place, write_place};
use webhook_admin::schema;
use webhook_web::Problem;

/// Which webhooks to tell of.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[allow(
    dead_code,
    reason = "it documents what `parse_filter` reads field by field"
)]
pub(crate) struct ExplainEvent {
    /// This one only.
    webhook_id: Option<Uuid>,
    /// Those with this outcome only.
    #[param(value_type = Option<schema::EventOutcomeName>, inline)]
    outcome: Option<String>,
    /// `next_cursor` of the page before.
    #[param(value_type = Option<schema::CursorText>, inline)]
    cursor: Option<String>,
    /// Webhooks per page, 50 when left out.
    #[param(minimum = 1, maximum = 200)]
    limit: Option<u8>,
}

/// What became of an event.
#[derive(Serialize, ToSchema)]
#[schema(as = Explanation)]
pub(crate) struct ExplanationBody {
    event: EventBody,
    /// How many webhooks have each outcome, of all webhooks.
    #[schema(value_type = schema::EventOutcomeCounts)]
    pub(crate) counts: BTreeMap<&'static str, i64>,
    /// Webhooks: those that were owed the event, then those of its environment, then the rest.
    #[serde(flatten)]
    pub(crate) webhooks: Page<ExplainedWebhookBody>,
}

/// What became of an event for one webhook.
#[derive(Serialize, ToSchema)]
#[schema(as = ExplainedWebhook)]
pub(crate) struct ExplainedWebhookBody {
    pub(crate) webhook_id: Uuid,
    /// What it was called when the event was taken in.
    #[schema(example = "CRM")]
    pub(crate) name: String,
    #[schema(value_type = schema::EventOutcomeName)]
    pub(crate) outcome: &'static str,
    /// The outcome in a sentence; "it" is the webhook.
    #[schema(example = "it wanted contract.*, not license.activated")]
    pub(crate) reason: String,
    /// What tells of its attempts; `null`: it was not owed the event.
    pub(crate) delivery_id: Option<Uuid>,
    /// Whether its name, environment, status or event types are others today, or it was deleted.
    pub(crate) changed_since: bool,
}

/// Tells for every webhook what became of an event and why, as of the moment when it was taken in,
/// whatever was changed or deleted since.
#[utoipa::path(
    get, path = "/api/v1/events/{id}/explanation", tag = "events",
    params(("id" = Uuid, Path), ExplainEvent),
    responses((status = 200, body = ExplanationBody), Refusals)
)]
pub(crate) async fn explain_event(
    id: Path<String>,
    request: HttpRequest,
    connections: Data<Connections>,
) -> Result<Json<ExplanationBody>, Problem> {
    read_explanation(&id, request.query_string(), &connections)
        .await
        .map(Json)
        .map_err(Problem::from)
}

/// Explains the event of an id, as far as a query asks.
pub(crate) async fn read_explanation(
    id: &str,
    query: &str,
    connections: &Connections,
) -> Result<ExplanationBody, Refusal> {
    let id = parse_id(id)?;
    let (filter, limit) = parse_filter(query)?;
    let mut connection = connections.acquire().await?;
    let event = events::find(&mut connection, id).await?;
    let event = event.ok_or(Refusal::NotFound("event"))?;
    let mut explained = explanation::explain(&mut connection, &event, &filter).await?;
    let next_cursor = limit.cut(&mut explained.webhooks).map(write_cursor);
    let webhooks = explained.webhooks.into_iter();
    let webhooks = webhooks.map(|webhook| ExplainedWebhookBody::of(webhook, &event));
    let mut counts: BTreeMap<_, _> = EventOutcome::ALL.iter().map(|o| (o.as_str(), 0)).collect();
    counts.extend(
        explained
            .counts
            .iter()
            .map(|(o, count)| (o.as_str(), *count)),
    );
    Ok(ExplanationBody {
        webhooks: Page::with_cursor(webhooks.collect(), next_cursor),
        event: event.into(),
        counts,
    })
}

fn parse_filter(query: &str) -> Result<(ExplanationFilter, PageLimit), Refusal> {
    let mut fields = Fields::of_query(query);
    let limit: PageLimit = fields.optional("limit", str::parse).unwrap_or_default();
    let filter = ExplanationFilter {
        webhook_id: fields.optional("webhook_id", str::parse),
        outcome: fields.optional("outcome", str::parse),
        after: fields.optional("cursor", read_cursor),
        limit: limit.rows(),
    };
    fields.end()?;
    Ok((filter, limit))
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
            webhook_id: webhook.position.webhook_id.0,
            name: webhook.then.map_or(webhook.name, |then| then.name),
            outcome: webhook.outcome.as_str(),
            reason,
            delivery_id: webhook.delivery_id.map(|id| id.0),
            changed_since: webhook.changed_since,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
        let refused = parse_filter("limit=0&webhook_id=5&outcome=lost&cursor=x&page=2");

        let Err(Refusal::Invalid(errors)) = refused else {
            panic!("it must be refused by field");
        };
        let fields: Vec<&str> = errors.iter().map(|e| e.field.as_str()).collect();
        assert_eq!(fields, ["limit", "webhook_id", "outcome", "cursor", "page"]);
    }
}
