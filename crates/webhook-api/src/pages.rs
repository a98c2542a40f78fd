//! The portal: pages that admins open in a browser, every route with the permission that it needs.
//!
//! A page shows what the API answers: it reads with the API's own functions, and its forms become
//! the API's own documents, so that both say the same, refuse the same and cannot drift apart. All
//! of it works without JavaScript; `assets/` makes it pleasant.

use actix_web::dev::HttpServiceFactory;
use actix_web::http::Method;
use actix_web::middleware::{Next, from_fn};
use actix_web::web::{redirect, resource, scope, to};
use actix_web::{Resource, Route, Scope};
use webhook_domain::Permission;

use crate::auth::authorize;

// The way of a request: who looks, what a form says, the page that is made.
mod visit;

mod errors;
mod form;
mod moment;
mod query;

mod html;
mod problems;

// What pages are made of.
mod assets;
mod chart;
mod filters;
mod notice;

// The pages.
mod audit;
mod sign_in;
mod webhooks;

/// Where the navigation leads.
pub(crate) const SECTIONS: [(&str, &str); 6] = [
    ("/admin/webhooks", "Webhooks"),
    ("/admin/webhook-deliveries", "Deliveries"),
    ("/admin/events", "Events"),
    ("/admin/rejected-messages", "Rejected messages"),
    ("/admin/event-types", "Event types"),
    ("/admin/settings", "Settings"),
];

/// All pages, their problems told as pages too.
pub(crate) fn pages() -> impl HttpServiceFactory {
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

/// The pages of those who signed in.
#[rustfmt::skip]
fn guarded() -> Vec<Resource> {
    let table = vec![
        ("/sign-out", vec![(POST, READ, to(sign_in::sign_out))]),
        ("/webhooks", vec![(GET, READ, to(webhooks::list::show_webhooks))]),
        ("/webhooks/bulk", vec![(POST, MANAGE, to(webhooks::bulk::change_webhooks))]),
        ("/webhooks/{id}", vec![(GET, READ, to(webhooks::overview::show_webhook))]),
        ("/webhooks/{id}/diagnosis", vec![(GET, READ, to(webhooks::diagnosis::show_diagnosis))]),
        ("/webhooks/{id}/replay", vec![
            (GET, MANAGE, to(webhooks::replay::show_replay)),
            (POST, MANAGE, to(webhooks::replay::replay_events)),
        ]),
        ("/audit", vec![(GET, READ, to(audit::show_audit))]),
        ("/webhooks/{id}/status", vec![(POST, MANAGE, to(webhooks::list::set_status))]),
    ];
    let guard = |(path, routes): (&str, Vec<(Method, Permission, Route)>)| {
        let routes = routes.into_iter().map(|(method, permission, route)| {
            let enter = from_fn(move |request, next: Next<_>| authorize(Some(permission), request, next));
            (method, route.wrap(enter))
        });
        at(path, routes.collect())
    };
    table.into_iter().map(guard).collect()
}

/// The one page for everybody.
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
