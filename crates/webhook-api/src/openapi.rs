//! The API's description, generated from the handlers.

use utoipa::openapi::OpenApi as Description;
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::{Modify, OpenApi};

use crate::routes::{deliveries, event_types, events, health, retry_policies, webhooks};

/// What `/api/openapi.json` serves.
#[derive(OpenApi)]
#[openapi(
    info(
        title = "Webhooks",
        description = "Signed HTTP POSTs of what happens on the platform. Every refusal is a \
                       problem (RFC 9457); a wrong body is told field by field."
    ),
    paths(
        webhooks::create_webhook,
        webhooks::list_webhooks,
        webhooks::find_webhook,
        webhooks::status::activate_webhook,
        webhooks::status::deactivate_webhook,
        events::publish_event,
        events::publish_events,
        deliveries::list_deliveries,
        deliveries::find_delivery,
        event_types::list_event_types,
        retry_policies::list_retry_policies,
        retry_policies::replace_retry_policy,
        health::show_health,
        health::show_readiness
    ),
    components(schemas(crate::problem::ProblemBody)),
    modifiers(&BearerKey),
    security(("api_key" = []))
)]
pub(crate) struct ApiDescription;

struct BearerKey;

impl Modify for BearerKey {
    fn modify(&self, description: &mut Description) {
        let bearer = HttpBuilder::new()
            .scheme(HttpAuthScheme::Bearer)
            .description(Some("An API key, `whk_…`"))
            .build();
        description
            .components
            .get_or_insert_default()
            .add_security_scheme("api_key", SecurityScheme::Http(bearer));
    }
}
