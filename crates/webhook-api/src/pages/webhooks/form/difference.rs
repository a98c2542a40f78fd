//! What a webhook has become while somebody was editing it.

use webhook_domain::{RetryPolicy, WebhookSettings};

use super::WebhookForm;

/// A field that says something else than what was typed.
pub(crate) struct Difference {
    pub(crate) field: &'static str,
    /// What it says now; empty if it says nothing.
    pub(crate) now: String,
}

/// What the webhook has now and the form would change.
pub(crate) fn differences(typed: &WebhookForm, current: &WebhookSettings) -> Vec<Difference> {
    let now = WebhookForm::of(current, &RetryPolicy::default()).told();
    let differing = now.into_iter().zip(typed.told());
    differing
        .filter(|(now, typed)| now != typed)
        .map(|((field, now), _)| Difference { field, now })
        .collect()
}

impl WebhookForm {
    /// What each field says, in the order of the page.
    fn told(&self) -> Vec<(&'static str, String)> {
        let policy = self.policy.fields.iter();
        let policy = policy.map(|field| format!("{} {}", field.label, field.text));
        let policy: Vec<String> = policy.filter(|_| self.own_policy).collect();
        let headers = self.headers.iter().map(|row| row.name.as_str());
        let metadata = self.metadata.iter().filter(|row| !row.is_empty());
        let metadata = metadata.map(|row| format!("{} = {}", row.name, row.value));
        vec![
            ("Name", self.name.clone()),
            ("URL", self.url.clone()),
            // A browser sends other line breaks than were stored.
            ("Description", self.description.replace("\r\n", "\n")),
            ("Environment", self.environment.clone()),
            ("Status", self.status.clone()),
            ("Events", self.events.patterns().join(", ")),
            ("Retry policy", policy.join(", ")),
            (
                "Headers",
                headers
                    .filter(|name| !name.is_empty())
                    .collect::<Vec<_>>()
                    .join(", "),
            ),
            ("Metadata", metadata.collect::<Vec<_>>().join(", ")),
            ("Timeout", self.timeout.clone()),
            ("Requests at once", self.max_concurrency.clone()),
            ("Requests per second", self.rate_limit.clone()),
            (
                "Order by",
                if self.ordered {
                    self.ordering_key.clone()
                } else {
                    String::new()
                },
            ),
        ]
    }
}
