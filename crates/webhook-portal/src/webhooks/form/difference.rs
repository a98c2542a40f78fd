//! The settings that somebody else changed while a webhook was being edited.

use webhook_domain::{Format, RetryPolicy, WebhookSettings};

use super::WebhookForm;

/// A field whose stored value differs from the typed one.
pub(crate) struct Difference {
    pub(crate) field: &'static str,
    /// The stored value; empty for none.
    pub(crate) now: String,
}

/// The fields of a webhook whose stored values differ from the typed ones.
pub(crate) fn differences(typed: &WebhookForm, current: &WebhookSettings) -> Vec<Difference> {
    let now = WebhookForm::of(current, &RetryPolicy::default()).values();
    let differing = now.into_iter().zip(typed.values());
    differing
        .filter(|(now, typed)| now != typed)
        .map(|((field, now), _)| Difference { field, now })
        .collect()
}

impl WebhookForm {
    /// The rate limit, such as `25 per minute`; empty for none.
    fn rate_limit_in_words(&self) -> String {
        if self.rate_limit.is_empty() {
            return String::new();
        }
        format!("{} per {}", self.rate_limit, self.rate_period)
    }

    /// The template that the form saves; empty for none.
    fn saved_template(&self) -> String {
        let is_custom = self.saved_format() == Format::Custom.as_str();
        let template = Some(&self.template).filter(|_| is_custom);
        template.cloned().unwrap_or_default()
    }

    /// Whether the URL is saved as a secret: `yes`, or empty.
    fn secrecy_in_words(&self) -> String {
        let by_format = self.saved_format().parse().is_ok_and(Format::url_is_secret);
        if by_format || self.url_is_secret {
            "yes".to_owned()
        } else {
            String::new()
        }
    }

    /// The label and the value of each field, in the order of the page.
    fn values(&self) -> Vec<(&'static str, String)> {
        let policy = self.policy.fields.iter();
        let policy = policy.map(|field| format!("{} {}", field.label, field.text));
        let policy: Vec<String> = policy.filter(|_| self.own_policy).collect();
        let headers = self.headers.iter().map(|row| row.name.as_str());
        let metadata = self.metadata.iter().filter(|row| !row.is_empty());
        let metadata = metadata.map(|row| format!("{} = {}", row.name, row.value));
        vec![
            ("Name", self.name.clone()),
            ("Target URL", self.url.clone()),
            ("Secret URL", self.secrecy_in_words()),
            // A browser sends other line breaks than were stored.
            ("Description", self.description.replace("\r\n", "\n")),
            ("Environment", self.environment.clone()),
            ("Format", self.saved_format().to_owned()),
            ("Template", self.saved_template()),
            ("Status", self.status.clone()),
            ("Event Selection", self.events.patterns().join(", ")),
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
            ("Parallel requests", self.max_concurrency.clone()),
            ("Rate limit", self.rate_limit_in_words()),
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
