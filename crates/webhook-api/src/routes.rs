//! Every route with its permission, in three tables.

use actix_web::http::Method;
use actix_web::middleware::{Next, from_fn};
use actix_web::web::{ServiceConfig, redirect, resource, scope, to};
use actix_web::{HttpResponse, Resource, Route, Scope};
use webhook_domain::Permission;
use webhook_portal::pages;

use crate::{docs, rest};
use webhook_admin::Refusal;
use webhook_web::Problem;
use webhook_web::auth::authorize;

/// Registers every route of the process.
pub(crate) fn configure(app: &mut ServiceConfig) {
    let alive = (Method::GET, Needs::Nothing, to(rest::health::show_health));
    let ready = (
        Method::GET,
        Needs::Nothing,
        to(rest::health::show_readiness),
    );
    let table = [webhook_routes(), event_routes(), platform_routes()];
    let v1 = table.into_iter().flatten();
    for page in docs_routes() {
        app.service(page);
    }
    app.service(v1.fold(scope("/api/v1"), Scope::service))
        .service(at("/healthz", vec![alive]))
        .service(at("/readyz", vec![ready]))
        .service(pages())
        .service(redirect("/api", "/api/docs/"))
        .service(redirect("/api/", "/api/docs/"))
        .service(redirect("/api/docs", "/api/docs/"))
        .default_service(to(refuse_path));
}

const GET: Method = Method::GET;
const POST: Method = Method::POST;
const PUT: Method = Method::PUT;
const PATCH: Method = Method::PATCH;
const DELETE: Method = Method::DELETE;
const READ: Needs = Needs::Permission(Permission::Read);
const PUBLISH: Needs = Needs::Permission(Permission::Publish);
const MANAGE: Needs = Needs::Permission(Permission::Manage);
const OWN: Needs = Needs::Permission(Permission::Own);

/// Webhooks.
#[rustfmt::skip]
fn webhook_routes() -> Vec<Resource> {
    vec![
        at("/webhooks", vec![
            (GET, READ, to(rest::webhooks::list_webhooks)),
            (POST, MANAGE, to(rest::webhooks::create_webhook)),
        ]),
        at("/webhooks/preview", vec![(POST, READ, to(rest::webhooks::preview::preview_webhook))]),
        at("/webhooks/bulk", vec![(POST, MANAGE, to(rest::webhooks::bulk::change_webhooks))]),
        at("/webhooks/export", vec![(GET, MANAGE, to(rest::webhooks::export::export_webhooks))]),
        at("/webhooks/import", vec![(POST, MANAGE, to(rest::webhooks::import::import_webhooks))]),
        at("/webhooks/{id}", vec![
            (GET, READ, to(rest::webhooks::find_webhook)),
            (PUT, MANAGE, to(rest::webhooks::replace_webhook)),
            (PATCH, MANAGE, to(rest::webhooks::patch_webhook)),
            (DELETE, MANAGE, to(rest::webhooks::delete_webhook)),
        ]),
        at("/webhooks/{id}/activate", vec![(POST, MANAGE, to(rest::webhooks::activate_webhook))]),
        at("/webhooks/{id}/deactivate", vec![(POST, MANAGE, to(rest::webhooks::deactivate_webhook))]),
        at("/webhooks/{id}/secret", vec![(GET, MANAGE, to(rest::webhooks::secret::show_secret))]),
        at("/webhooks/{id}/secret/rotate", vec![(POST, MANAGE, to(rest::webhooks::secret::rotate_secret))]),
        at("/webhooks/{id}/url", vec![(GET, MANAGE, to(rest::webhooks::url::show_url))]),
        at("/webhooks/{id}/diagnosis", vec![(GET, READ, to(rest::webhooks::diagnosis::diagnose_webhook))]),
        at("/webhooks/{id}/replay", vec![(POST, MANAGE, to(rest::webhooks::replay::replay_events))]),
        at("/webhooks/{id}/templates", vec![(GET, READ, to(rest::webhooks::templates::list_templates))]),
        at("/webhooks/{id}/test", vec![(POST, MANAGE, to(rest::webhooks::test_event::send_test_event))]),
    ]
}

/// Events, deliveries, jobs, rejected messages, statistics.
#[rustfmt::skip]
fn event_routes() -> Vec<Resource> {
    vec![
        at("/webhooks.csv", vec![(GET, READ, to(rest::csv::write_webhooks_csv))]),
        at("/deliveries.csv", vec![(GET, READ, to(rest::csv::write_deliveries_csv))]),
        at("/deliveries", vec![(GET, READ, to(rest::deliveries::list_deliveries))]),
        at("/deliveries/retry", vec![(POST, MANAGE, to(rest::deliveries::retry_deliveries))]),
        at("/deliveries/{id}", vec![(GET, READ, to(rest::deliveries::find_delivery))]),
        at("/deliveries/{id}/retry", vec![(POST, MANAGE, to(rest::deliveries::retry_delivery))]),
        at("/deliveries/{id}/cancel", vec![(POST, MANAGE, to(rest::deliveries::cancel_delivery))]),
        at("/jobs", vec![(GET, READ, to(rest::jobs::list_jobs))]),
        at("/jobs/{id}", vec![(GET, READ, to(rest::jobs::find_job))]),
        at("/jobs/{id}/cancel", vec![(POST, MANAGE, to(rest::jobs::cancel_job))]),
        at("/overview", vec![(GET, READ, to(rest::overview::read_overview))]),
        at("/statistics", vec![(GET, READ, to(rest::statistics::read_statistics))]),
        at("/signatures/verify", vec![(POST, MANAGE, to(rest::signatures::verify_signature))]),
        at("/events", vec![
            (GET, READ, to(rest::events::list_events)),
            (POST, PUBLISH, to(rest::events::publish_event)),
        ]),
        at("/events/batch", vec![(POST, PUBLISH, to(rest::events::publish_events))]),
        at("/events/{id}", vec![(GET, READ, to(rest::events::find_event))]),
        at("/events/{id}/explanation", vec![(GET, READ, to(rest::events::explain_event))]),
        at("/rejected-messages", vec![(GET, READ, to(rest::rejected_messages::list_rejected_messages))]),
        at("/rejected-messages/requeue", vec![(POST, MANAGE, to(rest::rejected_messages::requeue_rejected_messages))]),
        at("/rejected-messages/discard", vec![(POST, MANAGE, to(rest::rejected_messages::discard_rejected_messages))]),
        at("/rejected-messages/{id}", vec![
            (GET, READ, to(rest::rejected_messages::find_rejected_message)),
            (DELETE, MANAGE, to(rest::rejected_messages::discard_rejected_message)),
        ]),
        at("/rejected-messages/{id}/requeue", vec![(POST, MANAGE, to(rest::rejected_messages::requeue_rejected_message))]),
    ]
}

/// Settings, API keys, sessions, the audit log.
#[rustfmt::skip]
fn platform_routes() -> Vec<Resource> {
    vec![
        at("/event-types", vec![(GET, READ, to(rest::event_types::list_event_types))]),
        at("/retry-policies", vec![(GET, READ, to(rest::retry_policies::list_retry_policies))]),
        at("/retry-policies/{environment}", vec![(PUT, OWN, to(rest::retry_policies::replace_retry_policy))]),
        at("/api-keys", vec![
            (GET, OWN, to(rest::api_keys::list_api_keys)),
            (POST, OWN, to(rest::api_keys::create_api_key)),
        ]),
        at("/api-keys/{id}", vec![(DELETE, OWN, to(rest::api_keys::revoke_api_key))]),
        at("/session", vec![
            (GET, Needs::Key, to(rest::session::show_session)),
            (POST, Needs::Nothing, to(rest::session::sign_in)),
            (DELETE, Needs::Key, to(rest::session::sign_out)),
        ]),
        at("/audit", vec![(GET, READ, to(rest::audit::list_audit))]),
        at("/settings", vec![
            (GET, READ, to(rest::settings::show_settings)),
            (PATCH, OWN, to(rest::settings::patch_settings)),
        ]),
    ]
}

/// The documentation of the API.
#[rustfmt::skip]
fn docs_routes() -> Vec<Resource> {
    vec![
        at("/api/openapi.json", vec![(GET, Needs::Nothing, to(docs::show_document))]),
        at("/api/asyncapi.json", vec![(GET, Needs::Nothing, to(docs::show_messages_document))]),
        at("/api/docs/", vec![(GET, Needs::Nothing, to(docs::show_page))]),
        at("/api/docs/{name}", vec![(GET, Needs::Nothing, to(docs::show_file))]),
    ]
}

/// The credentials a route asks for.
#[derive(Clone, Copy)]
enum Needs {
    /// No credentials.
    Nothing,
    /// Any valid API key or session.
    Key,
    /// An API key or session with this permission.
    Permission(Permission),
}

/// The routes of a path, each behind its credentials; other methods are refused.
fn at(path: &str, routes: Vec<(Method, Needs, Route)>) -> Resource {
    let methods: Vec<&str> = routes.iter().map(|(method, ..)| method.as_str()).collect();
    let allowed = methods.join(", ");
    let guarded = routes.into_iter().map(|(method, needs, route)| {
        let route = route.method(method);
        let permission = match needs {
            Needs::Nothing => return route,
            Needs::Key => None,
            Needs::Permission(permission) => Some(permission),
        };
        route.wrap(from_fn(move |request, next: Next<_>| {
            authorize(permission, request, next)
        }))
    });
    let resource = guarded.fold(resource(path), Resource::route);
    refuse_other_methods(resource, allowed)
}

fn refuse_other_methods(resource: Resource, allowed: String) -> Resource {
    let refuse = move || {
        let allowed = allowed.clone();
        async { Err::<HttpResponse, _>(Problem::MethodNotAllowed { allowed }) }
    };
    resource.default_service(to(refuse))
}

#[allow(clippy::unused_async, reason = "handlers are async")]
async fn refuse_path() -> Result<HttpResponse, Problem> {
    Err(Refusal::NotFound("path").into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::openapi::description;
    use actix_web::App;
    use actix_web::test::{TestRequest, call_service, init_service};

    async fn ask(method: &str, path: &str) -> (u16, String) {
        let app = init_service(App::new().configure(configure)).await;
        let method = Method::from_bytes(method.as_bytes()).expect("a method");
        let request = TestRequest::with_uri(path).method(method).to_request();
        let response = call_service(&app, request).await;
        let content_type = response.headers().get("content-type");
        let content_type = content_type.and_then(|text| text.to_str().ok());
        (
            response.status().as_u16(),
            content_type.unwrap_or_default().to_owned(),
        )
    }

    #[tokio::test]
    async fn every_documented_route_is_there_and_wants_a_key() {
        let description = description();
        let paths = description["paths"].as_object().expect("paths");
        let routes = paths.iter().flat_map(|(path, methods)| {
            let methods = methods.as_object().expect("methods");
            methods.keys().map(move |method| (method, path))
        });

        let guarded = |method: &str, path: &str| {
            path.starts_with("/api/") && (method, path) != ("post", "/api/v1/session")
        };
        for (method, path) in routes.filter(|(method, path)| guarded(method, path)) {
            let (status, content_type) = ask(&method.to_uppercase(), path).await;

            assert_eq!(status, 401, "{method} {path}");
            assert_eq!(content_type, "application/problem+json");
        }
    }

    #[tokio::test]
    async fn other_paths_and_methods_are_problems_too() {
        let problem = "application/problem+json".to_owned();

        assert_eq!(ask("GET", "/nowhere").await, (404, problem.clone()));
        assert_eq!(ask("GET", "/api/v1/nowhere").await, (404, problem.clone()));
        assert_eq!(ask("DELETE", "/api/v1/events").await, (405, problem));
    }

    #[tokio::test]
    async fn the_description_and_its_pages_are_open_to_all() {
        assert_eq!(ask("GET", "/api/openapi.json").await.0, 200);
        assert_eq!(ask("GET", "/api/docs/").await.0, 200);
        assert_eq!(ask("GET", "/api/docs/docs.js").await.0, 200);
        assert_eq!(ask("GET", "/api/docs/nothing.js").await.0, 404);
        assert_eq!(ask("POST", "/api/docs/").await.0, 405);
    }

    #[tokio::test]
    async fn addresses_near_the_documentation_lead_to_the_documentation() {
        for path in ["/api", "/api/", "/api/docs"] {
            assert_eq!(ask("GET", path).await.0, 307, "{path}");
        }
    }
}
