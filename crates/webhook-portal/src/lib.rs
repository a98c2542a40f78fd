#![doc = include_str!("../README.md")]

use actix_web::dev::HttpServiceFactory;
use actix_web::http::Method;
use actix_web::middleware::{Next, from_fn};
use actix_web::web::{redirect, resource, scope, to};
use actix_web::{Resource, Route, Scope};
use webhook_domain::Permission;

use webhook_web::auth::authorize;

// The way of a request: the visit, the form, the page.
mod visit;

mod errors;
mod form;
mod form_token;
mod query;

mod html;
mod problems;

// Parts of pages.
mod alarm;
mod api_call;
mod assets;
mod chart;
mod chips;
mod duration_text;
mod filters;
mod flash;
mod json;
mod moment;
mod navigation;
mod payload;
mod retry_policy;
mod samples;
mod schedule;
mod shell;
mod shorten;

// The pages.
mod sign_in;

mod csv;
mod overview;

mod webhooks;

mod deliveries;
mod event_types;
mod events;
mod jobs;
mod rejected_messages;

mod audit;
mod settings;

/// All pages; a refused request becomes a page too.
pub fn pages() -> impl HttpServiceFactory {
    let pages = guarded().into_iter().fold(scope("/admin"), Scope::service);
    pages
        .service(sign_in_page())
        .service(at(
            "/assets/{fingerprint}/{name}",
            vec![(GET, to(assets::show_asset))],
        ))
        .service(redirect("", "/admin/webhooks"))
        .service(redirect("/", "/admin/webhooks"))
        .default_service(to(problems::refuse_path))
        .wrap(from_fn(problems::tell_problems))
}

const GET: Method = Method::GET;
const POST: Method = Method::POST;
const READ: Permission = Permission::Read;
const MANAGE: Permission = Permission::Manage;
const OWN: Permission = Permission::Own;

/// The pages behind the sign-in.
fn guarded() -> Vec<Resource> {
    let pages = [
        overview_pages(),
        webhook_pages(),
        event_pages(),
        platform_pages(),
    ];
    let guard = |(path, routes): PageRoutes| {
        let routes = routes.into_iter().map(|(method, permission, route)| {
            let enter =
                from_fn(move |request, next: Next<_>| authorize(Some(permission), request, next));
            (method, route.wrap(enter))
        });
        at(path, routes.collect())
    };
    pages.into_iter().flatten().map(guard).collect()
}

/// A path with its methods, and the permission of each method.
type PageRoutes = (&'static str, Vec<(Method, Permission, Route)>);

/// All webhooks at once, and lists as files.
#[rustfmt::skip]
fn overview_pages() -> Vec<PageRoutes> {
    vec![
        ("/overview", vec![(GET, READ, to(overview::show_overview))]),
        ("/webhooks.csv", vec![(GET, READ, to(csv::download_webhooks))]),
        ("/webhook-deliveries.csv", vec![(GET, READ, to(csv::download_deliveries))]),
    ]
}

/// Webhooks.
#[rustfmt::skip]
fn webhook_pages() -> Vec<PageRoutes> {
    vec![
        ("/webhooks", vec![(GET, READ, to(webhooks::list::show_webhooks))]),
        ("/webhooks/bulk", vec![(POST, MANAGE, to(webhooks::bulk::change_webhooks))]),
        ("/webhooks/check-url", vec![(POST, MANAGE, to(webhooks::url::check_url))]),
        ("/webhooks/check-name", vec![(GET, MANAGE, to(webhooks::name::check_name))]),
        ("/webhooks/transfer", vec![(GET, MANAGE, to(webhooks::transfer::show_transfer))]),
        ("/webhooks/export", vec![(POST, MANAGE, to(webhooks::transfer::export_webhooks))]),
        ("/webhooks/import", vec![(POST, MANAGE, to(webhooks::import::import_webhooks))]),
        ("/webhooks/preview", vec![(POST, MANAGE, to(webhooks::preview::show_preview))]),
        ("/webhooks/new", vec![
            (GET, MANAGE, to(webhooks::create::show_create_form)),
            (POST, MANAGE, to(webhooks::create::create_webhook)),
        ]),
        ("/webhooks/{id}", vec![(GET, READ, to(webhooks::overview::show_webhook))]),
        ("/webhooks/{id}/delete", vec![
            (GET, MANAGE, to(webhooks::delete::ask_to_delete_webhook)),
            (POST, MANAGE, to(webhooks::delete::delete_webhook)),
        ]),
        ("/webhooks/{id}/diagnosis", vec![(GET, READ, to(webhooks::diagnosis::show_diagnosis))]),
        ("/webhooks/{id}/edit", vec![
            (GET, MANAGE, to(webhooks::edit::show_edit_form)),
            (POST, MANAGE, to(webhooks::edit::save_webhook)),
        ]),
        ("/webhooks/{id}/replay", vec![
            (GET, MANAGE, to(webhooks::replay::show_replay)),
            (POST, MANAGE, to(webhooks::replay::replay_events)),
        ]),
        ("/webhooks/{id}/secret", vec![
            (GET, MANAGE, to(webhooks::secret::ask_to_show_secret)),
            (POST, MANAGE, to(webhooks::secret::show_secret)),
        ]),
        ("/webhooks/{id}/url", vec![
            (GET, MANAGE, to(webhooks::whole_url::ask_to_show_url)),
            (POST, MANAGE, to(webhooks::whole_url::show_url)),
        ]),
        ("/webhooks/{id}/secret/replace", vec![(POST, MANAGE, to(webhooks::secret::replace_secret))]),
        ("/webhooks/{id}/status", vec![(POST, MANAGE, to(webhooks::list::set_status))]),
        ("/webhooks/{id}/templates", vec![(GET, READ, to(webhooks::templates::show_templates))]),
        ("/webhooks/{id}/test", vec![
            (GET, MANAGE, to(webhooks::test_event::show_test_form)),
            (POST, MANAGE, to(webhooks::test_event::send_test_event)),
        ]),
        ("/schedule", vec![(GET, READ, to(retry_policy::show_schedule))]),
    ]
}

/// Events, deliveries, jobs, rejected messages.
#[rustfmt::skip]
fn event_pages() -> Vec<PageRoutes> {
    vec![
        ("/webhook-deliveries", vec![(GET, READ, to(deliveries::list::show_deliveries))]),
        ("/webhook-deliveries/retry", vec![
            (GET, MANAGE, to(deliveries::retry_many::ask_to_retry_deliveries)),
            (POST, MANAGE, to(deliveries::retry_many::start_retry)),
        ]),
        ("/webhook-deliveries/retry-selected", vec![(POST, MANAGE, to(deliveries::retry_and_cancel::retry_selected))]),
        ("/webhook-deliveries/{id}", vec![(GET, READ, to(deliveries::show::show_delivery))]),
        ("/webhook-deliveries/{id}/cancel", vec![(POST, MANAGE, to(deliveries::retry_and_cancel::cancel_delivery))]),
        ("/webhook-deliveries/{id}/retry", vec![(POST, MANAGE, to(deliveries::retry_and_cancel::retry_delivery))]),
        ("/jobs", vec![(GET, READ, to(jobs::show_jobs))]),
        ("/jobs/{id}", vec![(GET, READ, to(jobs::show_job))]),
        ("/jobs/{id}/cancel", vec![(POST, MANAGE, to(jobs::cancel_job))]),
        ("/event-types", vec![(GET, READ, to(event_types::list::show_event_types))]),
        ("/event-types/templates", vec![(GET, READ, to(event_types::guides::show_templates))]),
        ("/event-types/verifying", vec![(GET, READ, to(event_types::guides::show_verifying))]),
        ("/events", vec![(GET, READ, to(events::list::show_events))]),
        ("/events/{id}", vec![(GET, READ, to(events::detail::show_event))]),
        ("/rejected-messages", vec![(GET, READ, to(rejected_messages::list::show_messages))]),
        ("/rejected-messages/requeue", vec![
            (GET, MANAGE, to(rejected_messages::bulk::ask_to_requeue_messages)),
            (POST, MANAGE, to(rejected_messages::bulk::requeue_messages)),
        ]),
        ("/rejected-messages/discard", vec![
            (GET, MANAGE, to(rejected_messages::bulk::ask_to_discard_messages)),
            (POST, MANAGE, to(rejected_messages::bulk::discard_messages)),
        ]),
        ("/rejected-messages/{id}", vec![(GET, READ, to(rejected_messages::detail::show_message))]),
        ("/rejected-messages/{id}/body", vec![(GET, READ, to(rejected_messages::detail::download_body))]),
        ("/rejected-messages/{id}/requeue", vec![(POST, MANAGE, to(rejected_messages::detail::requeue_message))]),
        ("/rejected-messages/{id}/discard", vec![
            (GET, MANAGE, to(rejected_messages::detail::ask_to_discard_message)),
            (POST, MANAGE, to(rejected_messages::detail::discard_message)),
        ]),
    ]
}

/// Settings, API keys, the audit log.
#[rustfmt::skip]
fn platform_pages() -> Vec<PageRoutes> {
    vec![
        ("/settings", vec![
            (GET, READ, to(settings::general::show_settings)),
            (POST, OWN, to(settings::general::save_settings)),
        ]),
        ("/settings/api-keys", vec![
            (GET, OWN, to(settings::api_keys::show_keys)),
            (POST, OWN, to(settings::api_keys::create_key)),
        ]),
        ("/settings/api-keys/{id}/revoke", vec![
            (GET, OWN, to(settings::revocation::ask_to_revoke_key)),
            (POST, OWN, to(settings::revocation::revoke_key)),
        ]),
        ("/settings/retry-policies", vec![(GET, READ, to(settings::retry_policies::show_policies))]),
        ("/settings/retry-policies/{environment}", vec![
            (GET, OWN, to(settings::retry_policies::edit_policy)),
            (POST, OWN, to(settings::retry_policies::replace_policy)),
        ]),
        ("/settings/signatures", vec![
            (GET, MANAGE, to(settings::checker::show_checker)),
            (POST, MANAGE, to(settings::checker::check_signature)),
        ]),
        ("/audit", vec![(GET, READ, to(audit::show_audit))]),
        ("/sign-out", vec![(POST, READ, to(sign_in::sign_out))]),
    ]
}

/// The sign-in page, open to everybody.
fn sign_in_page() -> Resource {
    at(
        "/sign-in",
        vec![
            (GET, to(sign_in::show_sign_in)),
            (POST, to(sign_in::sign_in)),
        ],
    )
}

fn at(path: &str, routes: Vec<(Method, Route)>) -> Resource {
    let routes = routes
        .into_iter()
        .map(|(method, route)| route.method(method));
    routes
        .fold(resource(path), Resource::route)
        .default_service(to(problems::refuse_method))
}
