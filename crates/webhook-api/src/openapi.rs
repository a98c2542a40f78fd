//! The API's description, generated from the handlers.

use std::collections::BTreeSet;

use serde_json::Value;
use utoipa::openapi::OpenApi as Description;
use utoipa::openapi::security::{ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::{Modify, OpenApi};

use crate::refusals::{REFUSALS, component, refusal};
use crate::rest;
use webhook_web::auth::SESSION_COOKIE;
use webhook_web::problem::ProblemBody;

/// The document at `/api/openapi.json`.
#[derive(OpenApi)]
#[openapi(
    info(
        title = "Webhooks",
        description = "Signed HTTP POSTs of what happens on the platform.\n\nEvery refusal is a \
            problem (RFC 9457); a wrong body is told field by field, and a field that is not known \
            is refused by its name. Every answer has an `X-Request-Id`: the one that was sent, or a \
            fresh one. One key may make so many requests per second; then it is answered 429 with \
            `Retry-After`. A creation with an `Idempotency-Key` is made once, however often it is \
            sent within 24 hours. A change with `If-Match` is refused with 412 when the webhook \
            has another version by then."
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
        rest::webhooks::test_event::send_test_event,
        rest::webhooks::bulk::change_webhooks,
        rest::webhooks::export::export_webhooks,
        rest::webhooks::import::import_webhooks,
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

/// The description. Schemas of requests allow no further fields.
pub(crate) fn description() -> Value {
    let json = serde_json::to_value(ApiDescription::openapi());
    let mut json = json.expect("the description is JSON");
    let mut requests = BTreeSet::new();
    for operations in json["paths"].as_object().into_iter().flatten() {
        for operation in operations.1.as_object().into_iter().flatten() {
            collect_schemas(&json, &operation.1["requestBody"], &mut requests);
        }
    }
    for name in requests {
        let schema = &mut json["components"]["schemas"][name];
        if schema["properties"].is_object() {
            schema["additionalProperties"] = false.into();
        }
    }
    json
}

/// Names of the schemas behind the references of a part of the description, at every depth.
fn collect_schemas(json: &Value, part: &Value, names: &mut BTreeSet<String>) {
    match part {
        Value::Object(fields) => {
            let reference = fields.get("$ref").and_then(Value::as_str);
            let name = reference.and_then(|text| text.strip_prefix("#/components/schemas/"));
            if let Some(name) = name.filter(|name| names.insert((*name).to_owned())) {
                collect_schemas(json, &json["components"]["schemas"][name], names);
            }
            for part in fields.values() {
                collect_schemas(json, part, names);
            }
        }
        Value::Array(parts) => {
            for part in parts {
                collect_schemas(json, part, names);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// Adds the parts of every operation: security schemes and refusals.
struct Shared;

impl Modify for Shared {
    fn modify(&self, description: &mut Description) {
        let bearer = HttpBuilder::new()
            .scheme(HttpAuthScheme::Bearer)
            .description(Some("An API key, `whk_…`"))
            .build();
        let components = description.components.get_or_insert_default();
        components.add_security_scheme("api_key", SecurityScheme::Http(bearer));
        let cookie = ApiKeyValue::with_description(
            SESSION_COOKIE,
            "The cookie of a browser that signed in at `/api/v1/session`",
        );
        let cookie = SecurityScheme::ApiKey(ApiKey::Cookie(cookie));
        components.add_security_scheme("session", cookie);
        for (status, when) in REFUSALS {
            let response = refusal(status, when);
            components
                .responses
                .insert(component(status), response.into());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_document_that_is_checked_in_is_what_the_code_says() {
        let checked_in = include_str!("../openapi.json");

        assert!(
            checked_in == openapi_document(),
            "write it anew: cargo run --bin webhook-api openapi > crates/webhook-api/openapi.json"
        );
    }
}
