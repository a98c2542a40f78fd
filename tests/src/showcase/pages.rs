//! Every page of the portal, for pictures and for checks of all pages. A new page is another line in
//! [`PAGES`].

use super::Showcase;
use crate::Browser;

/// The reader of a page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Viewer {
    /// A person without a session.
    Nobody,
    /// An owner.
    Owner,
    /// A viewer.
    Reader,
}

/// A page in a state.
#[derive(Debug)]
pub struct Page {
    /// The name of the pictures.
    pub name: &'static str,
    /// The path. A name of [`FOUND`] in braces stands for the id of a row.
    pub path: &'static str,
    /// The reader of the page.
    pub viewer: Viewer,
    /// The HTTP status.
    pub status: u16,
}

const fn page(name: &'static str, path: &'static str) -> Page {
    let (viewer, status) = (Viewer::Owner, 200);
    Page {
        name,
        path,
        viewer,
        status,
    }
}

/// All pages, grouped by viewer.
pub const PAGES: &[Page] = &[
    Page {
        viewer: Viewer::Nobody,
        ..page("sign-in", "/admin/sign-in")
    },
    page("overview", "/admin/overview"),
    page(
        "overview-staging",
        "/admin/overview?environment=staging&span=30d",
    ),
    page("webhooks", "/admin/webhooks"),
    page(
        "webhooks-failing",
        "/admin/webhooks?health=failing&sort=-failure_rate",
    ),
    page("webhooks-none-fits", "/admin/webhooks?search=none"),
    page("webhook", "/admin/webhooks/{webhook}"),
    page("webhook-unusual", "/admin/webhooks/{unusual-webhook}"),
    page("webhook-failing", "/admin/webhooks/{failing-webhook}"),
    page("webhook-disabled", "/admin/webhooks/{disabled-webhook}"),
    page("webhook-replay", "/admin/webhooks/{webhook}/replay"),
    page("webhook-new", "/admin/webhooks/new"),
    page(
        "webhook-preview-slack",
        "/admin/webhooks/new?format=slack&preview_of=activation.failed",
    ),
    page(
        "webhook-preview-discord",
        "/admin/webhooks/new?format=discord&preview_of=license.suspended",
    ),
    page(
        "webhook-preview-teams",
        "/admin/webhooks/new?format=teams&preview_of=license.revoked",
    ),
    page("webhook-clone", "/admin/webhooks/new?from={webhook}"),
    page("webhooks-transfer", "/admin/webhooks/transfer"),
    page("webhook-edit", "/admin/webhooks/{webhook}/edit"),
    page(
        "webhook-edit-unusual",
        "/admin/webhooks/{unusual-webhook}/edit",
    ),
    page("webhook-secret", "/admin/webhooks/{webhook}/secret"),
    page("webhook-test", "/admin/webhooks/{webhook}/test"),
    page("webhook-delete", "/admin/webhooks/{unusual-webhook}/delete"),
    page("audit", "/admin/audit"),
    page("audit-of-a-webhook", "/admin/audit?webhook_id={webhook}"),
    page("deliveries", "/admin/webhook-deliveries"),
    page(
        "deliveries-failed",
        "/admin/webhook-deliveries?status=failed&response=5xx",
    ),
    page(
        "deliveries-of-a-webhook",
        "/admin/webhook-deliveries?webhook_id={webhook}",
    ),
    page(
        "deliveries-none-fits",
        "/admin/webhook-deliveries?search=none",
    ),
    page(
        "delivery-succeeded",
        "/admin/webhook-deliveries/{succeeded-delivery}",
    ),
    page(
        "delivery-failed",
        "/admin/webhook-deliveries/{failed-delivery}",
    ),
    page(
        "delivery-retrying",
        "/admin/webhook-deliveries/{retrying-delivery}",
    ),
    page(
        "delivery-pending",
        "/admin/webhook-deliveries/{pending-delivery}",
    ),
    page(
        "delivery-cancelled",
        "/admin/webhook-deliveries/{cancelled-delivery}",
    ),
    page("jobs", "/admin/jobs"),
    page("job-running", "/admin/jobs/{running-job}"),
    page("job-finished", "/admin/jobs/{finished-job}"),
    page("events", "/admin/events"),
    page("events-unmatched", "/admin/events?matched=false"),
    page("event", "/admin/events/{event}"),
    page("rejected-messages", "/admin/rejected-messages"),
    page(
        "rejected-messages-requeue",
        "/admin/rejected-messages/requeue?search=type",
    ),
    page(
        "rejected-messages-discard",
        "/admin/rejected-messages/discard?search=type",
    ),
    page(
        "rejected-message",
        "/admin/rejected-messages/{rejected-message}",
    ),
    page(
        "rejected-message-cut",
        "/admin/rejected-messages/{cut-message}",
    ),
    page(
        "rejected-message-binary",
        "/admin/rejected-messages/{binary-message}",
    ),
    page(
        "rejected-message-discard",
        "/admin/rejected-messages/{rejected-message}/discard",
    ),
    page("event-types", "/admin/event-types"),
    page("verifying", "/admin/event-types/verifying"),
    page("settings", "/admin/settings"),
    page("retry-policies", "/admin/settings/retry-policies"),
    page("retry-policy", "/admin/settings/retry-policies/production"),
    page("api-keys", "/admin/settings/api-keys"),
    page("api-key-revoke", "/admin/settings/api-keys/{key}/revoke"),
    page("signatures", "/admin/settings/signatures"),
    Page {
        status: 404,
        ..page("not-found", "/admin/nothing-here")
    },
    Page {
        viewer: Viewer::Reader,
        ..page("webhook-of-a-viewer", "/admin/webhooks/{webhook}")
    },
    Page {
        viewer: Viewer::Reader,
        ..page("settings-of-a-viewer", "/admin/settings")
    },
    Page {
        viewer: Viewer::Reader,
        status: 403,
        ..page("not-allowed", "/admin/settings/api-keys")
    },
    Page {
        viewer: Viewer::Reader,
        ..page("webhooks-of-a-viewer", "/admin/webhooks")
    },
];

/// Names that stand for ids in paths, each with the query that finds the id.
const FOUND: [(&str, &str); 16] = [
    (
        "webhook",
        "SELECT id FROM webhooks WHERE header_names <> '{}' AND status = 'active' ORDER BY name LIMIT 1",
    ),
    (
        "unusual-webhook",
        "SELECT id FROM webhooks ORDER BY length(name) DESC, name LIMIT 1",
    ),
    (
        "failing-webhook",
        "SELECT webhook_id FROM webhook_health WHERE paused_until IS NOT NULL ORDER BY failures LIMIT 1",
    ),
    (
        "disabled-webhook",
        "SELECT id FROM webhooks WHERE disabled_reason IS NOT NULL ORDER BY name LIMIT 1",
    ),
    (
        "succeeded-delivery",
        "SELECT id FROM deliveries WHERE status = 'succeeded' AND attempts > 1 ORDER BY id DESC LIMIT 1",
    ),
    (
        "failed-delivery",
        "SELECT id FROM deliveries WHERE status = 'failed' ORDER BY attempts DESC, id DESC LIMIT 1",
    ),
    (
        "retrying-delivery",
        "SELECT id FROM deliveries WHERE status = 'pending' AND attempts > 2 ORDER BY id DESC LIMIT 1",
    ),
    (
        "pending-delivery",
        "SELECT id FROM deliveries WHERE status = 'pending' AND attempts = 0 ORDER BY id DESC LIMIT 1",
    ),
    (
        "cancelled-delivery",
        "SELECT id FROM deliveries WHERE status = 'cancelled' ORDER BY id DESC LIMIT 1",
    ),
    (
        "event",
        "SELECT id FROM events WHERE matched ORDER BY received_at DESC LIMIT 1 OFFSET 40",
    ),
    (
        "running-job",
        "SELECT id FROM jobs WHERE status = 'running' AND done > 0",
    ),
    (
        "finished-job",
        "SELECT id FROM jobs WHERE status = 'finished' ORDER BY id LIMIT 1",
    ),
    (
        "rejected-message",
        "SELECT id FROM rejected_messages WHERE reason LIKE 'type:%' ORDER BY id LIMIT 1",
    ),
    (
        "cut-message",
        "SELECT id FROM rejected_messages WHERE body_truncated ORDER BY id LIMIT 1",
    ),
    (
        "binary-message",
        "SELECT id FROM rejected_messages WHERE NOT body_truncated AND get_byte(body, 0) = 0 ORDER BY id LIMIT 1",
    ),
    (
        "key",
        "SELECT id FROM api_keys WHERE name LIKE 'Contractor%'",
    ),
];

impl Showcase {
    /// Opens all pages in a browser, each as its viewer, and calls `look`. Panics at a page with
    /// another status than the table has.
    pub async fn tour(&self, browser: &Browser, mut look: impl AsyncFnMut(&Page)) {
        let mut viewer = Viewer::Nobody;
        for page in PAGES {
            if page.viewer != viewer {
                viewer = page.viewer;
                let key = self.key_of(viewer).expect("who signed in stays signed in");
                browser.sign_in(key).await;
            }
            let path = self.path_of(page).await;
            browser.open(&path).await;
            assert_eq!(browser.status().await, u64::from(page.status), "{path}");
            look(page).await;
        }
    }

    /// The path of a page with the ids filled in.
    pub async fn path_of(&self, page: &Page) -> String {
        let mut path = page.path.to_owned();
        for (name, sql) in FOUND {
            let place = format!("{{{name}}}");
            if path.contains(&place) {
                let sql = format!("SELECT found.id::text FROM ({sql}) AS found (id)");
                let id: String = self.world.database.ask(&sql).await;
                path = path.replace(&place, &id);
            }
        }
        assert!(!path.contains('{'), "{path}: an unknown name");
        path
    }

    /// The API key of a viewer, if signed in.
    fn key_of(&self, viewer: Viewer) -> Option<&str> {
        match viewer {
            Viewer::Nobody => None,
            Viewer::Owner => Some(&self.owner),
            Viewer::Reader => Some(&self.viewer),
        }
    }
}
