//! Makes the same change of many webhooks.

use serde::Serialize;
use utoipa::openapi::schema::{OneOfBuilder, Schema};
use utoipa::openapi::{Ref, RefOr};
use utoipa::{PartialSchema, ToSchema};
use webhook_domain::{EventSelection, FieldError, WebhookId, WebhookSettings, WebhookStatus};
use webhook_store::{RawConnection, SealingKeys, transaction};

use super::change::{Change, Effect};
use super::delete::delete_over;
use crate::caller::Caller;
use crate::connections::Connections;
use crate::fields::Fields;
use crate::refusal::{FieldProblem, Refusal};
use crate::request;
use crate::schema::EventPatterns;
use crate::version::IfMatch;

/// The most webhooks in one request.
const MAX_IDS: usize = 1_000;

/// The most bytes of a request in JSON; 1,000 ids take 39 KB.
pub const MAX_BULK_BYTES: usize = 128 * 1024;

request! {
    /// Sets webhooks Active or Inactive, or deletes webhooks.
    #[derive(ToSchema)]
    pub struct SetWebhooks {
        /// The change of each webhook.
        #[schema(value_type = String, pattern = "^(activate|deactivate|delete)$", example = "activate")]
        pub action: SetAction = required(SetAction::parse),
        /// Up to 1,000 webhooks.
        #[schema(value_type = Vec<Uuid>, min_items = 1, max_items = 1000)]
        pub ids: Vec<WebhookId> = taken(take_ids),
    }
}

request! {
    /// Changes the subscriptions of webhooks.
    #[derive(ToSchema)]
    pub struct ChangeSubscriptions {
        /// The change of each webhook.
        #[schema(value_type = String, pattern = "^(add|remove)_event_types$", example = "add_event_types")]
        pub action: SubscriptionAction = required(SubscriptionAction::parse),
        /// Up to 1,000 webhooks.
        #[schema(value_type = Vec<Uuid>, min_items = 1, max_items = 1000)]
        pub ids: Vec<WebhookId> = taken(take_ids),
        // The subscriptions to add or to remove.
        #[allow(missing_docs, reason = "a doc would wrap the inlined schema in an `allOf`")]
        #[schema(value_type = EventPatterns, inline)]
        pub event_types: EventSelection = taken(take_selection),
    }
}

/// The change of a [`SetWebhooks`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SetAction {
    /// `activate` or `deactivate`: sets the status.
    Status(WebhookStatus),
    /// `delete`: deletes the webhook.
    Delete,
}

/// The change of a [`ChangeSubscriptions`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SubscriptionAction {
    /// `add_event_types`: adds subscriptions.
    Add,
    /// `remove_event_types`: removes subscriptions.
    Remove,
}

/// A change of many webhooks.
pub enum ChangeWebhooks {
    /// A change of the status, or a deletion.
    Set(SetWebhooks),
    /// A change of the subscriptions.
    Subscriptions(ChangeSubscriptions),
}

/// The outcome for each webhook of a bulk change.
#[derive(Serialize, ToSchema)]
pub struct BulkResults {
    /// In the order of the ids.
    pub results: Vec<WebhookResult>,
}

/// The outcome of a bulk change for a webhook.
#[derive(Serialize, ToSchema)]
pub struct WebhookResult {
    /// The id of the request.
    #[schema(value_type = Uuid)]
    pub id: WebhookId,
    /// `changed`; `unchanged`: the webhook had these settings already; `not_found`; `refused`: `errors`
    /// says why; `unavailable`: send the request again.
    #[schema(value_type = String, example = "changed")]
    pub result: BulkResult,
    /// Why the change was refused.
    pub errors: Vec<FieldProblem>,
}

/// How a bulk change ended for a webhook.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum BulkResult {
    /// The webhook has changed, or is deleted.
    Changed,
    /// The webhook had these settings already.
    Unchanged,
    /// No webhook has the id.
    NotFound,
    /// The change makes no sense for the webhook: it would remove the last event type.
    Refused,
    /// The database did not answer, or the change failed otherwise.
    Unavailable,
}

impl ChangeWebhooks {
    /// Reads the document.
    pub fn parse(body: &[u8]) -> Result<Self, Refusal> {
        let mut fields = Fields::of_body(body)?;
        let action = fields.peek_text("action").unwrap_or_default();
        let change = if SubscriptionAction::parse(&action).is_ok() {
            ChangeSubscriptions::take(&mut fields).map(Self::Subscriptions)
        } else {
            SetWebhooks::take(&mut fields).map(Self::Set)
        };
        fields.end_with(change)
    }

    fn ids(&self) -> &[WebhookId] {
        match self {
            Self::Set(SetWebhooks { ids, .. })
            | Self::Subscriptions(ChangeSubscriptions { ids, .. }) => ids,
        }
    }
}

/// Changes or deletes many webhooks, each in a new transaction: a refused change does not stop the
/// others.
pub async fn change_webhooks(
    change: &ChangeWebhooks,
    caller: &Caller,
    connections: &Connections,
    sealing_keys: &SealingKeys,
) -> Result<BulkResults, Refusal> {
    let mut connection = connections.acquire().await?;
    // A transaction per webhook: 1,000 locked webhooks would keep the dispatchers waiting.
    let mut results = Vec::with_capacity(change.ids().len());
    for id in change.ids() {
        let one = Change {
            id: *id,
            if_match: &IfMatch::Any,
            caller,
            sealing_keys,
        };
        let changed = change_one(&mut connection, &one, change).await;
        results.push(WebhookResult::of(*id, changed));
    }
    Ok(BulkResults { results })
}

async fn change_one(
    connection: &mut RawConnection,
    one: &Change<'_>,
    change: &ChangeWebhooks,
) -> Result<Effect, Refusal> {
    if let ChangeWebhooks::Set(set) = change
        && set.action == SetAction::Delete
    {
        delete_over(connection, one.id, one.if_match, one.caller).await?;
        return Ok(Effect::Written);
    }
    transaction(connection, async |connection| {
        one.apply_within(connection, |current| change.decide(current))
            .await
    })
    .await
}

impl ChangeWebhooks {
    fn decide(&self, current: &WebhookSettings) -> Result<WebhookSettings, Refusal> {
        let mut settings = current.clone();
        match self {
            Self::Set(set) => match set.action {
                SetAction::Status(status) => settings.status = status,
                // No settings are left to decide about.
                SetAction::Delete => {}
            },
            Self::Subscriptions(change) => settings.events = change.decide(&current.events)?,
        }
        Ok(settings)
    }
}

impl ChangeSubscriptions {
    fn decide(&self, current: &EventSelection) -> Result<EventSelection, Refusal> {
        match self.action {
            SubscriptionAction::Add => Ok(current.with(&self.event_types)),
            SubscriptionAction::Remove => current
                .without(&self.event_types)
                .map_err(|error| Refusal::Invalid(vec![FieldError::new("event_types", error)])),
        }
    }
}

impl WebhookResult {
    fn of(id: WebhookId, effect: Result<Effect, Refusal>) -> Self {
        let (result, errors) = match effect {
            Ok(Effect::Written) => (BulkResult::Changed, Vec::new()),
            Ok(Effect::Unchanged) => (BulkResult::Unchanged, Vec::new()),
            Err(Refusal::NotFound(_)) => (BulkResult::NotFound, Vec::new()),
            Err(Refusal::Invalid(errors)) => (BulkResult::Refused, errors),
            Err(refusal) => {
                refusal.log();
                (BulkResult::Unavailable, Vec::new())
            }
        };
        Self {
            id,
            result,
            errors: errors.iter().map(FieldProblem::from).collect(),
        }
    }
}

impl SetAction {
    fn parse(text: &str) -> Result<Self, &'static str> {
        match text {
            "activate" => Ok(Self::Status(WebhookStatus::Active)),
            "deactivate" => Ok(Self::Status(WebhookStatus::Inactive)),
            "delete" => Ok(Self::Delete),
            _ => Err(UNKNOWN_ACTION),
        }
    }
}

impl SubscriptionAction {
    fn parse(text: &str) -> Result<Self, &'static str> {
        match text {
            "add_event_types" => Ok(Self::Add),
            "remove_event_types" => Ok(Self::Remove),
            _ => Err(UNKNOWN_ACTION),
        }
    }
}

const UNKNOWN_ACTION: &str =
    "must be activate, deactivate, delete, add_event_types or remove_event_types";

fn take_ids(fields: &mut Fields<'_>, name: &str) -> Option<Vec<WebhookId>> {
    let ids = fields.required_list(name, str::parse)?;
    if ids.len() > MAX_IDS {
        fields.refuse(name, format!("must have at most {MAX_IDS} items"));
        return None;
    }
    Some(ids)
}

fn take_selection(fields: &mut Fields<'_>, name: &str) -> Option<EventSelection> {
    let patterns = fields.required_list(name, str::parse)?;
    EventSelection::new(patterns).ok()
}

impl PartialSchema for ChangeWebhooks {
    fn schema() -> RefOr<Schema> {
        let one_of = OneOfBuilder::new()
            .item(Ref::from_schema_name("SetWebhooks"))
            .item(Ref::from_schema_name("ChangeSubscriptions"))
            .description(Some("A change, and the webhooks to change."));
        RefOr::T(Schema::OneOf(one_of.build()))
    }
}

impl ToSchema for ChangeWebhooks {
    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        schemas.push(("SetWebhooks".to_owned(), SetWebhooks::schema()));
        schemas.push((
            "ChangeSubscriptions".to_owned(),
            ChangeSubscriptions::schema(),
        ));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    #[test]
    fn a_change_that_makes_no_sense_is_refused_by_field() {
        let id = Uuid::nil();
        let many = vec![format!("\"{id}\""); MAX_IDS + 1].join(",");
        for (body, field) in [
            (
                format!(r#"{{"action":"explode","ids":["{id}"]}}"#),
                "action",
            ),
            (r#"{"action":"delete","ids":[]}"#.to_owned(), "ids"),
            (r#"{"action":"delete","ids":["x"]}"#.to_owned(), "ids[0]"),
            (format!(r#"{{"action":"delete","ids":[{many}]}}"#), "ids"),
            (
                format!(r#"{{"action":"add_event_types","ids":["{id}"]}}"#),
                "event_types",
            ),
            (
                format!(r#"{{"action":"delete","ids":["{id}"],"event_types":["*"]}}"#),
                "event_types",
            ),
        ] {
            let Err(Refusal::Invalid(errors)) = ChangeWebhooks::parse(body.as_bytes()) else {
                panic!("{field}");
            };
            assert_eq!(errors[0].field, field);
        }
    }
}
