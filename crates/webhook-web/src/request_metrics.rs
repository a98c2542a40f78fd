//! The label of a request's metrics that names the route.

use actix_web::http::Method;

/// The part of the API or portal that a route belongs to. `pattern`: the route's path, `None` for an unknown path.
pub(crate) fn route_of(method: &Method, pattern: Option<&str>) -> &'static str {
    let Some(pattern) = pattern else {
        return "unknown";
    };
    if let Some(path) = pattern.strip_prefix("/api/v1/") {
        return match first_of(path) {
            "webhooks" | "webhooks.csv" => "api/webhooks",
            "deliveries" | "deliveries.csv" => "api/deliveries",
            "events" if method == Method::POST => "api/publish",
            "events" => "api/events",
            "jobs" => "api/jobs",
            "rejected-messages" => "api/rejected-messages",
            _ => "api/platform",
        };
    }
    if let Some(path) = pattern.strip_prefix("/admin/") {
        return match first_of(path) {
            "overview" => "portal/overview",
            "webhooks" | "webhooks.csv" | "schedule" => "portal/webhooks",
            "webhook-deliveries" | "webhook-deliveries.csv" | "jobs" => "portal/deliveries",
            "events" | "event-types" | "rejected-messages" => "portal/events",
            "assets" => "portal/assets",
            _ => "portal/platform",
        };
    }
    match pattern {
        "/healthz" | "/readyz" => "health",
        _ if first_of(pattern.trim_start_matches('/')) == "api" => "api/docs",
        _ => "portal/platform",
    }
}

fn first_of(path: &str) -> &str {
    path.split('/').next().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_route_is_counted_with_its_part() {
        let parts = [
            (Method::GET, "/api/v1/webhooks/{id}", "api/webhooks"),
            (Method::GET, "/api/v1/events", "api/events"),
            (Method::POST, "/api/v1/events/batch", "api/publish"),
            (Method::PATCH, "/api/v1/settings", "api/platform"),
            (Method::GET, "/admin/webhooks/{id}/edit", "portal/webhooks"),
            (Method::GET, "/admin/jobs", "portal/deliveries"),
            (Method::GET, "/admin/sign-in", "portal/platform"),
            (Method::GET, "/admin", "portal/platform"),
            (Method::GET, "/readyz", "health"),
            (Method::GET, "/api/openapi.json", "api/docs"),
        ];

        for (method, pattern, part) in parts {
            assert_eq!(route_of(&method, Some(pattern)), part, "{method} {pattern}");
        }
    }

    #[test]
    fn a_path_without_a_route_is_unknown() {
        assert_eq!(route_of(&Method::GET, None), "unknown");
    }
}
