//! One change of many webhooks.

use actix_web::web::{Data, Json};
use serde::Serialize;
use utoipa::openapi::schema::{OneOfBuilder, Schema};
use utoipa::openapi::{Ref, RefOr};
use utoipa::{PartialSchema, ToSchema};
use uuid::Uuid;
use webhook_domain::{EventSelection, FieldError, WebhookId, WebhookSettings, WebhookStatus};
use webhook_store::{RawConnection, SealingKeys, transaction};

use super::change::{Change, delete};
use crate::refusals::Refusals;
use webhook_admin::Caller;
use webhook_admin::Connections;
use webhook_admin::Refusal;
use webhook_admin::fields::Fields;
use webhook_admin::refusal::FieldProblem;
use webhook_admin::schema;
use webhook_admin::version::IfMatch;
use webhook_web::Authenticated;
use webhook_web::Problem;
use webhook_web::body::Body;

/// The most webhooks in one request.
const MAX_IDS: usize = 1_000;

/// The most bytes that such a request may have.
const MAX_BYTES: usize = 128 * 1024;

/// What to do with which webhooks: one of the two.
pub(crate) struct ChangeWebhooks;

impl PartialSchema for ChangeWebhooks {
    fn schema() -> RefOr<Schema> {
        let one_of = OneOfBuilder::new()
            .item(Ref::from_schema_name("SetWebhooks"))
            .item(Ref::from_schema_name("ChangeSubscriptions"))
            .description(Some("What to do with which webhooks."));
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

/// Sets webhooks Active or Inactive, or deletes them.
#[derive(ToSchema)]
#[allow(
    dead_code,
    reason = "it documents what `parse_bulk` reads field by field"
)]
struct SetWebhooks {
    #[schema(pattern = "^(activate|deactivate|delete)$", example = "activate")]
    action: String,
    /// Up to 1,000.
    #[schema(min_items = 1, max_items = 1000)]
    ids: Vec<Uuid>,
}

/// Changes which events webhooks want.
#[derive(ToSchema)]
#[allow(
    dead_code,
    reason = "it documents what `parse_bulk` reads field by field"
)]
struct ChangeSubscriptions {
    #[schema(pattern = "^(add|remove)_event_types$", example = "add_event_types")]
    action: String,
    /// Up to 1,000.
    #[schema(min_items = 1, max_items = 1000)]
    ids: Vec<Uuid>,
    #[schema(value_type = schema::EventPatterns, inline)]
    event_types: Vec<String>,
}

/// A change of many webhooks.
#[derive(Clone, Copy, PartialEq, Eq)]
enum BulkAction {
    Activate,
    Deactivate,
    Delete,
    AddEventTypes,
    RemoveEventTypes,
}

/// What became of each.
#[derive(Serialize, ToSchema)]
pub(crate) struct BulkResults {
    /// In the order of the ids.
    pub(crate) results: Vec<WebhookResult>,
}

/// What became of one webhook.
#[derive(Serialize, ToSchema)]
pub(crate) struct WebhookResult {
    pub(crate) id: Uuid,
    /// `changed`; `unchanged`: it was so already; `not_found`; `refused`: see `errors`;
    /// `unavailable`: send it again.
    #[schema(example = "changed")]
    pub(crate) result: &'static str,
    /// Why it was refused.
    pub(crate) errors: Vec<FieldProblem>,
}

/// Changes or deletes many webhooks, each for itself: what cannot be done with one does not hold
/// up the others.
#[utoipa::path(
    post, path = "/api/v1/webhooks/bulk", tag = "webhooks", request_body = ChangeWebhooks,
    responses((status = 200, body = BulkResults), Refusals)
)]
pub(crate) async fn change_webhooks(
    body: Body<MAX_BYTES>,
    Authenticated(caller): Authenticated,
    connections: Data<Connections>,
    keys: Data<SealingKeys>,
) -> Result<Json<BulkResults>, Problem> {
    change_all(&body.0, &caller, &connections, &keys)
        .await
        .map(Json)
        .map_err(Problem::from)
}

/// Does what a body asks for.
pub(crate) async fn change_all(
    body: &[u8],
    caller: &Caller,
    connections: &Connections,
    keys: &SealingKeys,
) -> Result<BulkResults, Refusal> {
    let (ids, job) = parse_bulk(body)?;
    let mut connection = connections.acquire().await?;
    let mut results = Vec::with_capacity(ids.len());
    for id in ids {
        let done = job.do_one(&mut connection, id, caller, keys).await;
        results.push(tell(id, done));
    }
    Ok(BulkResults { results })
}

/// What is done with each.
enum Job {
    SetStatus(WebhookStatus),
    Delete,
    Add(EventSelection),
    Remove(EventSelection),
}

impl Job {
    /// `false`: nothing has changed.
    async fn do_one(
        &self,
        connection: &mut RawConnection,
        id: WebhookId,
        caller: &Caller,
        keys: &SealingKeys,
    ) -> Result<bool, Refusal> {
        if let Self::Delete = self {
            return delete(connection, id, &IfMatch::Any, caller)
                .await
                .map(|()| true);
        }
        let change = Change {
            id,
            if_match: &IfMatch::Any,
            caller,
            keys,
        };
        transaction(connection, async |connection| {
            change
                .apply_within(connection, |current| self.decide(current))
                .await
        })
        .await
    }

    fn decide(&self, current: &WebhookSettings) -> Result<WebhookSettings, Refusal> {
        let mut settings = current.clone();
        match self {
            Self::SetStatus(status) => settings.status = *status,
            Self::Add(events) => settings.events = current.events.with(events),
            Self::Remove(events) => {
                settings.events = current.events.without(events).map_err(|error| {
                    Refusal::Invalid(vec![FieldError::new("event_types", error)])
                })?;
            }
            // Nothing is left to be decided.
            Self::Delete => {}
        }
        Ok(settings)
    }
}

/// What is done is told, whatever becomes of the others.
fn tell(id: WebhookId, done: Result<bool, Refusal>) -> WebhookResult {
    let (result, errors) = match done {
        Ok(true) => ("changed", Vec::new()),
        Ok(false) => ("unchanged", Vec::new()),
        Err(Refusal::NotFound(_)) => ("not_found", Vec::new()),
        Err(Refusal::Invalid(errors)) => ("refused", errors),
        Err(problem) => {
            problem.log();
            ("unavailable", Vec::new())
        }
    };
    WebhookResult {
        id: id.0,
        result,
        errors: errors.iter().map(FieldProblem::from).collect(),
    }
}

fn parse_bulk(body: &[u8]) -> Result<(Vec<WebhookId>, Job), Refusal> {
    let mut fields = Fields::of_body(body)?;
    let action = fields.required("action", parse_action);
    let ids: Option<Vec<WebhookId>> = fields.required_list("ids", str::parse);
    if ids.as_ref().is_some_and(|ids| ids.len() > MAX_IDS) {
        fields.refuse("ids", format!("must have at most {MAX_IDS} items"));
    }
    let changes_types = matches!(
        action,
        Some(BulkAction::AddEventTypes | BulkAction::RemoveEventTypes)
    );
    let events = if changes_types {
        let patterns = fields.required_list("event_types", str::parse);
        patterns.and_then(|patterns| EventSelection::new(patterns).ok())
    } else {
        None
    };
    let errors = fields.finish();
    let job = match (action, events) {
        (Some(BulkAction::Activate), _) => Some(Job::SetStatus(WebhookStatus::Active)),
        (Some(BulkAction::Deactivate), _) => Some(Job::SetStatus(WebhookStatus::Inactive)),
        (Some(BulkAction::Delete), _) => Some(Job::Delete),
        (Some(BulkAction::AddEventTypes), Some(events)) => Some(Job::Add(events)),
        (Some(BulkAction::RemoveEventTypes), Some(events)) => Some(Job::Remove(events)),
        (Some(_) | None, _) => None,
    };
    match (ids, job) {
        (Some(ids), Some(job)) if errors.is_empty() => Ok((ids, job)),
        _ => Err(Refusal::Invalid(errors)),
    }
}

fn parse_action(text: &str) -> Result<BulkAction, &'static str> {
    match text {
        "activate" => Ok(BulkAction::Activate),
        "deactivate" => Ok(BulkAction::Deactivate),
        "delete" => Ok(BulkAction::Delete),
        "add_event_types" => Ok(BulkAction::AddEventTypes),
        "remove_event_types" => Ok(BulkAction::RemoveEventTypes),
        _ => Err("must be activate, deactivate, delete, add_event_types or remove_event_types"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
            let Err(Refusal::Invalid(errors)) = parse_bulk(body.as_bytes()) else {
                panic!("{field}");
            };
            assert_eq!(errors[0].field, field);
        }
    }
}
