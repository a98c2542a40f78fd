//! The API's description, generated from the handlers.

use actix_web::ResponseError;
use serde_json::Value;
use utoipa::openapi::OpenApi as Description;
use utoipa::openapi::security::{ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::{Modify, OpenApi};

use crate::refusals::{component, describe, refusals};
use crate::rest;
use webhook_web::auth::SESSION_COOKIE;
use webhook_web::problem::ProblemBody;

// The steps from the handlers' words to the document, in their order.
mod document;
mod examples;
mod responses;
mod schemas;
mod texts;
mod webhooks;

/// The document at `/api/openapi.json`.
#[derive(OpenApi)]
#[openapi(
    info(
        title = "Webhooks API",
        description = include_str!("openapi/introduction.md")
    ),
    servers((url = "/", description = "This installation")),
    tags(
        (name = "Webhooks", description = "Create, find, change, test and delete webhooks."),
        (name = "Deliveries", description = "One event for one webhook, with every attempt: find, retry, cancel."),
        (name = "Events", description = "Publish events; find events, and why each webhook received an event or not."),
        (name = "Event types", description = "The 21 types of events, in five groups, each with an example."),
        (name = "Signatures", description = "Find out why the signature of a request does not hold."),
        (name = "Statistics", description = "Deliveries and attempts by hour or day, for charts."),
        (name = "Jobs", description = "Retries and replays of many deliveries: watch and cancel."),
        (name = "Rejected messages", description = "Messages that are no event: read, requeue, discard."),
        (name = "Retry policies", description = "The default retry policy of each environment."),
        (name = "Settings", description = "Retention times, grace periods and outgoing IP addresses of the platform."),
        (name = "API keys", description = "Create, list and revoke API keys; for owners."),
        (name = "Audit log", description = "Who changed what, and when."),
        (name = "Session", description = "Sign a browser in and out; programs send an API key instead."),
        (name = "Health", description = "For orchestrators: whether the process lives, and whether the process is ready."),
    ),
    paths(
        rest::webhooks::list_webhooks,
        rest::webhooks::create_webhook,
        rest::webhooks::find_webhook,
        rest::webhooks::replace_webhook,
        rest::webhooks::patch_webhook,
        rest::webhooks::delete_webhook,
        rest::webhooks::activate_webhook,
        rest::webhooks::deactivate_webhook,
        rest::webhooks::secret::show_secret,
        rest::webhooks::secret::rotate_secret,
        rest::webhooks::url::show_url,
        rest::webhooks::test_event::send_test_event,
        rest::webhooks::bulk::change_webhooks,
        rest::webhooks::export::export_webhooks,
        rest::webhooks::import::import_webhooks,
        rest::webhooks::preview::preview_webhook,
        rest::webhooks::templates::list_templates,
        rest::csv::write_webhooks_csv,
        rest::csv::write_deliveries_csv,
        rest::events::publish_event,
        rest::events::publish_events,
        rest::events::list_events,
        rest::events::find_event,
        rest::events::explain_event,
        rest::event_types::list_event_types,
        rest::statistics::read_statistics,
        rest::overview::read_overview,
        rest::deliveries::list_deliveries,
        rest::deliveries::find_delivery,
        rest::deliveries::retry_delivery,
        rest::deliveries::cancel_delivery,
        rest::deliveries::retry_deliveries,
        rest::jobs::list_jobs,
        rest::jobs::find_job,
        rest::jobs::cancel_job,
        rest::webhooks::replay::replay_events,
        rest::webhooks::diagnosis::diagnose_webhook,
        rest::signatures::verify_signature,
        rest::rejected_messages::list_rejected_messages,
        rest::rejected_messages::find_rejected_message,
        rest::rejected_messages::requeue_rejected_message,
        rest::rejected_messages::discard_rejected_message,
        rest::rejected_messages::requeue_rejected_messages,
        rest::rejected_messages::discard_rejected_messages,
        rest::retry_policies::list_retry_policies,
        rest::retry_policies::replace_retry_policy,
        rest::settings::show_settings,
        rest::settings::patch_settings,
        rest::api_keys::create_api_key,
        rest::api_keys::list_api_keys,
        rest::api_keys::revoke_api_key,
        rest::audit::list_audit,
        rest::session::sign_in,
        rest::session::show_session,
        rest::session::sign_out,
        rest::health::show_health,
        rest::health::show_readiness
    ),
    components(schemas(ProblemBody)),
    modifiers(&Shared),
    security(("api_key" = []), ("session" = []))
)]
pub(crate) struct ApiDescription;

/// The description as JSON text, as checked in.
pub fn openapi_document() -> String {
    let json = serde_json::to_string_pretty(&description());
    json.expect("the description is JSON") + "\n"
}

/// The description: the handlers' words, and what holds for every operation.
pub(crate) fn description() -> Value {
    let json = serde_json::to_value(ApiDescription::openapi());
    let mut json = json.expect("the description is JSON");
    // References first: closed requests differ from the components that their parts are copies of.
    schemas::refer_to_components(&mut json);
    schemas::close_requests(&mut json);
    texts::unfold(&mut json);
    responses::describe_responses(&mut json);
    // Examples last: their texts are data.
    examples::add_examples(&mut json);
    webhooks::describe_webhooks(&mut json);
    json
}

/// Adds the parts of every operation: security schemes and refusals.
struct Shared;

impl Modify for Shared {
    fn modify(&self, description: &mut Description) {
        let bearer = HttpBuilder::new()
            .scheme(HttpAuthScheme::Bearer)
            .description(Some(
                "An API key, `whk_…`, as `Authorization: Bearer whk_…`",
            ))
            .build();
        let components = description.components.get_or_insert_default();
        components.add_security_scheme("api_key", SecurityScheme::Http(bearer));
        let cookie = ApiKeyValue::with_description(
            SESSION_COOKIE,
            "The cookie of a browser that signed in at `/api/v1/session`",
        );
        let cookie = SecurityScheme::ApiKey(ApiKey::Cookie(cookie));
        components.add_security_scheme("session", cookie);
        for (problem, cause) in refusals() {
            let name = component(problem.status_code());
            let response = describe(&problem, cause);
            components.responses.insert(name, response.into());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::document::operations;
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn the_document_that_is_checked_in_is_what_the_code_says() {
        let checked_in = include_str!("../openapi.json");

        assert!(
            checked_in == openapi_document(),
            "write it anew: cargo run --bin webhook-api openapi > crates/webhook-api/openapi.json"
        );
    }

    /// Every operation with the text of a part.
    fn all<T>(part: impl Fn(&Value) -> T) -> Vec<(String, T)> {
        let mut description = description();
        let operations = operations(&mut description);
        operations
            .map(|(name, operation)| (name, part(operation)))
            .collect()
    }

    #[test]
    fn every_response_has_a_description() {
        for (name, responses) in all(|operation| operation["responses"].clone()) {
            for (status, response) in responses.as_object().expect("responses") {
                let described = response.get("$ref").is_some()
                    || response["description"]
                        .as_str()
                        .is_some_and(|text| !text.is_empty());
                assert!(described, "{name} {status}");
            }
        }
    }

    #[test]
    fn every_operation_has_an_id_of_its_own() {
        let ids = all(|operation| operation["operationId"].as_str().expect("an id").to_owned());

        let different: BTreeSet<&String> = ids.iter().map(|(_, id)| id).collect();
        assert_eq!(different.len(), ids.len());
    }

    #[test]
    fn every_summary_is_one_short_line_without_backticks() {
        for (name, summary) in all(|operation| operation["summary"].clone()) {
            let summary = summary.as_str().unwrap_or_default();
            assert!((1..=60).contains(&summary.len()), "{name}: {summary}");
            assert!(!summary.contains(['`', '\n']), "{name}: {summary}");
        }
    }

    #[test]
    fn tags_come_in_the_order_of_use_and_each_operation_has_one() {
        let description = description();
        let tags = description["tags"].as_array().expect("tags").iter();
        let tags: Vec<&str> = tags.filter_map(|tag| tag["name"].as_str()).collect();

        assert_eq!(
            tags[..4],
            ["Webhooks", "Deliveries", "Events", "Event types"]
        );
        assert_eq!(tags[tags.len() - 2..], ["Session", "Health"]);
        let used = all(|operation| operation["tags"][0].as_str().unwrap_or_default().to_owned());
        let used: BTreeSet<&str> = used.iter().map(|(_, tag)| tag.as_str()).collect();
        assert_eq!(used, tags.into_iter().collect());
    }

    #[test]
    fn every_operation_but_those_of_health_lists_every_refusal() {
        for (name, responses) in all(|operation| operation["responses"].clone()) {
            let statuses = refusals().map(|(problem, _)| problem.status_code());
            let listed = statuses.map(|status| responses.get(status.as_str()).is_some());
            let health = name.ends_with("/healthz") || name.ends_with("/readyz");
            assert!(
                health || listed.iter().all(|listed| *listed),
                "{name}: {listed:?}"
            );
        }
    }
}
