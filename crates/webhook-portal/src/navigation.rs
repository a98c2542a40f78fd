//! The sections of the portal, for the navigation of every page.

/// The sections of the navigation. The API documentation is no page of the portal.
pub(crate) const SECTIONS: [(&str, &str); 10] = [
    ("/admin/overview", "Overview"),
    ("/admin/webhooks", "Webhooks"),
    ("/admin/webhook-deliveries", "Webhook Deliveries"),
    ("/admin/events", "Events"),
    ("/admin/rejected-messages", "Rejected messages"),
    ("/admin/event-types", "Event types"),
    ("/admin/jobs", "Jobs"),
    ("/admin/audit", "Audit log"),
    ("/admin/settings", "Settings"),
    ("/api/docs/", "API docs"),
];

/// Whether the page at `path` is `section` or below it.
pub(crate) fn is_in(path: &str, section: &str) -> bool {
    let rest = path.strip_prefix(section);
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}
